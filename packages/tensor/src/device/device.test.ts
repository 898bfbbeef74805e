import { inspect } from 'node:util';
import { requireCapability } from '@paris/test-tools';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  DisposedTensorError,
  DTypeError,
  exp,
  rematerialise,
  ShapeError,
  scalar,
  type Tensor,
  TraceError,
  ValueError,
} from '../index.js';
import { applyOp, pointwise } from '../ops/define/op.js';
import { useDevice } from '../testing/use-device.testing.js';
import { findAdapter } from './adapter.js';
import { openDevice } from './open.js';

const device = useDevice();

describe('data', () => {
  it('enters from numbers, lists and typed arrays, and reads back by dtype', async (context) => {
    const on = device(context);
    expect(await on.tensor(2.5).read()).toEqual(new Float32Array([2.5]));
    const nested = on.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]); // prettier keeps rows
    expect([nested.shape, nested.dtype, nested.size, nested.rank]).toEqual([[2, 3], 'f32', 6, 2]);
    expect(await nested.read()).toEqual(new Float32Array([1, 2, 3, 4, 5, 6]));
    expect(await on.tensor(new Int32Array([-1, 7])).read()).toEqual(new Int32Array([-1, 7]));
    expect(await on.tensor(new Uint32Array([4294967295])).read()).toEqual(new Uint32Array([4294967295]));
    expect(await on.tensor([0, 2, -1], { dtype: 'bool' }).read()).toEqual(new Uint32Array([0, 1, 1]));
    expect(await on.tensor([], { shape: [0, 3] }).read()).toEqual(new Float32Array([]));
  });

  it('in f16 reads as Float32Array, rounded to halves', async (context) => {
    const on = device(context);
    requireCapability(context, 'f16', on.hasFeature('shader-f16'), 'the adapter has no shader-f16');
    const x = on.tensor([1, 1 / 3, 65504], { dtype: 'f16' });
    expect(await x.read()).toEqual(new Float32Array([1, 0.333251953125, 65504]));
    expect(await x.mul(0.5).read()).toEqual(new Float32Array([0.5, 0.1666259765625, 32752]));
  });

  it('that does not fit its shape is refused', (context) => {
    const on = device(context);
    expect(() => on.tensor([[1, 2], [3]])).toThrow(ShapeError);
    expect(() => on.tensor([[1, 2], [3]])).toThrow(
      '[tensor] the list is ragged: 1 entries where 2 were expected. Make',
    );
    expect(() => on.tensor(new Float32Array(3), { shape: [2, 2] })).toThrow(
      '[tensor] 3 numbers do not fill [2, 2], which takes 4.',
    );
    expect(() => on.tensor('a' as never)).toThrow(DTypeError);
  });

  it('makes trees of tensors, and leaves tensors alone', async (context) => {
    const on = device(context);
    const x = on.tensor(1);
    const tree = on.tensors({ a: [1, 2], b: { data: new Float32Array(4), shape: [2, 2] }, c: [[1], [2]], d: [x], x });
    expect([tree.a.shape, tree.b.shape, tree.c.shape, tree.x === x]).toEqual([[2], [2, 2], [2, 1], true]);
    expectTypeOf(tree).toEqualTypeOf<{ a: Tensor; b: Tensor; c: Tensor; d: Tensor[]; x: Tensor }>();
  });
});

