// Runs a shader function over an index range on a bare WebGPU device: for tests of kernels' building blocks, which
// must not depend on the compiler they are part of.
import tgpu from 'typegpu';
import { findAdapter } from '../device/adapter.js';

// The values that WebGPU §5.1 fixes: Node has no GPUBufferUsage of its own.
const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 } as const;

/** A WebGPU device as the platform gives it, or undefined where there is no adapter. */
export async function bareDevice(): Promise<{ device: GPUDevice; name: string } | undefined> {
  const found = await findAdapter().catch(() => undefined);
  if (!found) return undefined;
  const { adapter } = found;
  return { device: await adapter.requestDevice(), name: adapter.info.description || adapter.info.device };
}

/**
 * The 32-bit words that `expression` gives for i = 0 … count − 1.
 * @param expression - WGSL of type u32 over `i: u32` and the names in `externals`, such as `bitcast<u32>(f(i))`
 */
export async function mapOnDevice(
  device: GPUDevice,
  count: number,
  expression: string,
  externals: Record<string, object>,
): Promise<Uint32Array<ArrayBuffer>> {
  const code = tgpu.resolve({
    template: `
      @group(0) @binding(0) var<storage, read_write> result: array<u32>;
      @compute @workgroup_size(256) fn main(@builtin(global_invocation_id) id: vec3u) {
        let i = id.x;
        if (i < arrayLength(&result)) { result[i] = ${expression}; }
      }`,
    externals,
  });
  device.pushErrorScope('validation');
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const sizeBytes = count * 4;
  const result = device.createBuffer({ size: sizeBytes, usage: USAGE.storage | USAGE.copySource });
  const copy = device.createBuffer({ size: sizeBytes, usage: USAGE.mapRead | USAGE.copyTarget });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: result } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(Math.ceil(count / 256));
  pass.end();
  encoder.copyBufferToBuffer(result, 0, copy, 0, sizeBytes);
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) throw new Error(`[test] ${error.message}`);
  await copy.mapAsync(1 /* GPUMapMode.READ */);
  const words = new Uint32Array(copy.getMappedRange().slice(0));
  result.destroy();
  copy.destroy();
  return words;
}
