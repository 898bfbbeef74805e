// Puts @paris/cpu where a browser has WebGPU, and notes what it reports.
import { createGpu, globals } from '@paris/cpu';

Object.assign(globalThis, globals);
const gpu = createGpu({ threads: 2 });
const value = { gpu, userAgent: 'Node', hardwareConcurrency: 2, language: 'en' };
Object.defineProperty(globalThis, 'navigator', { value, configurable: true, writable: true });

/** Uncaptured errors of every device. */
export const errors = [];
let dispatches = 0;
const adapterPrototype = globals.GPUAdapter.prototype;
const { requestDevice } = adapterPrototype;
adapterPrototype.requestDevice = async function (...args) {
  const device = await requestDevice.apply(this, args);
  device.addEventListener('uncapturederror', (event) => errors.push(event.error.message));
  return device;
};
const passPrototype = globals.GPUComputePassEncoder.prototype;
const { dispatchWorkgroups } = passPrototype;
passPrototype.dispatchWorkgroups = function (...counts) {
  dispatches++;
  return dispatchWorkgroups.apply(this, counts);
};

/** Prints what a peer computed, by name, and ends. */
export function finish(outcomes) {
  console.log(JSON.stringify({ outcomes, errors, dispatches }));
  process.exit(0);
}
