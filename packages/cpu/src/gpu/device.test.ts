import { afterEach, describe, expect, it, vi } from 'vitest';
import { namingCompiler } from './compiler.testing.js';
import {
  closeTestDevices,
  dispatch,
  groupOf,
  openTestDevice,
  pipelineOf,
  readback,
  storage,
  U,
} from './device.testing.js';
import { Gpu } from './gpu.js';

afterEach(closeTestDevices);

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

describe.each([
  ['shared memory', true],
  ['one worker that owns the memory', false],
])('%s', (_, sharedMemory) => {
  it('doubles an array', async () => {
    const device = await openTestDevice({ sharedMemory });
    const from = storage(device, range(1000));
    const to = storage(device, new Uint32Array(1000));
    const pipeline = pipelineOf(device, 'double');
    dispatch(device, pipeline, groupOf(device, pipeline, from, to), 16);
    expect(await readback(device, to)).toEqual(range(1000).map((i) => i * 2));
  });

  it('keeps writes, submits and maps in the order of the calls', async () => {
    const device = await openTestDevice({ sharedMemory });
    const cell = storage(device, [0]);
    const copies = range(10).map(() => device.createBuffer({ size: 4, usage: U.MAP_READ | U.COPY_DST }));
    const pipeline = pipelineOf(device, 'add-one');
    const group = groupOf(device, pipeline, cell);
    const order: string[] = [];
    const maps = copies.map((copy, i) => {
      device.queue.writeBuffer(cell, 0, new Uint32Array([i * 100]));
      dispatch(device, pipeline, group, 1);
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(cell, copy);
      device.queue.submit([encoder.finish()]);
      void device.queue.onSubmittedWorkDone().then(() => order.push(`done ${i}`));
      return copy.mapAsync(1).then(() => {
        order.push(`map ${i}`);
        return new Uint32Array(copy.getMappedRange())[0];
      });
    });
    expect(await Promise.all(maps)).toEqual(range(10).map((i) => i * 100 + 1));
    expect(order).toEqual(range(10).flatMap((i) => [`done ${i}`, `map ${i}`]));
  });

  it('maps for writing, parts too, and detaches what it gave', async () => {
    const device = await openTestDevice({ sharedMemory });
    const source = device.createBuffer({ size: 64, usage: U.MAP_WRITE | U.COPY_SRC });
    await source.mapAsync(2, 8, 48);
    expect(source.mapState).toBe('mapped');
    const one = source.getMappedRange(8, 8);
    const two = source.getMappedRange(32, 16);
    expect(() => source.getMappedRange(40, 4)).toThrow('overlap');
    expect(() => source.getMappedRange(0, 8)).toThrow('not within those mapped');
    new Uint32Array(one).set([1, 2]);
    new Uint32Array(two).set([3, 4, 5, 6]);
    source.unmap();
    expect([one.byteLength, two.byteLength, source.mapState]).toEqual([0, 0, 'unmapped']);
    const to = storage(device, new Uint32Array(16));
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, to, 0, 64);
    device.queue.submit([encoder.finish()]);
    expect(await readback(device, to)).toEqual([0, 0, 1, 2, 0, 0, 0, 0, 3, 4, 5, 6, 0, 0, 0, 0]);
    await source.mapAsync(2);
    expect(new Uint32Array(source.getMappedRange(32, 8))).toEqual(new Uint32Array([3, 4]));
  });

  it('aborts a pending map when it is unmapped or destroyed', async () => {
    const device = await openTestDevice({ sharedMemory });
    const buffer = device.createBuffer({ size: 64, usage: U.MAP_READ | U.COPY_DST });
    const first = buffer.mapAsync(1);
    expect(buffer.mapState).toBe('pending');
    buffer.unmap();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    const second = buffer.mapAsync(1);
    buffer.destroy();
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('settles everything when it is destroyed while a kernel runs without end', async () => {
    const device = await openTestDevice({ sharedMemory });
    const cell = storage(device, [0]);
    const map = device.createBuffer({ size: 64, usage: U.MAP_READ | U.COPY_DST });
    const pipeline = pipelineOf(device, 'endless');
    dispatch(device, pipeline, groupOf(device, pipeline, cell), 8);
    const pending = [map.mapAsync(1), device.queue.onSubmittedWorkDone(), device.lost];
    device.pushErrorScope('validation');
    setTimeout(() => device.destroy(), 30);
    const [mapped, done, lost] = await Promise.allSettled(pending);
    expect(mapped).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
    expect(done).toMatchObject({ status: 'fulfilled' });
    expect(lost).toMatchObject({ status: 'fulfilled', value: { reason: 'destroyed' } });
    expect(await device.popErrorScope()).toBeNull();
    // Nothing happens to it any more, and nothing throws.
    const late = device.createBuffer({ size: 4, usage: U.MAP_READ | U.COPY_DST });
    await expect(late.mapAsync(1)).rejects.toMatchObject({ name: 'AbortError' });
    dispatch(device, pipeline, groupOf(device, pipeline, cell), 1);
    await device.queue.onSubmittedWorkDone();
    await expect(
      device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module: device.createShaderModule({ code: 'x' }) },
      }),
    ).resolves.toBeDefined();
  });

  it('is lost when a kernel fails, and says why', async () => {
    const device = await openTestDevice({ sharedMemory });
    const cell = storage(device, [0]);
    const pipeline = pipelineOf(device, 'trap');
    dispatch(device, pipeline, groupOf(device, pipeline, cell), 1);
    await device.queue.onSubmittedWorkDone();
    const { reason, message } = await device.lost;
    expect([reason, message]).toEqual(['unknown', expect.stringContaining('unreachable')]);
  });

  it('takes timestamps', async () => {
    const device = await openTestDevice({ sharedMemory }, { requiredFeatures: ['timestamp-query'] });
    const cell = storage(device, [0]);
    const pipeline = pipelineOf(device, 'add-one');
    const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
    const to = storage(device, [0, 0, 0, 0], U.QUERY_RESOLVE);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, groupOf(device, pipeline, cell));
    pass.dispatchWorkgroups(200_00);
    pass.end();
    encoder.resolveQuerySet(querySet, 0, 2, to, 0);
    device.queue.submit([encoder.finish()]);
    const [low0, high0, low1, high1] = (await readback(device, to)) as [number, number, number, number];
    const nanoseconds = (high1 - high0) * 2 ** 32 + low1 - low0;
    expect(nanoseconds).toBeGreaterThan(0);
  });

  it('gives memory again, zeroed, however a buffer is used first', async () => {
    const device = await openTestDevice({ sharedMemory });
    const usage = U.STORAGE | U.COPY_SRC | U.COPY_DST;
    const again = () => {
      const old = storage(device, new Uint32Array(1 << 20).fill(7));
      old.destroy();
      return device.createBuffer({ size: 1 << 22, usage });
    };
    await device.queue.onSubmittedWorkDone();
    const sum = async (buffer: GPUBuffer) => (await readback(device, buffer)).reduce((a, b) => a + b, 0);
    expect(await sum(again())).toBe(0);
    const written = again();
    device.queue.writeBuffer(written, 8, new Uint32Array([5]));
    expect(await sum(written)).toBe(5);
    const mapped = device.createBuffer({ size: 1 << 22, usage: U.MAP_READ | U.COPY_DST });
    await mapped.mapAsync(1);
    expect(new Uint32Array(mapped.getMappedRange()).some((value) => value !== 0)).toBe(false);
    const bound = again();
    const pipeline = pipelineOf(device, 'add-one');
    dispatch(device, pipeline, groupOf(device, pipeline, bound), 3);
    expect(await sum(bound)).toBe(3);
    for (let i = 0; i < 400; i++) device.createBuffer({ size: 1 << 24, usage }).destroy();
    expect(await sum(storage(device, [1, 2]))).toBe(3);
  });

  it('is destroyed while memory that was used before is mapped', async () => {
    const device = await openTestDevice({ sharedMemory });
    const [size, usage] = [1024, U.STORAGE | U.COPY_DST];
    device.createBuffer({ size, usage, mappedAtCreation: true }).destroy();
    await device.queue.onSubmittedWorkDone();
    const buffer = device.createBuffer({ size, usage, mappedAtCreation: true });
    const view = buffer.getMappedRange();
    device.destroy();
    expect(view.byteLength).toBe(0);
    expect(buffer.mapState).toBe('unmapped');
    expect((await device.lost).reason).toBe('destroyed');
  });

  it('dispatches by counts in a buffer, nothing where they are over the limit', async () => {
    const device = await openTestDevice({ sharedMemory });
    const from = storage(device, range(1000));
    const to = storage(device, new Uint32Array(1000));
    const counts = storage(device, [0, 2, 1, 1, 65536, 1, 1], U.INDIRECT);
    const pipeline = pipelineOf(device, 'double');
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, groupOf(device, pipeline, from, to));
    pass.dispatchWorkgroupsIndirect(counts, 4);
    pass.dispatchWorkgroupsIndirect(counts, 16);
    pass.end();
    device.queue.submit([encoder.finish()]);
    expect(await readback(device, to)).toEqual(range(1000).map((i) => (i < 128 ? i * 2 : 0)));
  });
});

