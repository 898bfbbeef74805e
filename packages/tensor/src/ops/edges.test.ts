// Nothing, constants, and more than a kernel binds: they have a value or a sentence of ours, never somebody else's error.
import { expect, it } from 'vitest';
import {
  argmax,
  attention,
  concat,
  grad,
  layerNorm,
  matmul,
  maximum,
  pad,
  rmsNorm,
  softmax,
  stack,
  type Tensor,
  valueAndGrad,
} from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';

const device = useDevice();
const infinity = Number.POSITIVE_INFINITY;

it('gradients that are constants belong to the device of their parameters', async (context) => {
  const on = device(context);
  const x = on.tensor([1, 2, 3]);
  expect(await grad((p: Tensor) => p.sum())(x).read()).toEqual(Float32Array.of(1, 1, 1));
  expect(await grad((p: Tensor) => p.slice([[1, 2]]).sum())(x).read()).toEqual(Float32Array.of(0, 1, 0));
  const [value, both] = valueAndGrad(({ used }: { used: Tensor; unused: Tensor }) => used.mul(2).sum())({
    used: x,
    unused: x,
  });
  expect(await value.item()).toBe(12);
  expect(await both.unused.read()).toEqual(Float32Array.of(0, 0, 0));
  expect(await both.used.read()).toEqual(Float32Array.of(2, 2, 2));
});

it('a product over nothing is zeros', async (context) => {
  const on = device(context);
  const [a, b] = [on.tensor([], { shape: [2, 0] }), on.tensor([], { shape: [0, 3] })];
  expect(await a.matmul(b).read()).toEqual(new Float32Array(6));
  const [byA, byB] = grad(([p, q]: readonly [Tensor, Tensor]) => p.matmul(q).sum())([a, b]);
  expect([byA.shape, byB.shape]).toEqual([a.shape, b.shape]);
  expect(await byA.read()).toEqual(new Float32Array(0));
  expect(await argmax(on.tensor([5]), []).read()).toEqual(Uint32Array.of(0));
});

it('norms and attention of nothing', async (context) => {
  const on = device(context);
  const nothing = on.tensor([], { shape: [2, 0] });
  for (const result of [layerNorm(nothing), rmsNorm(nothing), softmax(nothing)]) {
    expect(result.shape).toEqual([2, 0]);
    expect(await result.read()).toEqual(new Float32Array(0));
  }
  const empty = (shape: number[]) => on.tensor([], { shape });
  const queries = on.tensor(new Float32Array(8), { shape: [1, 2, 1, 4] });
  const seen = attention(queries, empty([1, 0, 1, 4]), empty([1, 0, 1, 4]));
  expect(seen.shape).toEqual([1, 2, 1, 4]);
  expect(await seen.read()).toEqual(new Float32Array(8)); // as of a query that sees no key
});

it('40 tensors are joined, and their gradients cut apart', async (context) => {
  const on = device(context);
  const parts = Array.from({ length: 40 }, (_, i) => on.tensor([i, i + 0.5]));
  const want = parts.flatMap((_, i) => [i, i + 0.5]);
  expect(await concat(parts).read()).toEqual(Float32Array.from(want));
  expect((await stack(parts).add(1).read())[79]).toBe(40.5);
  const weights = on.tensor(Float32Array.from({ length: 80 }, (_, i) => i));
  const slopes = grad((list: Tensor[]) => concat(list).mul(weights).sum())(parts);
  expect(await slopes[39]!.read()).toEqual(Float32Array.of(78, 79));
  // Of nothing, and fused with what follows.
  const empties = Array.from({ length: 3 }, () => on.tensor([], { shape: [0, 2] }));
  expect(await concat(empties).mul(2).add(1).read()).toEqual(new Float32Array(0));
  expect(await concat(empties).sum(0).read()).toEqual(Float32Array.of(0, 0));
});

it('vectors in products are rows on the left and columns on the right', async (context) => {
  const on = device(context);
  const m = on.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const [two, three] = [on.tensor([1, -1]), on.tensor([1, 0, 2])];
  const cases: [Tensor, number[], number[]][] = [
    [matmul(m, three), [2], [7, 16]],
    [matmul(two, m), [3], [-3, -3, -3]],
    [matmul(three, three), [], [5]],
    [matmul(m.reshape([1, 2, 3]).expand([2, 2, 3]), three), [2, 2], [7, 16, 7, 16]],
  ];
  for (const [result, shape, want] of cases) {
    expect(result.shape).toEqual(shape);
    expect(await result.read()).toEqual(Float32Array.from(want));
  }
  expect(await grad((v: Tensor) => matmul(m, v).sum())(three).read()).toEqual(Float32Array.of(5, 7, 9));
  expect(() => matmul(m, two)).toThrow('[matmul] the inner sizes differ');
  expect(() => matmul(m, m.sum())).toThrow('[matmul] both sides need an axis');
});

it('padding with a value', async (context) => {
  const on = device(context);
  const x = on.tensor([1, 2]);
  expect(await x.pad([[1, 2]], -infinity).read()).toEqual(Float32Array.of(-infinity, 1, 2, -infinity, -infinity));
  expect(await pad(on.tensor(Uint32Array.of(3)), [[0, 1]], 7).read()).toEqual(Uint32Array.of(3, 7));
  expect(() => pad(on.tensor(Uint32Array.of(3)), [[0, 1]], -7)).toThrow('[where] an operand of dtype u32');
  expect(
    await grad((p: Tensor) =>
      p
        .pad([[1, 1]], 5)
        .square()
        .sum(),
    )(x).read(),
  ).toEqual(Float32Array.of(2, 4));
});

it('numbers that WGSL cannot write', async (context) => {
  const on = device(context);
  const x = on.tensor([[1, 2]]);
  expect(await maximum(x, -infinity).read()).toEqual(Float32Array.of(1, 2));
  expect(await x.mul(0).add(1e39).read()).toEqual(Float32Array.of(infinity, infinity));
  expect(() => layerNorm(x, { eps: infinity })).toThrow('[layerNorm] eps is Infinity. Give a number from 0 on.');
  expect(() => rmsNorm(x, { eps: Number.NaN })).toThrow('[rmsNorm] eps is NaN.');
  const q = on.tensor(new Float32Array(4), { shape: [1, 1, 1, 4] });
  expect(() => attention(q, q, q, { scale: infinity })).toThrow(
    '[attention] the scale is Infinity. Give a finite number.',
  );
});
