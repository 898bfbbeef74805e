// Sums of many numbers stay within the bound that reductions.ts states, whatever the shape, and so does what is made of them.
import { expect, it } from 'vitest';
import type { Device } from '../../device/device.js';
import { cumsum, hostNormal, key, layerNorm, logSumExp, mse, rmsNorm, softmax, type Tensor } from '../../index.js';
import { useDevice } from '../../testing/use-device.testing.js';
import { scatterAdd } from '../index/indices.js';

const device = useDevice();
const unit = 2 ** -24;
/** How far a sum of n numbers may be off, in parts of the sum of their absolute values. */
const bound = (n: number) => (192 + n / 2 ** 18) * unit;
const lengths = [10_000, 10_007, 1_000_003];

const filled = (on: Device, n: number, value: number, shape: number[] = [n]) =>
  on.tensor(new Float32Array(n).fill(value), { shape });

it.for(lengths)('%i equal numbers', async (n, context) => {
  const on = device(context);
  const tenth = Math.fround(0.1);
  const x = filled(on, n, 0.1, [1, n]);
  const exact = n * tenth;
  for (const [name, total] of Object.entries({
    all: x.sum(),
    axis: x.sum(1).reshape([]),
    column: x.reshape([n, 1]).sum(0).reshape([]),
    fused: x.mul(2).sum(1).mul(0.5).reshape([]),
  })) {
    expect(Math.abs((await total.item()) / exact - 1), name).toBeLessThan(bound(n));
  }
  expect(Math.abs((await x.mean().item()) / tenth - 1)).toBeLessThan(bound(n) + 3 * unit);
  expect(Math.abs((await mse(x, x.mul(0)).item()) / tenth ** 2 - 1)).toBeLessThan(bound(n) + 4 * unit);
  expect(Math.abs((await logSumExp(x).item()) - (tenth + Math.log(n)))).toBeLessThan(bound(n) + 8 * unit * Math.log(n));
  expect(Math.abs((await softmax(x).sum().item()) - 1)).toBeLessThan(2 * bound(n) + 8 * unit);
});

it.for(lengths)('%i drawn numbers: sums over all axes, over one and in two steps agree', async (n, context) => {
  const on = device(context);
  const numbers = hostNormal(key(n), n);
  const [exact, size] = numbers.reduce(([sum, abs], x) => [sum + x, abs + Math.abs(x)], [0, 0]);
  const x = on.tensor(numbers, { shape: [n] });
  const even = n - (n % 8);
  const steps = x
    .slice([[0, even]])
    .reshape([8, even / 8])
    .sum(1)
    .sum()
    .add(x.slice([[even, n]]).sum());
  for (const total of [x.sum(), x.reshape([1, n]).sum(1).reshape([]), x.reshape([n, 1]).sum(0).reshape([]), steps]) {
    expect(Math.abs((await total.item()) - exact) / size).toBeLessThan(bound(n));
  }
  const last = cumsum(x).slice([[n - 1, n]]);
  expect(Math.abs((await last.item()) - exact) / size).toBeLessThan(64 * Math.ceil(Math.log(n) / Math.log(64)) * unit);
});

it.for([64, 10_000])('norms of rows of %i far from 0', async (n, context) => {
  const on = device(context);
  // Whole numbers, so that f32 holds the differences exactly.
  const numbers = Float32Array.from(hostNormal(key(n), n), (x) => 1e6 + Math.round(8 * x));
  const mean = numbers.reduce((sum, x) => sum + x, 0) / n;
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
  const got = await floats(layerNorm(on.tensor(numbers, { shape: [1, n] })));
  const worst = got.reduce(
    (most, y, i) => Math.max(most, Math.abs(y - (numbers[i]! - mean) / Math.sqrt(variance + 1e-5))),
    0,
  );
  expect(worst).toBeLessThan(2e-5);
  const constant = await floats(layerNorm(filled(on, n, 0.1, [1, n])));
  expect(constant.reduce((most, y) => Math.max(most, Math.abs(y)), 0)).toBeLessThan(1e-9);
  const ones = await floats(rmsNorm(filled(on, n, 1e3, [1, n])));
  expect(ones.reduce((most, y) => Math.max(most, Math.abs(y - 1)), 0)).toBeLessThan(bound(n) + 8 * unit);
});

it('rows that are added up by their index', async (context) => {
  const on = device(context);
  const n = 100_000;
  const rows: Tensor = filled(on, n, 0.1, [n, 1]);
  const ids = on.tensor(new Uint32Array(n), { shape: [n] });
  const total = (await scatterAdd(rows, ids, 2).read())[0]!;
  expect(Math.abs(total / (n * Math.fround(0.1)) - 1)).toBeLessThan((512 + n / 512) * unit);
});

async function floats(x: Tensor): Promise<number[]> {
  return Array.from(await x.read());
}
