// What is refused when objects are made: one entry a rule of the specification, what is done and the error that names it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeTestDevices, errorOf, openTestDevice, pipelineOf, storage, U } from './device.testing.js';

let device: GPUDevice;
let other: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice({ threads: 1 });
  other = await openTestDevice({ threads: 1 });
});
afterAll(closeTestDevices);

const COMPUTE = 4;
const values = (count: number) => storage(device, new Uint32Array(count));
const buffer = (size: number, usage: number, label = '') => device.createBuffer({ size, usage, label });
const bindings = (...buffers: GPUBufferBindingLayout[]) =>
  device.createBindGroupLayout({
    entries: buffers.map((one, binding) => ({ binding, visibility: COMPUTE, buffer: one })),
  });
const group = (layout: GPUBindGroupLayout, ...resources: GPUBindingResource[]) =>
  device.createBindGroup({ layout, entries: resources.map((resource, binding) => ({ binding, resource })) });

const pipelineFrom = (module: GPUShaderModule) => device.createComputePipeline({ layout: 'auto', compute: { module } });

/** Makes something invalid without an error. */
function quietly<T>(make: () => T): T {
  device.pushErrorScope('validation');
  const made = make();
  void device.popErrorScope();
  return made;
}

const rules: Record<string, Record<string, [message: string, steps: () => void]>> = {
  buffers: {
    'no usage': ['usage 0x0', () => buffer(4, 0)],
    'unknown usage': ['usage 0x400', () => buffer(4, 0x400)],
    'reading and storage': ['MAP_READ goes with COPY_DST only', () => buffer(4, U.MAP_READ | U.STORAGE)],
    'writing and storage': ['MAP_WRITE goes with COPY_SRC only', () => buffer(4, U.MAP_WRITE | U.COPY_DST)],
    'too large': ['maxBufferSize, 268435456', () => buffer(2 ** 28 + 4, U.STORAGE)],
    'mapped without usage': [
      'lacks the usage MAP_READ',
      () =>
        void buffer(8, U.STORAGE)
          .mapAsync(1)
          .catch(() => {}),
    ],
    'mapped both ways': [
      'GPUMapMode.READ or',
      () =>
        void buffer(8, U.MAP_READ)
          .mapAsync(3)
          .catch(() => {}),
    ],
    'mapped twice': [
      'already being mapped',
      () => {
        const one = buffer(8, U.MAP_READ);
        one.mapAsync(1).catch(() => {});
        one.mapAsync(1).catch(() => {});
      },
    ],
    'mapped at an odd offset': [
      'multiple of 8',
      () =>
        void buffer(16, U.MAP_READ)
          .mapAsync(1, 4)
          .catch(() => {}),
    ],
    'mapped beyond its end': [
      'not within the 16',
      () =>
        void buffer(16, U.MAP_READ)
          .mapAsync(1, 8, 12)
          .catch(() => {}),
    ],
    'mapped after destroy': [
      'is destroyed',
      () => {
        const one = buffer(8, U.MAP_READ);
        one.destroy();
        one.mapAsync(1).catch(() => {});
      },
    ],
  },
  'bind group layouts': {
    'a binding twice': [
      'binding 3 occurs twice',
      () =>
        device.createBindGroupLayout({
          entries: [3, 3].map((binding) => ({ binding, visibility: COMPUTE, buffer: {} })),
        }),
    ],
    'a large binding': [
      'maxBindingsPerBindGroup',
      () => device.createBindGroupLayout({ entries: [{ binding: 1000, visibility: COMPUTE, buffer: {} }] }),
    ],
    'no resource': [
      'names no resource',
      () => device.createBindGroupLayout({ entries: [{ binding: 0, visibility: COMPUTE }] }),
    ],
    'a texture': [
      'binding 1 is a texture',
      () => device.createBindGroupLayout({ entries: [{ binding: 1, visibility: COMPUTE, texture: {} }] }),
    ],
    'storage for vertices': [
      'vertex shaders',
      () => device.createBindGroupLayout({ entries: [{ binding: 0, visibility: 1, buffer: { type: 'storage' } }] }),
    ],
    'unknown visibility': [
      'visibility 0x8',
      () => device.createBindGroupLayout({ entries: [{ binding: 0, visibility: 8, buffer: {} }] }),
    ],
    'too many': ['maxStorageBuffersPerShaderStage allows, 8', () => bindings(...Array(9).fill({ type: 'storage' }))],
    'too many dynamic': [
      'maxDynamicStorageBuffersPerPipelineLayout',
      () => bindings(...Array(5).fill({ type: 'storage', hasDynamicOffset: true })),
    ],
    'too many in a pipeline layout': [
      'maxUniformBuffersPerShaderStage',
      () =>
        device.createPipelineLayout({
          bindGroupLayouts: [bindings(...Array(7).fill({})), bindings(...Array(6).fill({}))],
        }),
    ],
    'too many groups': [
      'maxBindGroups, 4',
      () => device.createPipelineLayout({ bindGroupLayouts: Array(5).fill(bindings({})) }),
    ],
    'a default layout': [
      'fits that pipeline only',
      () => device.createPipelineLayout({ bindGroupLayouts: [pipelineOf(device, 'double').getBindGroupLayout(0)] }),
    ],
    'another device': [
      'of another device',
      () => device.createPipelineLayout({ bindGroupLayouts: [other.createBindGroupLayout({ entries: [] })] }),
    ],
  },
  'bind groups': {
    'too few entries': [
      '1 entries are given, [BindGroupLayout] has 2',
      () => group(bindings({}, {}), { buffer: buffer(4, U.UNIFORM) }),
    ],
    'another binding': [
      'binding 7 is not in',
      () =>
        device.createBindGroup({
          layout: bindings({}),
          entries: [{ binding: 7, resource: { buffer: buffer(4, U.UNIFORM) } }],
        }),
    ],
    'the wrong usage': [
      '[Buffer "mine"] lacks the usage UNIFORM',
      () => group(bindings({}), { buffer: buffer(4, U.STORAGE, 'mine') }),
    ],
    'an odd offset': [
      'minStorageBufferOffsetAlignment, 256',
      () => group(bindings({ type: 'storage' }), { buffer: values(128), offset: 32 }),
    ],
    'beyond the end': [
      'bytes 256 to 516',
      () => group(bindings({ type: 'storage' }), { buffer: values(128), offset: 256, size: 260 }),
    ],
    'nothing left': [
      'are empty or not within its 256',
      () => group(bindings({ type: 'storage' }), { buffer: values(64), offset: 256 }),
    ],
    'too small for the layout': [
      '16 bytes are bound; the layout asks for 20',
      () => group(bindings({ minBindingSize: 20 }), { buffer: buffer(16, U.UNIFORM) }),
    ],
    'too large': ['maxUniformBufferBindingSize', () => group(bindings({}), { buffer: buffer(65540, U.UNIFORM) })],
    'not a multiple of 4': [
      'size 6 is not a multiple of 4',
      () => group(bindings({ type: 'storage' }), { buffer: values(4), size: 6 }),
    ],
    'an invalid buffer': [
      '[Buffer "bad"] is invalid',
      () => group(bindings({}), { buffer: quietly(() => buffer(4, 0, 'bad')) }),
    ],
  },
  pipelines: {
    'an invalid module': [
      '[ShaderModule] is invalid',
      () => pipelineFrom(quietly(() => device.createShaderModule({ code: 'nothing' }))),
    ],
    'no such entry point': [
      'no entry point main',
      () =>
        device.createComputePipeline({
          layout: 'auto',
          compute: { module: device.createShaderModule({ code: 'double' }), entryPoint: 'main' },
        }),
    ],
    'a layout without its binding': [
      'has no @group(0) @binding(1)',
      () =>
        pipelineOf(
          device,
          'double',
          device.createPipelineLayout({ bindGroupLayouts: [bindings({ type: 'read-only-storage' })] }),
        ),
    ],
    'a layout with another type': [
      '@binding(1) is read-only-storage, in the shader storage',
      () =>
        pipelineOf(
          device,
          'double',
          device.createPipelineLayout({
            bindGroupLayouts: [bindings({ type: 'read-only-storage' }, { type: 'read-only-storage' })],
          }),
        ),
    ],
    'a layout for too little': [
      'minBindingSize 2 of',
      () =>
        pipelineOf(
          device,
          'double',
          device.createPipelineLayout({
            bindGroupLayouts: [bindings({ type: 'read-only-storage', minBindingSize: 2 }, { type: 'storage' })],
          }),
        ),
    ],
    'a group beyond the limit': [
      '4 is not under maxBindGroups',
      () => pipelineOf(device, 'double').getBindGroupLayout(4),
    ],
    rendering: [
      'RenderPipeline: this device computes only',
      () => device.createRenderPipeline({} as GPURenderPipelineDescriptor),
    ],
    'a texture': [
      'Texture: this device',
      () => device.createTexture({ size: [1], format: 'r8unorm', usage: 1 }).createView(),
    ],
    'a sampler': ['Sampler: this device', () => device.createSampler()],
    'occlusion queries': [
      'occlusion queries belong to rendering',
      () => device.createQuerySet({ type: 'occlusion', count: 1 }),
    ],
    'errors of a text': [
      'does not compile: 1:8: unknown nothing',
      () => device.createShaderModule({ code: 'double nothing' }),
    ],
  },
};

