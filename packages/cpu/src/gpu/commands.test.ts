// What is refused when commands are recorded and submitted: one entry a rule of the specification, what is done and the
// error that names it. `finish` means that the error waits for finish(), as errors of encoders do.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  closeTestDevices,
  errorOf,
  groupOf,
  openTestDevice,
  pipelineOf,
  readback,
  storage,
  U,
} from './device.testing.js';

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice({ threads: 1 });
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

/** Records with an encoder; the error is finish()'s. */
function finish(steps: (encoder: GPUCommandEncoder) => void): () => void {
  return () => {
    const encoder = device.createCommandEncoder();
    steps(encoder);
    encoder.finish();
  };
}

/** Records with a pass. */
function pass(steps: (pass: GPUComputePassEncoder) => void): () => void {
  return finish((encoder) => {
    const begun = encoder.beginComputePass();
    steps(begun);
    begun.end();
  });
}

/** A dispatch of `double` with what is bound to input and output. */
function doubled(input: GPUBufferBinding, output: GPUBufferBinding): () => void {
  return pass((begun) => {
    const layout = bindings({ type: 'read-only-storage' }, { type: 'storage' });
    begun.setPipeline(pipelineOf(device, 'double', device.createPipelineLayout({ bindGroupLayouts: [layout] })));
    begun.setBindGroup(0, group(layout, input, output));
    begun.dispatchWorkgroups(1);
  });
}