it('compiles equal text, entry point and constants once', async () => {
  const compiler = namingCompiler();
  const device = await (await new Gpu(compiler, { threads: 1 }).requestAdapter())!.requestDevice();
  const module = device.createShaderModule({ code: 'double add-one' });
  const again = device.createShaderModule({ code: 'double add-one' });
  for (const shader of [module, again]) {
    device.createComputePipeline({ layout: 'auto', compute: { module: shader, entryPoint: 'double' } });
    await device.createComputePipelineAsync({ layout: 'auto', compute: { module: shader, entryPoint: 'add-one' } });
    device.createComputePipeline({
      layout: 'auto',
      compute: { module: shader, entryPoint: 'double', constants: { a: 1, b: 2 } },
    });
    device.createComputePipeline({
      layout: 'auto',
      compute: { module: shader, entryPoint: 'double', constants: { b: 2, a: 1 } },
    });
  }
  expect(compiler.compiled).toBe(3);
  for (const a of [0, -0, 0])
    device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'double', constants: { a } } });
  expect(compiler.compiled).toBe(5);
  device.destroy();
});

it('neither parses nor compiles again for the next device of the process what it knows', async () => {
  const compiler = namingCompiler();
  const parse = vi.spyOn(compiler, 'parse');
  for (const compiled of [2, 2, 3]) {
    const adapter = await new Gpu(compiler, { threads: 1 }).requestAdapter();
    const device = await adapter!.requestDevice();
    const module = device.createShaderModule({ code: 'double add-one' });
    expect(await module.getCompilationInfo()).toEqual({ messages: [] });
    for (const entryPoint of ['double', 'add-one'])
      await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } });
    if (compiled === 3)
      // of a text that is known, another program
      await device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module, entryPoint: 'double', constants: { a: 1 } },
      });
    expect(compiler.compiled).toBe(compiled);
    device.destroy();
  }
  expect(parse).toHaveBeenCalledTimes(2);
});

