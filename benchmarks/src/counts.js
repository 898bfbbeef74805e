// Counts the calls to WebGPU, and keeps what it reports.

export const gpuErrors = [];
export const counts = { submits: 0, dispatches: 0, buffers: 0, bindGroups: 0 };
const prototypeOf = Object.getPrototypeOf;

/** From now on calls to any device of this kind count. The prototypes are found on live objects. Consumes the adapter. */
export async function countOn(adapter) {
  const adapterPrototype = prototypeOf(adapter);
  const { requestDevice } = adapterPrototype;
  adapterPrototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    device.addEventListener('uncapturederror', (event) => gpuErrors.push(event.error?.message ?? String(event)));
    return device;
  };
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
  probe.destroy();
  return { queuePrototype: prototypeOf(probe.queue) };
}
