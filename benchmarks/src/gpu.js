// Puts WebGPU where browsers have it, for the peers and for us alike, and counts the calls to it.
import { beginWait, calmPolling, isSoftware } from '@paris/tensor/node';
import { create, globals } from 'webgpu';
import { countOn } from './counts.js';

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

const { queuePrototype } = await countOn(adapter);

/** For the peers: our own devices announce their waits themselves, and each wait is announced once. */
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
