// Runs generated kernels directly on a WebGPU device, without the compiler: for the kernels' tests.
import { openDevice } from '../device/open.js';
import { type Extent, fixed, type GeneratedKernel } from '../graph/kernel.js';

// WebGPU's flags as numbers: Dawn for Node leaves the constants of the standard off the global object.
const MAP_READ = 0x0001;
const COPY_SRC = 0x0004;
const COPY_DST = 0x0008;
const STORAGE = 0x0080;

/** Named f32 arrays; those of `outputs` are read back, all others are inputs. */
export interface KernelRun {
  readonly inputs: Readonly<Record<string, Float32Array>>;
  readonly outputs: Readonly<Record<string, number>>;
}

/** Collects the uniforms that a spec reads, as `Sizes[i]`, so that one test serves literals and uniforms alike. */
export class Uniforms {
  readonly values: number[] = [];

  add(value: number): Extent {
    this.values.push(value >>> 0);
    return { value, wgsl: `Sizes[${this.values.length - 1}]` };
  }
}

/** Every extent a literal. */
export const literals: Pick<Uniforms, 'add'> = { add: fixed };

/** What {@link runKernel} calls a buffer in the text: generators leave capital letters to others. */
export function bufferName(name: string): string {
  return `Buffer_${name}`;
}

/** Reads the buffer that {@link runKernel} binds under this name. */
export function bufferElement(name: string): (index: string) => string {
  return (index) => `${bufferName(name)}[${index}]`;
}

/** A whole module: bindings (inputs, outputs, then `Sizes`), declarations, entry point. */
function assembleKernel(kernel: GeneratedKernel, run: KernelRun): string {
  const inputs = Object.keys(run.inputs);
  const names = [...inputs, ...Object.keys(run.outputs)];
  const bindings = names.map((name, i) => {
    const mode = i < inputs.length ? 'read' : 'read_write';
    return `@group(0) @binding(${i}) var<storage, ${mode}> ${bufferName(name)}: array<f32>;`;
  });
  return `${kernel.enable ? `enable ${kernel.enable};\n` : ''}${bindings.join('\n')}
@group(0) @binding(${names.length}) var<storage, read> Sizes: array<u32>;
${kernel.declarations ?? ''}
@compute @workgroup_size(${kernel.workgroupSize.join(', ')})
fn main(@builtin(workgroup_id) workgroup_id: vec3u, @builtin(local_invocation_id) local_id: vec3u,
        @builtin(local_invocation_index) local_index: u32) {
  _ = Sizes[0];
${kernel.body}
}`;
}

/** Runs one kernel once and reads its outputs, which start as NaN: what a kernel forgets to write shows. */
export async function runKernel(
  device: GPUDevice,
  kernel: GeneratedKernel,
  run: KernelRun,
  sizes: readonly number[] = [],
): Promise<Record<string, Float32Array>> {
  const code = assembleKernel(kernel, run);
  device.pushErrorScope('validation');
  const pipeline = pipelineOf(device, code);
  const outputs = Object.entries(run.outputs).map(([name, size]) => {
    return { name, buffer: upload(device, new Float32Array(size).fill(Number.NaN)) };
  });
  const inputs = Object.values(run.inputs).map((data) => upload(device, data));
  const buffers = [...inputs, ...outputs.map(({ buffer }) => buffer), upload(device, new Uint32Array([...sizes, 0]))];
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(...kernel.workgroups);
  pass.end();
  const results = outputs.map(({ name, buffer }) => {
    const staging = device.createBuffer({ size: buffer.size, usage: MAP_READ | COPY_DST });
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
    return { name, staging };
  });
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) throw new Error(error.message);
  const read: Record<string, Float32Array> = {};
  for (const { name, staging } of results) {
    await staging.mapAsync(MAP_READ);
    read[name] = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
  }
  for (const buffer of buffers) buffer.destroy();
  return read;
}

// Compiling takes most of a test's time, and one text serves many sizes.
const pipelines = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>();

function pipelineOf(device: GPUDevice, code: string): GPUComputePipeline {
  const own = pipelines.get(device) ?? new Map<string, GPUComputePipeline>();
  pipelines.set(device, own);
  const known = own.get(code);
  if (known) return known;
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  own.set(code, pipeline);
  return pipeline;
}

function upload(device: GPUDevice, data: Float32Array | Uint32Array): GPUBuffer {
  const buffer = device.createBuffer({ size: Math.max(4, data.byteLength), usage: STORAGE | COPY_SRC | COPY_DST });
  device.queue.writeBuffer(buffer, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return buffer;
}

let testDevice: Promise<GPUDevice> | undefined;

/** The device of the adapter that the test run was started on. Throws where there is none. */
export function openTestDevice(): Promise<GPUDevice> {
  testDevice ??= openDevice().then(({ gpu }) => gpu);
  return testDevice;
}

/** Repeatable numbers in [-1, 1), with enough structure missing that a wrong index shows. */
export function testValues(size: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 1) >>> 0;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** The largest |actual − expected| / (1 + |expected|), NaN where the lengths differ or anything is NaN. */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / (1 + Math.abs(expected[i]!));
    if (!(error <= largest)) largest = error;
    if (Number.isNaN(error)) return error;
  }
  return largest;
}
