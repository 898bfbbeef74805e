// A device with hand-made kernels, and what tests do with it.
import { namingCompiler } from './compiler.testing.js';
import { type CreateGpuOptions, Gpu } from './gpu.js';

export const U = {
  MAP_READ: 1,
  MAP_WRITE: 2,
  COPY_SRC: 4,
  COPY_DST: 8,
  UNIFORM: 64,
  STORAGE: 128,
  INDIRECT: 256,
  QUERY_RESOLVE: 512,
};

const devices: GPUDevice[] = [];

export async function openTestDevice(
  options: CreateGpuOptions = {},
  descriptor?: GPUDeviceDescriptor,
): Promise<GPUDevice> {
  const adapter = await new Gpu(namingCompiler(), { threads: 2, ...options }).requestAdapter();
  const device = await adapter!.requestDevice(descriptor);
  devices.push(device);
  return device;
}

export function closeTestDevices(): void {
  for (const device of devices.splice(0)) device.destroy();
}

export function storage(device: GPUDevice, values: ArrayLike<number>, usage = 0): GPUBuffer {
  const buffer = device.createBuffer({
    size: values.length * 4,
    usage: U.STORAGE | U.COPY_SRC | U.COPY_DST | usage,
    mappedAtCreation: true,
  });
  new Uint32Array(buffer.getMappedRange()).set(values);
  buffer.unmap();
  return buffer;
}

export async function readback(device: GPUDevice, buffer: GPUBuffer): Promise<number[]> {
  const copy = device.createBuffer({ size: buffer.size, usage: U.MAP_READ | U.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, copy);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(1);
  const values = [...new Uint32Array(copy.getMappedRange())];
  copy.destroy();
  return values;
}

/** The message of the validation error that the steps raise; empty if they raise none. */
export async function errorOf(
  device: GPUDevice,
  steps: () => void,
  filter: GPUErrorFilter = 'validation',
): Promise<string> {
  device.pushErrorScope(filter);
  steps();
  return (await device.popErrorScope())?.message ?? '';
}

export function pipelineOf(
  device: GPUDevice,
  code: string,
  layout: GPUPipelineLayout | 'auto' = 'auto',
): GPUComputePipeline {
  return device.createComputePipeline({ layout, compute: { module: device.createShaderModule({ code }) } });
}

export function groupOf(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  ...buffers: (GPUBuffer | GPUBufferBinding)[]
): GPUBindGroup {
  const first = buffers.length === 1 ? 1 : 0;
  return device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((resource, i) => ({ binding: first + i, resource })),
  });
}

/** A submit with one pass of one dispatch. */
export function dispatch(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  group: GPUBindGroup,
  ...counts: [number, number?, number?]
): void {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...counts);
  pass.end();
  device.queue.submit([encoder.finish()]);
}
