// What fails on a device, and what is left whole: tensors, counts, and the device itself unless it is gone.

import { requireCapability } from '@paris/test-tools';
import { describe, expect, it, type TestContext } from 'vitest';
import { compileProgram } from '../compile/program.js';
import { signatureOf } from '../compile/signature.js';
import { DeviceLostError, LimitError, OutOfMemoryError, type Tensor, zeros } from '../index.js';
import { adapterEnvironment, chooseAdapter } from '../node/adapters.js';
import { childProgram } from '../testing/child-program.testing.js';
import { useDevice } from '../testing/use-device.testing.js';
import { findAdapter } from './adapter.js';
import type { Device } from './device.js';
import { openDevice } from './open.js';
import { storageOf } from './storage.js';

const device = useDevice();
/** WebGPU's own, those that programs ask for. */
const defaultLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeWorkgroupsPerDimension: 65535,
};
const caught = (promise: Promise<unknown>) => promise.then(() => undefined).catch((error: unknown) => error);

async function newGpu(context: TestContext): Promise<GPUDevice> {
  device(context);
  return (await findAdapter()).adapter.requestDevice();
}

/**
 * Injected at the border of WebGPU: buffers of storage memory beyond `room` bytes fail as WebGPU says: the error comes
 * in the scope, a moment later. What the pool destroys makes room again.
 */
function limitMemory(gpu: GPUDevice, room: { bytes: number }): void {
  const create = gpu.createBuffer.bind(gpu);
  const pop = gpu.popErrorScope.bind(gpu);
  let refused = false;
  gpu.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    refused = descriptor.size > room.bytes;
    if (refused) return buffer;
    room.bytes -= descriptor.size;
    const destroy = buffer.destroy.bind(buffer);
    let there = true;
    buffer.destroy = () => {
      if (there) room.bytes += descriptor.size;
      there = false;
      destroy();
    };
    return buffer;
  };
  gpu.popErrorScope = async () => {
    const failed = refused;
    refused = false;
    const error = await pop();
    return failed ? ({ message: 'injected' } as GPUError) : error;
  };
}

const small = 256;
const mega = 2 ** 20;
const large = mega / 4; // elements of 1 MiB in f32

async function limited(context: TestContext, bytes: number): Promise<{ on: Device; room: { bytes: number } }> {
  const gpu = await newGpu(context);
  const room = { bytes };
  limitMemory(gpu, room);
  return { on: await openDevice({ device: gpu }), room };
}

describe('no room (injected at createBuffer)', () => {
  it('names what was wanted and the largest live tensors, and leaves arguments, counts and the device as they were', async (context) => {
    const { on } = await limited(context, 2.5 * mega);
    const step = on.compile((x: Tensor) => x.reshape([large, 1]).matmul(zeros([1, 2]).add(1)), { donate: [0] });
    const x = on.tensor(new Float32Array(large).fill(3));
    const others = [on.tensor([1, 2]), on.tensor([3, 4])];
    await x.read();
    const before = on.counters;
    const error = await caught(step(x));
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect((error as Error).message).toMatch(
      /^\[memory\] the device has no room for the result of matmul, f32 \[262144, 2\] \(2\.10 MB\) in addition to the \d\.\d+ MB in use\. The largest live tensors: 1 × f32 \[262144\] \(1\.05 MB\), 2 × f32 \[2\] \(16 B\)\. Dispose of tensors or use a smaller batch\.$/,
    );
    expect(on.counters.submits).toBe(before.submits);
    const grown = on.counters.buffersCreated - before.buffersCreated;
    expect(on.counters.bytesAllocated).toBeLessThanOrEqual(before.bytesAllocated + grown * small);
    expect((await x.read())[7]).toBe(3);
    expect(await others[1]!.add(1).read()).toEqual(new Float32Array([4, 5]));
    await on.close();
  });

  it('is tried once more when all free buffers have gone', async (context) => {
    const { on } = await limited(context, 2.5 * mega);
    for (const part of [2, 4, 8]) on.tensor(new Float32Array(large / part)).dispose(); // 0.875 MiB that are kept
    const x = on.tensor(new Float32Array(large));
    const y = await on.run(x.add(1));
    expect((await y.slice([[0, 2]]).read())[1]).toBe(1);
    await on.close();
  });

  it('of an upload: the tensor is an error wherever it is used, and nothing else is', async (context) => {
    const { on } = await limited(context, mega / 2);
    const x = on.tensor(new Float32Array(large));
    const [read, run] = await Promise.all([caught(x.read()), caught(on.run(x.add(1)))]);
    expect(read).toBeInstanceOf(OutOfMemoryError);
    expect(run).toBe(read);
    expect(await caught(x.mul(2).read())).toBe(read);
    expect((read as Error).message).toContain('no room for a tensor, f32 [262144] (1.05 MB)');
    x.dispose();
    expect(await on.tensor([1]).add(1).read()).toEqual(new Float32Array([2]));
    await on.close();
  });

  it('of a read: it rejects, and the next one works when there is room', async (context) => {
    const { on, room } = await limited(context, 1.25 * mega);
    const x = on.tensor(new Float32Array(large).fill(5));
    expect(await caught(x.read())).toBeInstanceOf(OutOfMemoryError);
    room.bytes += mega;
    expect((await x.read())[9]).toBe(5);
    await on.close();
  });
});

