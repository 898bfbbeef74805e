// Puts WebGPU where browsers have it, for the peers and for us alike, and counts the calls to it.
import { beginWait, calmPolling, isSoftware } from '@paris/tensor/node';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
// On NVIDIA Dawn offers f16 only if asked. The object must stay alive for as long as any device of it.
const gpu = create(['enable-dawn-features=vulkan_enable_f16_on_nvidia']);
globalThis.keptGpu = gpu;
Object.defineProperty(globalThis, 'navigator', {
  value: { gpu, userAgent: 'Node', hardwareConcurrency: 2, language: 'en' },
  configurable: true,
});

const adapter = await gpu.requestAdapter();
if (!adapter) throw new Error('there is no WebGPU adapter');
// Dawn for Node asks for results in a busy loop, which on a CPU takes half of the adapter's time from every contender.
if (isSoftware(adapter.info)) calmPolling();

export const gpuErrors = [];
export const counts = { submits: 0, dispatches: 0, buffers: 0, bindGroups: 0 };

const prototypeOf = Object.getPrototypeOf;
const adapterPrototype = prototypeOf(adapter);
const requestDevice = adapterPrototype.requestDevice;
adapterPrototype.requestDevice = async function (...args) {
  const device = await requestDevice.apply(this, args);
  device.addEventListener('uncapturederror', (event) => gpuErrors.push(event.error?.message ?? String(event)));
  return device;
};

// The prototypes are found on live objects.
const probe = await requestDevice.call(adapter);
const encoder = probe.createCommandEncoder();
const pass = encoder.beginComputePass();
for (const [prototype, method, name] of [
  [prototypeOf(probe.queue), 'submit', 'submits'],
  [prototypeOf(pass), 'dispatchWorkgroups', 'dispatches'],
  [prototypeOf(probe), 'createBuffer', 'buffers'],
  [prototypeOf(probe), 'createBindGroup', 'bindGroups'],
]) {
  const original = prototype[method];
  prototype[method] = function (...args) {
    counts[name]++;
    return original.apply(this, args);
  };
}
pass.end();
encoder.finish();
const queuePrototype = prototypeOf(probe.queue);
probe.destroy();

/** For the peers: our own devices say by themselves when a wait begins, and each wait is said once. */
export function sayWaits() {
  for (const [prototype, method] of [
    [queuePrototype, 'onSubmittedWorkDone'],
    [globals.GPUBuffer.prototype, 'mapAsync'],
  ]) {
    const original = prototype[method];
    prototype[method] = function (...args) {
      beginWait();
      return original.apply(this, args);
    };
  }
}