it('gives each adapter one device, with the limits that are asked for', async () => {
  const adapter = (await new Gpu(namingCompiler(), { threads: 3 }).requestAdapter())!;
  expect(adapter.info).toMatchObject({ vendor: 'paris', architecture: 'wasm', isFallbackAdapter: true });
  expect(adapter.info.description).toContain('3 threads');
  await expect(adapter.requestDevice({ requiredFeatures: ['depth-clip-control'] })).rejects.toBeInstanceOf(TypeError);
  await expect(adapter.requestDevice({ requiredLimits: { maxBufferSize: 2 ** 40 } })).rejects.toMatchObject({
    name: 'OperationError',
  });
  await expect(adapter.requestDevice({ requiredLimits: { maxNothing: 1 } })).rejects.toMatchObject({
    name: 'OperationError',
  });
  const device = await adapter.requestDevice({
    requiredLimits: { maxBufferSize: 2 ** 30, maxStorageBuffersPerShaderStage: 2, minStorageBufferOffsetAlignment: 64 },
  });
  const { maxBufferSize, maxStorageBuffersPerShaderStage, minStorageBufferOffsetAlignment, maxBindGroups } =
    device.limits;
  expect([maxBufferSize, maxStorageBuffersPerShaderStage, minStorageBufferOffsetAlignment, maxBindGroups]).toEqual([
    2 ** 30,
    8,
    64,
    4,
  ]);
  await expect(adapter.requestDevice()).rejects.toMatchObject({ name: 'OperationError' });
  device.destroy();
  expect(() => new Gpu(namingCompiler(), { threads: 0 })).toThrow('threads');
});

it('runs out of memory as WebGPU says', async () => {
  const device = await openTestDevice({}, { requiredLimits: { maxBufferSize: 2 ** 31 - 4 } });
  device.pushErrorScope('out-of-memory');
  const buffers = range(3).map(() => device.createBuffer({ size: 2 ** 31 - 4, usage: U.STORAGE }));
  const error = await device.popErrorScope();
  expect(error?.constructor.name).toBe('GPUOutOfMemoryError');
  expect(String(device.queue)).toBe('[object GPUQueue]');
  expect(error?.message).toContain('no memory for 2147483644 bytes');
  for (const buffer of buffers) buffer.destroy();
  device.pushErrorScope('out-of-memory');
  device.createBuffer({ size: 2 ** 30, usage: U.STORAGE });
  expect(await device.popErrorScope()).toBeNull();
});