describe('no room (for real)', () => {
  // SwiftShader reports it. lavapipe ends the process where the host has no memory left, so it is not asked.
  it('throws OutOfMemoryError, and work that fits still runs', async (context) => {
    const adapter = await chooseAdapter({ adapter: 'swiftshader' }).catch(() => undefined);
    requireCapability(context, 'adapter', adapter !== undefined, 'SwiftShader does not run here');
    const child = await childProgram(`
      import { openDevice, zeros } from '@paris/tensor';
      const device = await openDevice();
      const x = device.tensor([1, 2]);
      const step = device.compile((x) => zeros([2 ** 28]).add(x.sum()), { donate: [0] });
      const before = device.counters;
      const error = await step(x).catch((e) => e);
      const { bytesAllocated } = device.counters;
      console.log(JSON.stringify([error.name, error.message, bytesAllocated < 2 ** 12, [...(await x.add(1).read())]]));
      await device.close();
    `);
    const printed = await child.run({ environment: adapterEnvironment(adapter!) });
    await child.remove();
    expect(JSON.parse(printed)).toEqual([
      'OutOfMemoryError',
      expect.stringMatching(
        /no room for the result of \w+, f32 \[268435456\] \(1\.07 GB\) .* tensors: 1 × f32 \[2\] \(8 B\)\./,
      ),
      true,
      [2, 3],
    ]);
  });
});

describe('a lost device', () => {
  it('rejects pending reads and the next step with one typed error, and nothing was donated', async (context) => {
    const gpu = await newGpu(context);
    const on = await openDevice({ device: gpu });
    const step = on.compile((x: Tensor) => x.mul(2), { donate: [0] });
    const x = await step(on.tensor([1, 2]));
    const pending = [caught(x.read()), caught(x.add(1).read())];
    gpu.destroy();
    const errors = await Promise.all([...pending, caught(step(x)), caught(x.read())]);
    for (const error of errors) expect(error).toBeInstanceOf(DeviceLostError);
    expect(new Set(errors).size).toBe(1);
    expect((errors[0] as Error).message).toMatch(/^\[device\] the GPU device was lost .*resume from a checkpoint\.$/s);
    expect(() => x.add(1), 'neither donated nor disposed').not.toThrow();
    expect(() => on.tensor([1])).toThrow(errors[0] as Error);
    await on.close();
  });

  it('while a plan is made: the call rejects with the same error and its arguments stay', async (context) => {
    const gpu = await newGpu(context);
    const on = await openDevice({ device: gpu });
    const x = on.tensor([
      [1, 2],
      [3, 4],
    ]); // prettier keeps rows
    const step = on.compile((a: Tensor) => a.matmul(a).square().sum(1), { donate: [0] });
    const calls = [caught(step(x)), caught(x.square().read())];
    gpu.destroy();
    const [first, second] = await Promise.all(calls);
    expect(first).toBeInstanceOf(DeviceLostError);
    expect(second).toBe(first);
    expect(() => x.add(1)).not.toThrow();
  });
});