describe('a lazy graph', () => {
  it('runs nothing until it is read, and then only what is needed, once', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2, 3]);
    const before = on.counters;
    const y = x.add(10).mul(x);
    const unused = exp(x);
    expect(on.counters).toEqual(before);
    expect(await y.read()).toEqual(new Float32Array([11, 24, 39]));
    const after = on.counters;
    expect(after.dispatches - before.dispatches).toBe(1);
    await y.read();
    expect(on.counters.dispatches).toBe(after.dispatches);
    unused.dispose();
  });

  it('run() computes every leaf of a tree in one submit', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2, 3, 4]);
    const tree = { a: x.mul(2), list: [x.sum(), x.reshape([2, 2]).matmul(x.reshape([2, 2]))], x };
    const before = on.counters;
    expect(await on.run(tree)).toBe(tree);
    expect(on.counters.submits - before.submits).toBe(1);
    const dispatched = on.counters.dispatches;
    expect(await tree.a.read()).toEqual(new Float32Array([2, 4, 6, 8]));
    expect(await tree.list[0]!.item()).toBe(10);
    expect(await tree.list[1]!.read()).toEqual(new Float32Array([7, 10, 15, 22]));
    expect(on.counters.dispatches).toBe(dispatched);
  });

  it('continues from what was run: a result is a buffer, not its history', async (context) => {
    const on = device(context);
    let x = on.tensor([1, 2]);
    for (let i = 0; i < 5; i++) {
      const next = x.mul(2);
      await on.run(next);
      x.dispose();
      x = next;
    }
    expect(await x.read()).toEqual(new Float32Array([32, 64]));
  });

  it('takes a result that was run as it is, also next to another result of the same op', async (context) => {
    const on = device(context);
    const both = rematerialise((x: Tensor) => [x.mul(2), x.add(1)] as const);
    const [doubled, next] = both(on.tensor([3, 4]));
    await on.run(doubled);
    expect(await next.mul(10).add(doubled).read()).toEqual(new Float32Array([46, 58]));
    const [first, second] = both(on.tensor([3, 4]));
    await on.run(first);
    expect(await first.mul(10).add(second).read()).toEqual(new Float32Array([64, 85]));
  });

  it('takes numbers as operands: another number makes no pipeline', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2]);
    expect(await x.add(2).read()).toEqual(new Float32Array([3, 4]));
    const { pipelinesCreated } = on.counters;
    expect(await x.add(3).read()).toEqual(new Float32Array([4, 5]));
    expect(await x.add(-1.5).read()).toEqual(new Float32Array([-0.5, 0.5]));
    expect(on.counters.pipelinesCreated).toBe(pipelinesCreated);
  });

  it('keeps two operands apart, and the same operand used twice together', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2]);
    expect(await x.mul(2).add(x.mul(3)).read()).toEqual(new Float32Array([5, 10]));
    const two = scalar(2);
    expect(await x.mul(two).add(two).read()).toEqual(new Float32Array([4, 6]));
    expect(await on.run(scalar(7)).then((t) => on.download(t))).toEqual(new Float32Array([7]));
  });

  it('of no device says so', async (context) => {
    device(context);
    await expect(scalar(1).add(scalar(2)).read()).rejects.toThrow(ValueError);
  });
});

describe('memory', () => {
  it('that is not wanted any more before its data is there may go', async (context) => {
    device(context); // there is an adapter
    const on = await openDevice(); // the others' pool stays empty
    const data = new Float32Array(2 ** 24).fill(3);
    const unused = Array.from({ length: 9 }, () => on.tensor(data)); // 576 MiB: more than is kept for reuse
    for (const tensor of unused) tensor.dispose();
    const x = on.tensor([1, 2]);
    expect([...(await x.mul(2).read())]).toEqual([2, 4]);
    expect([...(await x.add(1).read())]).toEqual([2, 3]); // no command was refused
    await on.close();
  });

  it('is given back by dispose, and a disposed tensor says so', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2, 3]);
    const later = x.mul(2);
    x.dispose();
    x.dispose();
    expect(() => x.add(1)).toThrow(DisposedTensorError);
    await expect(x.read()).rejects.toThrow('[read] the tensor was disposed before. Dispose it after its last use.');
    await expect(later.read()).rejects.toThrow(DisposedTensorError);
  });

  it('of a view or a clone outlives what it was made of', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2, 3, 4]);
    const views = [x.reshape([2, 2]), x.clone(), x.slice([[0, 2]])];
    await on.run(views);
    x.dispose();
    const other = on.tensor([9, 9, 9, 9]);
    expect(await views[0]!.read()).toEqual(new Float32Array([1, 2, 3, 4]));
    expect(await views[1]!.read()).toEqual(new Float32Array([1, 2, 3, 4]));
    expect(await views[2]!.read()).toEqual(new Float32Array([1, 2]));
    other.dispose();
  });

  it('is used again: a loop that disposes creates no buffer after its first round', async (context) => {
    const on = device(context);
    const x = on.tensor(new Float32Array(1000).fill(1));
    const round = async () => {
      const y = x.mul(2).sum();
      expect(await y.item()).toBe(2000);
      y.dispose();
    };
    await round();
    const { buffersCreated } = on.counters;
    for (let i = 0; i < 5; i++) await round();
    expect(on.counters.buffersCreated).toBe(buffersCreated);
  });

  it('a read asked for before dispose still sees the elements', async (context) => {
    const on = device(context);
    const x = on.tensor([1, 2]);
    const reading = x.read();
    x.dispose();
    const overwriting = on.tensor([5, 6]);
    expect(await reading).toEqual(new Float32Array([1, 2]));
    overwriting.dispose();
  });
});

