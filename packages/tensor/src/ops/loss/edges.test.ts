// What a loss must not swallow: masked classes, labels that no class has, shapes that only broadcast.
import { expect, it } from 'vitest';
import { crossEntropy, grad, logSoftmax, mse, softmax, type Tensor } from '../../index.js';
import { useDevice } from '../../testing/use-device.testing.js';

const device = useDevice();
const infinity = Number.POSITIVE_INFINITY;

it('a class of logit −∞ is left out: the loss and its gradient are those of the others', async (context) => {
  const on = device(context);
  const logits = on.tensor([
    [0, -infinity],
    [1, -infinity],
  ]);
  const labels = on.tensor(Uint32Array.of(0, 1));
  expect(await crossEntropy(logits, labels).read()).toEqual(Float32Array.of(0, infinity));
  const slope = grad((x: Tensor) => crossEntropy(x, labels.slice([[0, 1]])).sum())(logits.slice([[0, 1], null]));
  expect(await slope.read()).toEqual(Float32Array.of(0, 0));
  expect(await softmax(logits).read()).toEqual(Float32Array.of(1, 0, 1, 0));
  expect(await logSoftmax(logits).read()).toEqual(Float32Array.of(0, -infinity, 0, -infinity));
});

it('the loss of a label that no class has is NaN', async (context) => {
  const on = device(context);
  const logits = on.tensor([
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
  const got = await crossEntropy(logits, on.tensor(Uint32Array.of(2, 1, 4294967295))).read();
  expect(Number.isNaN(got[0])).toBe(true);
  expect(got[1]).toBeCloseTo(Math.log(1 + Math.exp(-1)), 6);
  expect(Number.isNaN(got[2])).toBe(true);
});

it('large logits lose no digits', async (context) => {
  const on = device(context);
  const logits = on.tensor([[1e6, 1e6 + 1]]);
  const [got] = await crossEntropy(logits, on.tensor(Uint32Array.of(0))).read();
  expect(got).toBeCloseTo(1 + Math.log(1 + Math.exp(-1)), 5);
  expect((await logSoftmax(logits).read())[1]).toBeCloseTo(-Math.log(1 + Math.exp(-1)), 5);
});

it('shapes that only broadcast are refused', (context) => {
  const on = device(context);
  const [column, row] = [on.tensor([[1], [2]]), on.tensor([1, 2])];
  expect(() => mse(column, row)).toThrow('[mse] both must have one shape, got [2, 1] and [2]. Reshape one.');
  expect(() => mse(row, on.tensor([1]))).toThrow('[mse] both must have one shape');
  expect(() => mse(on.tensor(Uint32Array.of(1)), on.tensor([1]))).toThrow('[mse] the dtype is u32');
  expect(() => crossEntropy(on.tensor([[1, 2]]), on.tensor([0]))).toThrow('[crossEntropy] the dtype is f32');
});