for (const [area, cases] of Object.entries(rules)) {
  describe(area, () => {
    it.each(Object.entries(cases))('%s', async (_, [message, steps]) => {
      expect(await errorOf(device, steps)).toContain(message);
    });
  });
}

describe('errors without a scope', () => {
  it('go to the nearest scope that wants them, else to the program', async () => {
    const heard: string[] = [];
    device.onuncapturederror = (event) => {
      event.preventDefault();
      heard.push(event.error.message);
    };
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    buffer(4, 0);
    buffer(4, 0x400);
    expect(await device.popErrorScope()).toBeNull();
    expect((await device.popErrorScope())?.message).toContain('usage 0x0');
    buffer(4, 0x800);
    await Promise.resolve();
    device.onuncapturederror = null;
    expect(heard).toEqual([expect.stringContaining('usage 0x800')]);
    await expect(device.popErrorScope()).rejects.toMatchObject({ name: 'OperationError' });
  });

  it('of pipelines made asynchronously reject', async () => {
    const module = device.createShaderModule({ code: 'double' });
    const made = device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
    await expect(made).rejects.toMatchObject({ name: 'GPUPipelineError', reason: 'validation' });
    const render = device.createRenderPipelineAsync({} as GPURenderPipelineDescriptor);
    await expect(render).rejects.toMatchObject({ name: 'GPUPipelineError', reason: 'validation' });
  });

  it('are TypeErrors where WebIDL converts', () => {
    expect(() => device.createBuffer({ size: -1, usage: 4 })).toThrow(TypeError);
    expect(() => device.createBuffer({ size: 6, usage: 4, mappedAtCreation: true })).toThrow(RangeError);
    expect(() => device.createBindGroup({} as GPUBindGroupDescriptor)).toThrow(TypeError);
    expect(() => device.queue.submit([{} as GPUCommandBuffer])).toThrow(TypeError);
    expect(() => device.pushErrorScope('other' as GPUErrorFilter)).toThrow(TypeError);
    expect(() => device.createQuerySet({ type: 'timestamp', count: 1 })).toThrow(TypeError);
  });
});