describe('a device', () => {
  it('tells what it is', (context) => {
    const { info } = device(context);
    expect(info.adapter).not.toBe('');
    // That of @paris/cpu names its threads, which change no result.
    expect(info.fingerprint).toContain(info.vendor === 'paris' ? '|paris|' : info.adapter);
    expect([...info.features].sort()).toEqual([...info.features]);
  });

  it('outlives a kernel that does not compile, which is an error of its graph', async (context) => {
    const on = device(context);
    const broken = pointwise({
      name: 'broken',
      cost: 1,
      infer: ([x]) => [x!],
      emit: () => 'no such name',
      vjp: { none: 'broken', zero: true },
    });
    const x = on.tensor([1, 2]);
    const graph = applyOp(broken, [x]);
    await expect(graph.read()).rejects.toThrow(/\[broken\] the kernel does not compile: .*no/s);
    expect(await x.add(1).read()).toEqual(new Float32Array([2, 3]));
  });

  it('without f16 says so, and still works', async (context) => {
    device(context);
    const { adapter } = await findAdapter();
    const on = await openDevice({ device: await adapter.requestDevice() });
    await expect(on.tensor([1]).cast('f16').read()).rejects.toThrow(
      '[cast] this adapter has no f16 (the feature shader-f16), and making f16 [1] needs it. Use f32.',
    );
    expect(() => on.tensor([1], { dtype: 'f16' })).toThrow('[tensor] this adapter has no f16');
    expect(await on.tensor([1]).add(1).read()).toEqual(new Float32Array([2]));
    await on.close();
  });

  it('prints of a tensor what it is, not the graph that it is a part of', (context) => {
    const x = device(context)
      .tensor([
        [1, 2, 3],
        [4, 5, 6],
      ])
      .add(1)
      .square();
    expect(`${x}`).toBe('Tensor f32 [2, 3]');
    expect(inspect({ x })).toBe('{ x: Tensor f32 [2, 3] }');
    expect(JSON.stringify([x])).toBe('["Tensor f32 [2, 3]"]');
  });

  it('refuses tensors of another device, and work after close()', async (context) => {
    const on = device(context);
    const other = await openDevice();
    const x = other.tensor([1]);
    expect(() => x.add(on.tensor([2]))).toThrow('[add] the tensors belong to two devices.');
    const fn = on.compile((a: Tensor) => a.add(1));
    await expect(fn(x)).rejects.toThrow(
      '[run] the graph needs a tensor of another device. Read it there and upload it here.',
    );
    await other.close();
    await other.close();
    await expect(x.read()).rejects.toThrow('[device] the device was closed. Open a new one with openDevice().');
    expect(() => other.tensor(1)).toThrow('closed');
  });

  it('does not run while a function is traced', async (context) => {
    const on = device(context);
    const x = on.tensor([1]);
    let inside: Promise<unknown> | undefined;
    const traced = on.compile((t: Tensor) => {
      inside = on.run(t.add(1)).catch((error: unknown) => error);
      return t.mul(2);
    });
    await traced(x);
    expect(await inside).toBeInstanceOf(TraceError);
  });
});
