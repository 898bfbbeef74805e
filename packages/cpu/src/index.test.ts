// From WGSL to bytes: what the device makes of texts.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dispatch, errorOf, pipelineOf, readback, storage, U } from './gpu/device.testing.js';
import { createGpu, globals } from './index.js';
import { mix } from './scenarios.testing.js';

let device: GPUDevice;
beforeAll(async () => {
  device = await (await createGpu({ threads: 2 }).requestAdapter())!.requestDevice();
});
afterAll(() => device.destroy());

/** Runs one workgroup with these buffers as bindings 0, 1, …, and reads one of them. */
async function run(pipeline: GPUComputePipeline, buffers: readonly GPUBuffer[], output: GPUBuffer): Promise<number[]> {
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  dispatch(device, pipeline, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }), 1);
  return readback(device, output);
}

it('computes a kernel with workgroup memory as plain JavaScript does', async () => {
  const bits = (values: Float32Array) => new Uint32Array(values.buffer);
  const given = Float32Array.from({ length: 64 }, (_, i) => i / 9);
  const input = storage(device, bits(given));
  const scale = storage(device, bits(new Float32Array([0.3, 0.01, 0, 0])), U.UNIFORM);
  const output = storage(device, new Uint32Array(64));
  const words = await run(pipelineOf(device, mix), [input, output, scale], output);
  const computed = new Float32Array(new Uint32Array(words).buffer);
  const tile = [...given].map((x) => Math.sin(x) * 0.3 + 0.01);
  let sum = 0;
  tile.forEach((value, i) => {
    sum += value;
    expect(computed[i]).toBeCloseTo(Math.exp(-sum * sum) + tile[63 - i]!, 5);
  });
});

it('sets overrides by name and by number', async () => {
  const code = `
    override factor = 2u;
    @id(7) override offset: u32;
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) { out[i] = i * factor + offset; }`;
  const module = device.createShaderModule({ code });
  const make = (constants: Record<string, number>) =>
    device.createComputePipeline({ layout: 'auto', compute: { module, constants } });
  const out = storage(device, [0, 0, 0, 0]);
  expect(await run(make({ factor: 10, 7: 5 }), [out], out)).toEqual([5, 15, 25, 35]);
  expect(await run(make({ 7: 1 }), [out], out)).toEqual([1, 3, 5, 7]);
  expect(await errorOf(device, () => make({}))).toContain('offset');
  expect(await errorOf(device, () => make({ 7: 1, other: 1 }))).toContain('other');
});

it('says where a text is wrong', async () => {
  const code = '@compute @workgroup_size(1)\nfn main() { let x: f32 = true; }';
  let module: GPUShaderModule | undefined;
  const error = await errorOf(device, () => {
    module = device.createShaderModule({ code, label: 'wrong' });
  });
  expect(error).toContain('[ShaderModule "wrong"] does not compile: 2:');
  const { messages } = await module!.getCompilationInfo();
  expect(messages[0]).toMatchObject({ type: 'error', lineNum: 2 });
  expect(code.slice(messages[0]!.offset)).toMatch(/^(let|x|true|=)/);
  const made = device.createComputePipelineAsync({ layout: 'auto', compute: { module: module! } });
  await expect(made).rejects.toMatchObject({
    reason: 'validation',
    message: expect.stringContaining('does not compile'),
  });
});

it('takes f16 on devices that have asked for it', async () => {
  const code = 'enable f16; @compute @workgroup_size(1) fn main() { var x = 1h; x += 1h; }';
  expect(await errorOf(device, () => device.createShaderModule({ code }))).toContain('enable f16');
  const half = await (await createGpu({ threads: 1 }).requestAdapter())!.requestDevice({
    requiredFeatures: ['shader-f16'],
  });
  expect(await errorOf(half, () => pipelineOf(half, code))).toBe('');
  half.destroy();
});

it('holds pipelines to the limits', async () => {
  const size = (text: string) => `@compute @workgroup_size(${text}) fn main() {}`;
  expect(await errorOf(device, () => pipelineOf(device, size('257')))).toContain('larger than 256 × 256 × 64');
  expect(await errorOf(device, () => pipelineOf(device, size('16, 17')))).toContain('272 invocations are more than');
  const tile = `var<workgroup> tile: array<vec4f, 1025>; @compute @workgroup_size(1) fn main() { tile[0] = vec4f(); }`;
  expect(await errorOf(device, () => pipelineOf(device, tile))).toContain('16400 bytes of workgroup memory');
  const group = `@group(4) @binding(0) var<storage, read_write> x: u32; @compute @workgroup_size(1) fn main() { x = 1u; }`;
  expect(await errorOf(device, () => pipelineOf(device, group))).toContain('maxBindGroups');
});

it('gives the flags that programs expect', () => {
  expect(globals.GPUBufferUsage.STORAGE | globals.GPUBufferUsage.COPY_SRC).toBe(0x84);
  expect(globals.GPUMapMode.READ).toBe(1);
});

it('gives the interfaces that programs test objects against', () => {
  const buffer = device.createBuffer({ size: 4, usage: globals.GPUBufferUsage.STORAGE });
  expect(buffer).toBeInstanceOf(globals.GPUBuffer);
  expect(buffer).not.toBeInstanceOf(globals.GPUTexture);
  expect(() => Reflect.construct(globals.GPUTexture, [])).toThrow('Illegal constructor');
  expect([device, device.queue]).toEqual([expect.any(globals.GPUDevice), expect.any(globals.GPUQueue)]);
  // Each under the name that its objects say.
  expect(Object.keys(globals)).toContain(Object.prototype.toString.call(buffer).slice(8, -1));
});
