// Zeros, infinities and signs, as IEEE 754 has them, on whatever adapter runs this. Bodies in shaders and what drivers make
// of them differ just there.
import { expect, it } from 'vitest';
import { grad, log, logSumExp, pow, type Tensor } from '../../index.js';
import { useDevice } from '../../testing/use-device.testing.js';

const device = useDevice();
const infinity = Number.POSITIVE_INFINITY;

it('powers of negative numbers, zeros and infinities, with exponents compiled in and as tensors', async (context) => {
  const on = device(context);
  const bases = [-infinity, infinity, 0, -0, 1, -1, -2, 2, 0.5, -0.5, 3.75, -3.75, 1e20, -1e20, 1e-10];
  const whole = [0, 1, 2, 3, 9, -1, -2, -3, 65, 66, -65, 100, 16777217];
  const exponents = [1e39, -1e39, ...whole, 0.5, -0.5, 2.5, 67.5, 1 / 3, infinity, -infinity];
  let compared = 0;
  for (const exponent of exponents) {
    const x = on.tensor(bases);
    const results = [await x.pow(exponent).read(), await x.pow(on.tensor([exponent])).read()];
    for (const [i, base] of bases.entries()) {
      const want = power(Math.fround(base), Math.fround(exponent));
      if (Math.abs(want) < 1.2e-38 && want !== 0) continue; // adapters may flush what f32 holds with fewer digits only
      for (const result of results) {
        expect(
          Math.abs(result[i]! - want) <= 2e-5 * Math.abs(want) || Object.is(result[i], want),
          show(base, exponent),
        ).toBe(true);
        compared++;
      }
    }
    function show(base: number, of: number) {
      const at = bases.indexOf(base);
      return `${base} ^ ${of} is ${results.map((result) => result[at])}, not ${power(base, of)}`;
    }
  }
  expect(compared).toBeGreaterThan(500);
});

it('whole powers of whole numbers are whole', async (context) => {
  const x = device(context).tensor([-2, -3, 7]);
  expect(await x.pow(9).read()).toEqual(Float32Array.of(-512, -19683, 40353607));
  expect(await x.pow(-2).read()).toEqual(Float32Array.of(1 / 4, 1 / 9, 1 / 49));
});

it('gradients of powers at 0 are those of IEEE', async (context) => {
  const on = device(context);
  const [x, y] = [on.tensor([0, 0, -2, 4]), on.tensor([2, 0, 3, 0.5])];
  const byBase = grad((base: Tensor) => pow(base, y).sum())(x);
  expect(await byBase.read()).toEqual(Float32Array.of(0, 0, 12, 0.25));
  const byExponent = grad((exponent: Tensor) => pow(on.tensor([0, 0, 2, 4]), exponent).sum())(y);
  const got = await byExponent.read();
  [0, 0, 8 * Math.log(2), 2 * Math.log(4)].forEach((want, i) => {
    expect(got[i]).toBeCloseTo(want, 5);
  });
});

it('the logarithm is −∞ of 0 and NaN below', async (context) => {
  const on = device(context);
  const got = await log(on.tensor([0, -0, -1, -infinity, infinity, Number.NaN, 1])).read();
  expect(got).toEqual(Float32Array.of(-infinity, -infinity, Number.NaN, Number.NaN, infinity, Number.NaN, 0));
  // Computed, not loaded.
  expect(await log(on.tensor([1, 2, 3]).sub(2)).read()).toEqual(Float32Array.of(Number.NaN, -infinity, 0));
});

it('the largest, the smallest and log Σ e ^ x of infinities and of nothing', async (context) => {
  const on = device(context);
  const rows = [
    [-infinity, -infinity],
    [-infinity, 1],
    [infinity, 1],
    [infinity, infinity],
  ];
  const x = on.tensor(rows);
  expect(await x.max(1).read()).toEqual(Float32Array.of(-infinity, 1, infinity, infinity));
  expect(await x.min(1).read()).toEqual(Float32Array.of(-infinity, -infinity, 1, infinity));
  expect(await logSumExp(x).read()).toEqual(Float32Array.of(-infinity, 1, infinity, infinity));
  const shares = grad((of: Tensor) => of.max(1).sum())(x);
  expect(await shares.read()).toEqual(Float32Array.of(0.5, 0.5, 0, 1, 1, 0, 0.5, 0.5));
  const slope = grad((of: Tensor) => logSumExp(of).sum())(x.slice([[0, 2], null]));
  expect(await slope.read()).toEqual(Float32Array.of(0, 0, 0, 1));
  const nothing = on.tensor(new Float32Array(0), { shape: [2, 0] });
  expect(await nothing.max(1).read()).toEqual(Float32Array.of(-infinity, -infinity));
  expect(await nothing.min().read()).toEqual(Float32Array.of(infinity));
  expect(await logSumExp(nothing).read()).toEqual(Float32Array.of(-infinity, -infinity));
  expect(await nothing.mean(1).read()).toEqual(Float32Array.of(Number.NaN, Number.NaN));
  expect(await nothing.sum(1).read()).toEqual(Float32Array.of(0, 0));
  // Long rows, where a workgroup or two stages share the work.
  const long = on.tensor(new Float32Array(70_000).fill(-infinity));
  expect(await long.max().item()).toBe(-infinity);
  expect(await long.reshape([7, 10_000]).max(1).read()).toEqual(new Float32Array(7).fill(-infinity));
});

it('the extremes of bool and of whole numbers, of nothing too', async (context) => {
  const on = device(context);
  const flags = on.tensor([1, 0, 0, 0, 1, 1], { shape: [3, 2], dtype: 'bool' });
  expect(flags.max(1).dtype).toBe('bool');
  expect(await flags.max(1).read()).toEqual(Uint32Array.of(1, 0, 1));
  expect(await flags.min(1).read()).toEqual(Uint32Array.of(0, 0, 1));
  const none = (dtype: 'bool' | 'i32' | 'u32') => on.tensor([], { shape: [1, 0], dtype });
  expect([await none('bool').max(1).item(), await none('bool').min(1).item()]).toEqual([0, 1]);
  expect([await none('i32').max(1).item(), await none('i32').min(1).item()]).toEqual([-(2 ** 31), 2 ** 31 - 1]);
  expect([await none('u32').max(1).item(), await none('u32').min(1).item()]).toEqual([0, 2 ** 32 - 1]);
});

/** C's pow, which IEEE follows; JavaScript's gives NaN where |x| is 1 and the exponent infinite. */
function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && !Number.isFinite(y))) return 1;
  return Math.fround(x ** y);
}
