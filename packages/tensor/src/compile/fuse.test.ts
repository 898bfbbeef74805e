// What fusion must do beside being right, which fuzz.test.ts is about.
import { describe, expect, it } from 'vitest';
import { exp, LimitError, layerNorm, silu, softmax, type Tensor } from '../index.js';
import { concat } from '../ops/view/concat.js';
import { useDevice } from '../testing/useDevice.testing.js';

const device = useDevice();

describe('fusion', () => {
  it('cuts an expression of more tensors than a kernel can bind', async (context) => {
    const on = device(context);
    const count = on.gpu.limits.maxStorageBuffersPerShaderStage + 5;
    const terms = Array.from({ length: count }, (_, i) => on.tensor([i, 1]));
    const total = terms.reduce((a, b) => a.add(b));
    expect(await total.read()).toEqual(new Float32Array([(count * (count - 1)) / 2, count]));
  });

  it('says so where one op has too many inputs', async (context) => {
    const on = device(context);
    const parts = Array.from({ length: on.gpu.limits.maxStorageBuffersPerShaderStage + 1 }, (_, i) => on.tensor([i]));
    await expect(concat(parts).read()).rejects.toThrow(LimitError);
    await expect(concat(parts).read()).rejects.toThrow(/one kernel would bind \d+ buffers/);
  });

  const kernels: [string, (x: Tensor) => Tensor][] = [
    ['a chain of elementwise work', (x) => silu(x.mul(2).add(1)).square()],
    ['a reduction and what is before and behind it', (x) => exp(x).sum(1).mul(0.5)],
    ['softmax', (x) => softmax(x)],
    ['layer norm with weight and bias', (x) => layerNorm(x, { weight: x.slice([[0, 1], null]).reshape([16]) }).add(1)],
    ['a product with bias and activation', (x) => silu(x.matmul(x.transpose()).add(1))],
    [
      'views',
      (x) =>
        x
          .permute([1, 0])
          .flip(0)
          .slice([[0, 3], null])
          .mul(2),
    ],
  ];
  for (const [name, fn] of kernels) {
    it(`runs ${name} in one dispatch`, async (context) => {
      const on = device(context);
      const x = on.tensor(
        Float32Array.from({ length: 8 * 16 }, (_, i) => Math.sin(i)),
        { shape: [8, 16] },
      );
      const before = on.counters.dispatches;
      await on.run(fn(x));
      expect(on.counters.dispatches - before).toBe(1);
    });
  }
});