describe('a command that the GPU refuses', () => {
  it('rejects the next step and later reads with one error, which is ours', async (context) => {
    const gpu = await newGpu(context);
    const on = await openDevice({ device: gpu });
    const step = on.compile((x: Tensor) => x.mul(2), { donate: [0] });
    const x = on.tensor([1, 2]);
    await x.read();
    gpu.queue.submit([gpu.createCommandEncoder().finish()]);
    gpu.queue.writeBuffer(storageOf(x)!.buffer.gpu, 4096, new Uint32Array(1)); // beyond its end
    await gpu.queue.onSubmittedWorkDone();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const [a, b] = [await caught(step(x)), await caught(x.read())];
    expect(a).toBeInstanceOf(DeviceLostError);
    expect(b).toBe(a);
    expect((a as Error).message).toMatch(/^\[device\] internal: the GPU refused a command\. /);
    expect(() => x.add(1)).not.toThrow();
    await on.close();
  });
});

describe('limits', () => {
  it('of a binding: says the op, the shape and the bytes, before anything runs or is donated', async (context) => {
    const on = await openDevice({ device: await newGpu(context) }); // WebGPU's default limits: 128 MiB
    const step = on.compile((x: Tensor) => x.reshape([2, 1]).matmul(zeros([1, 2 ** 25]).add(x.sum())), { donate: [0] });
    const x = on.tensor([1, 2]);
    const before = on.counters;
    const error = await caught(step(x));
    expect(error).toBeInstanceOf(LimitError);
    expect((error as Error).message).toMatch(
      /^\[\w+\] a tensor of shape \[\d, 33554432\] takes (134217728|268435456) bytes, and this adapter binds at most 134217728\. Use a smaller batch or split the tensor\.$/,
    );
    expect(on.counters).toEqual(before);
    expect(await x.read()).toEqual(new Float32Array([1, 2]));
    await on.close();
  });

  it('of a buffer', async (context) => {
    const on = await openDevice({ device: await newGpu(context) });
    const { maxBufferSize } = on.gpu.limits;
    expect(() => on.pool.create(maxBufferSize + 256, 'a tensor')).toThrow(LimitError);
    expect(() => on.pool.create(maxBufferSize + 256, 'a tensor')).toThrow(
      `[memory] a tensor takes ${maxBufferSize + 256} bytes in one buffer, and this adapter allows ${maxBufferSize}. Use a smaller batch or model.`,
    );
    expect(on.counters).toMatchObject({ buffersCreated: 0, bytesAllocated: 0 });
    await on.close();
  });

  it('of a kernel, and a missing feature: say the op, what it makes, and what to do', (context) => {
    const on = device(context);
    const a = on.tensor(new Float32Array(512), { shape: [1, 512] });
    const b = on.tensor(new Float32Array(512), { shape: [512, 1] });
    const compile = (tensor: Tensor, changed: Partial<typeof defaultLimits>, f16 = true) => {
      const { leaves } = signatureOf([tensor]);
      const target = { adapter: on.adapter, limits: { ...defaultLimits, ...changed }, f16 };
      return () => compileProgram([tensor], leaves, target);
    };
    expect(compile(b.matmul(a), {})).not.toThrow();
    expect(compile(b.matmul(a), { maxComputeWorkgroupsPerDimension: 1 })).toThrow(
      /^\[matmul\] making f32 \[512, 512\] takes .* workgroups, and this adapter runs at most 1 a dimension\. Use a smaller batch\.$/,
    );
    expect(compile(a.matmul(b), { maxStorageBuffersPerShaderStage: 2 })).toThrow(
      '[matmul] the kernel that makes f32 [1, 1] would bind 3 buffers, and this adapter binds at most 2. Join fewer tensors at once.',
    );
    expect(compile(a.cast('f16'), {}, false)).toThrow(
      '[cast] this adapter has no f16 (the feature shader-f16), and making f16 [1, 512] needs it. Use f32.',
    );
    expect(compile(a.add(b), { maxStorageBufferBindingSize: 2 ** 19 })).toThrow(LimitError);
  });

  it('of buffers a kernel: many tensors at once still run, in kernels that fit', async (context) => {
    const on = await openDevice({ device: await newGpu(context) }); // 8 by default
    const inputs = Array.from({ length: 20 }, (_, i) => on.tensor([i, 1]));
    const sum = inputs.slice(1).reduce((total, x) => total.add(x), inputs[0]!);
    expect(await sum.read()).toEqual(new Float32Array([190, 20]));
    await on.close();
  });

  it('of workgroups a dimension: an elementwise graph over 2 ** 25 elements runs', async (context) => {
    const on = await openDevice({ device: await newGpu(context) });
    const x = await on.run(zeros([2 ** 25]).add(1));
    expect(await x.sum().item()).toBe(2 ** 25);
    await on.close();
  });
});