const rules: Record<string, Record<string, [message: string, steps: () => void]>> = {
  encoders: {
    'a copy from a buffer to itself': [
      'both source and destination',
      finish((encoder) => {
        const one = values(4);
        encoder.copyBufferToBuffer(one, 0, one, 8, 4);
      }),
    ],
    'a copy without usage': [
      'lacks the usage COPY_DST',
      finish((encoder) => encoder.copyBufferToBuffer(values(1), buffer(4, U.STORAGE))),
    ],
    'a copy of two bytes': [
      'size 2 is not a multiple of 4',
      finish((encoder) => encoder.copyBufferToBuffer(values(1), 0, values(1), 0, 2)),
    ],
    'a copy beyond the end': [
      'bytes 8 to 12 are not within the 8',
      finish((encoder) => encoder.copyBufferToBuffer(values(4), 4, values(2), 8, 4)),
    ],
    'a clear at an odd offset': [
      'offset 2 is not a multiple of 4',
      finish((encoder) => encoder.clearBuffer(values(1), 2, 0)),
    ],
    'a clear beyond the end': ['offset 8 is not within', finish((encoder) => encoder.clearBuffer(values(1), 8))],
    'a pass that has not ended': ['a pass that has not ended', finish((encoder) => encoder.beginComputePass())],
    'commands outside a pass': [
      'copyBufferToBuffer: [CommandEncoder] has a pass',
      finish((encoder) => {
        const begun = encoder.beginComputePass();
        encoder.copyBufferToBuffer(values(1), values(1));
        begun.end();
      }),
    ],
    'a pass ended twice': [
      'end: [ComputePassEncoder] has ended',
      () => {
        const begun = device.createCommandEncoder().beginComputePass();
        begun.end();
        begun.end();
      },
    ],
    'finish twice': [
      'finish: [CommandEncoder] has ended',
      () => {
        const encoder = device.createCommandEncoder();
        encoder.finish();
        encoder.finish();
      },
    ],
    'commands after finish': [
      'clearBuffer: [CommandEncoder] has ended',
      () => {
        const encoder = device.createCommandEncoder();
        encoder.finish();
        encoder.clearBuffer(values(1));
      },
    ],
    'an open debug group': ['1 debug groups are open', finish((encoder) => encoder.pushDebugGroup('a'))],
    'a debug group of a pass': ['1 debug groups are open', pass((begun) => begun.pushDebugGroup('a'))],
    'a debug group never opened': ['no debug group is open', finish((encoder) => encoder.popDebugGroup())],
    rendering: ['RenderPass: this device', finish((encoder) => encoder.beginRenderPass({ colorAttachments: [] }))],
  },
  passes: {
    'no pipeline': ['no pipeline is set', pass((begun) => begun.dispatchWorkgroups(1))],
    'no bind group': [
      'no bind group is set for group 0',
      pass((begun) => {
        begun.setPipeline(pipelineOf(device, 'add-one'));
        begun.dispatchWorkgroups(1);
      }),
    ],
    'too many workgroups': [
      'a dimension has 65535 at most',
      pass((begun) => {
        const pipeline = pipelineOf(device, 'add-one');
        begun.setPipeline(pipeline);
        begun.setBindGroup(0, groupOf(device, pipeline, values(1)));
        begun.dispatchWorkgroups(1, 65536);
      }),
    ],
    'a group of another default layout': [
      'fits its own pipeline only',
      pass((begun) => {
        begun.setPipeline(pipelineOf(device, 'add-one'));
        begun.setBindGroup(0, groupOf(device, pipelineOf(device, 'add-one'), values(1)));
        begun.dispatchWorkgroups(1);
      }),
    ],
    'an incompatible group': [
      'the layouts differ',
      pass((begun) => {
        const layout = bindings({ type: 'read-only-storage' }, { type: 'storage' });
        begun.setPipeline(pipelineOf(device, 'double', device.createPipelineLayout({ bindGroupLayouts: [layout] })));
        begun.setBindGroup(0, group(bindings({ type: 'storage' }), values(1)));
        begun.dispatchWorkgroups(1);
      }),
    ],
    'too little bound': [
      '12 bytes of [Buffer] are bound',
      pass((begun) => {
        const layout = device.createBindGroupLayout({
          entries: [{ binding: 1, visibility: COMPUTE, buffer: { type: 'storage' } }],
        });
        begun.setPipeline(pipelineOf(device, 'scratch', device.createPipelineLayout({ bindGroupLayouts: [layout] })));
        begun.setBindGroup(
          0,
          device.createBindGroup({ layout, entries: [{ binding: 1, resource: { buffer: values(3) } }] }),
        );
        begun.dispatchWorkgroups(1);
      }),
    ],
    'too little bound for a default layout': [
      'the layout asks for 16',
      () => groupOf(device, pipelineOf(device, 'scratch'), values(3)),
    ],
    'a dynamic offset too many': [
      '1 dynamic offsets are given, 0',
      pass((begun) => begun.setBindGroup(0, group(bindings({ type: 'storage' }), values(1)), [0])),
    ],
    'an odd dynamic offset': [
      'dynamic offset 32',
      pass((begun) => {
        begun.setBindGroup(
          0,
          group(bindings({ type: 'storage', hasDynamicOffset: true }), { buffer: values(64), size: 4 }),
          [32],
        );
      }),
    ],
    'a dynamic offset beyond the end': [
      'it ends at 516',
      pass((begun) => {
        begun.setBindGroup(
          0,
          group(bindings({ type: 'storage', hasDynamicOffset: true }), { buffer: values(128), size: 260 }),
          [256],
        );
      }),
    ],
    'reading and writing one buffer': [
      'bound both as storage that is written and as read-only-storage',
      () => {
        const one = values(128);
        doubled({ buffer: one, size: 4 }, { buffer: one, offset: 256 })();
      },
    ],
    'writing overlapping ranges': [
      'write overlapping ranges',
      pass((begun) => {
        const layout = bindings({ type: 'storage' }, { type: 'storage' });
        const one = values(128);
        begun.setPipeline(pipelineOf(device, 'add-one', device.createPipelineLayout({ bindGroupLayouts: [layout] })));
        begun.setBindGroup(0, group(layout, { buffer: one }, { buffer: one, offset: 256 }));
        begun.dispatchWorkgroups(1);
      }),
    ],
    'counts that the dispatch writes': [
      'holds the counts',
      pass((begun) => {
        const one = storage(device, [1, 1, 1], U.INDIRECT);
        const pipeline = pipelineOf(device, 'add-one');
        begun.setPipeline(pipeline);
        begun.setBindGroup(0, groupOf(device, pipeline, one));
        begun.dispatchWorkgroupsIndirect(one, 0);
      }),
    ],
    'counts without usage': [
      'lacks the usage INDIRECT',
      pass((begun) => {
        const pipeline = pipelineOf(device, 'add-one');
        begun.setPipeline(pipeline);
        begun.setBindGroup(0, groupOf(device, pipeline, values(1)));
        begun.dispatchWorkgroupsIndirect(values(3), 0);
      }),
    ],
  },
  queue: {
    'a command buffer twice': [
      'was submitted before',
      () => {
        const commands = device.createCommandEncoder().finish();
        device.queue.submit([commands]);
        device.queue.submit([commands]);
      },
    ],
    'one command buffer twice in a submit': [
      'occurs twice',
      () => {
        const commands = device.createCommandEncoder().finish();
        device.queue.submit([commands, commands]);
      },
    ],
    'a destroyed buffer': [
      '[Buffer] is destroyed',
      () => {
        const one = values(1);
        const encoder = device.createCommandEncoder();
        encoder.clearBuffer(one);
        one.destroy();
        device.queue.submit([encoder.finish()]);
      },
    ],
    'a destroyed buffer of a bind group': [
      '[Buffer] is destroyed',
      () => {
        const one = values(1);
        const pipeline = pipelineOf(device, 'add-one');
        const encoder = device.createCommandEncoder();
        const begun = encoder.beginComputePass();
        begun.setBindGroup(0, groupOf(device, pipeline, one));
        begun.end();
        one.destroy();
        device.queue.submit([encoder.finish()]);
      },
    ],
    'a mapped buffer': [
      '[Buffer] is mapped',
      () => {
        const one = buffer(8, U.MAP_READ | U.COPY_DST);
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer(values(2), one);
        one.mapAsync(1).catch(() => {});
        device.queue.submit([encoder.finish()]);
        one.destroy();
      },
    ],
    'a write to a mapped buffer': [
      '[Buffer] is mapped',
      () => {
        device.queue.writeBuffer(
          device.createBuffer({ size: 4, usage: U.COPY_DST, mappedAtCreation: true }),
          0,
          new Uint8Array(4),
        );
      },
    ],
    'a write beyond the end': [
      'bytes 4 to 12 are not within the 8',
      () => device.queue.writeBuffer(values(2), 4, new Uint8Array(8)),
    ],
    'a write without usage': [
      'lacks the usage COPY_DST',
      () => device.queue.writeBuffer(buffer(4, U.STORAGE), 0, new Uint8Array(4)),
    ],
    'a write at an odd offset': ['bufferOffset 2', () => device.queue.writeBuffer(values(2), 2, new Uint8Array(4))],
    'a texture': [
      'writeTexture',
      () => device.queue.writeTexture({} as GPUTexelCopyTextureInfo, new Uint8Array(4), {}, [1]),
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

describe('what is allowed', () => {
  it('writes two ranges of one buffer that do not overlap', async () => {
    const layout = bindings({ type: 'storage' }, { type: 'storage' });
    const one = values(128);
    const error = await errorOf(device, () => {
      const encoder = device.createCommandEncoder();
      const begun = encoder.beginComputePass();
      begun.setPipeline(pipelineOf(device, 'add-one', device.createPipelineLayout({ bindGroupLayouts: [layout] })));
      begun.setBindGroup(0, group(layout, { buffer: one, size: 256 }, { buffer: one, offset: 256 }));
      begun.dispatchWorkgroups(3);
      begun.end();
      device.queue.submit([encoder.finish()]);
    });
    expect(error).toBe('');
    expect((await readback(device, one))[64]).toBe(3);
  });

  it('applies dynamic offsets in the order of the bindings', async () => {
    const layout = bindings(
      { type: 'read-only-storage', hasDynamicOffset: true },
      { type: 'storage', hasDynamicOffset: true },
    );
    const from = storage(
      device,
      Array.from({ length: 128 }, (_, i) => i),
    );
    const to = values(128);
    const error = await errorOf(device, () => {
      const encoder = device.createCommandEncoder();
      const begun = encoder.beginComputePass();
      begun.setPipeline(pipelineOf(device, 'double', device.createPipelineLayout({ bindGroupLayouts: [layout] })));
      const bound = group(layout, { buffer: from, size: 16 }, { buffer: to, size: 16 });
      begun.setBindGroup(0, bound, [256, 0]);
      begun.dispatchWorkgroups(1);
      begun.setBindGroup(0, bound, new Uint32Array([9, 0, 256, 9]), 1, 2);
      begun.dispatchWorkgroups(1);
      begun.end();
      device.queue.submit([encoder.finish()]);
    });
    expect(error).toBe('');
    const out = await readback(device, to);
    expect([out.slice(0, 5), out.slice(64, 69)]).toEqual([
      [128, 130, 132, 134, 0],
      [0, 2, 4, 6, 0],
    ]);
  });

  it('takes one bind group for pipelines with equal layouts', async () => {
    const entries = [{ type: 'read-only-storage' }, { type: 'storage' }] as const;
    const pipelines = [0, 1].map(() =>
      pipelineOf(device, 'double', device.createPipelineLayout({ bindGroupLayouts: [bindings(...entries)] })),
    );
    const bound = group(bindings(...entries), storage(device, [21]), values(1));
    const run = pass((begun) => {
      begun.setBindGroup(0, bound);
      for (const pipeline of pipelines) {
        begun.setPipeline(pipeline);
        begun.dispatchWorkgroups(1);
      }
    });
    expect(await errorOf(device, run)).toBe('');
  });

  it('takes every form of writeBuffer', async () => {
    const to = values(6);
    const floats = new Uint32Array([1, 2, 3, 4]);
    device.queue.writeBuffer(to, 0, floats, 1, 2);
    device.queue.writeBuffer(to, 8, floats.buffer, 8);
    device.queue.writeBuffer(to, 16, new DataView(floats.buffer, 4), 4, 4);
    const shared = new Uint32Array(new SharedArrayBuffer(4)).fill(9);
    device.queue.writeBuffer(to, 20, shared as unknown as GPUAllowSharedBufferSource);
    expect(await readback(device, to)).toEqual([2, 3, 3, 4, 3, 9]);
    expect(() => device.queue.writeBuffer(to, 0, floats, 3, 2)).toThrow('not within the 16');
    expect(() => device.queue.writeBuffer(to, 0, new Uint8Array(3))).toThrow('not a multiple of 4');
  });
});
