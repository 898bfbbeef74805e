// Drawn as tensors, eagerly and in a compiled function, the numbers are those of the host.
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import {
  type Device,
  key,
  normal,
  openDevice,
  permutation,
  randomBits,
  scalar,
  type Tensor,
  type TensorKey,
  uniform,
} from '../index.js';
import { hostBits, hostNormal, hostPermutation, hostUniform } from './host.js';

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());
const open = (context: TestContext): Device => {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  return device!;
};
const shape = [3, 5, 7];
const size = 105;
const furthest = (got: ArrayLike<number>, want: Float32Array) =>
  want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);

it('outside a compiled function', async (context) => {
  const on = open(context);
  const [none, zero] = [on.tensor([0], { dtype: 'u32' }), on.tensor([0])]; // draws take the device of their graph
  const bits = randomBits(key(4), shape).add(none);
  const u = uniform(key(4), shape).add(zero);
  const z = normal(key(4), shape).add(zero);
  expect(await bits.read()).toEqual(hostBits(key(4), size));
  expect(await u.read()).toEqual(hostUniform(key(4), size));
  expect(furthest(await z.read(), hostNormal(key(4), size))).toBeLessThan(1e-6);
});

it('inside one, from the key it is given, with keys derived there', async (context) => {
  const on = open(context);
  const draw = on.compile((k: TensorKey, i: Tensor) => ({
    folded: uniform(k.foldIn(i), shape),
    split: k.split(3).map((part) => uniform(part, [9])),
    z: normal(k.foldIn(2), shape),
  }));
  for (const seed of [0, 99, 2 ** 40 + 1]) {
    const k = key(seed);
    const { folded, split, z } = await draw(k, scalar(7, 'u32'));
    expect(await folded.read()).toEqual(hostUniform(k.foldIn(7), size));
    const parts = k.split(3).map((part) => hostUniform(part, 9));
    expect(await Promise.all(split.map((part) => part.read()))).toEqual(parts);
    expect(furthest(await z.read(), hostNormal(k.foldIn(2), size))).toBeLessThan(1e-6);
  }
});

it('a permutation is that of the host, holds every number once, and has a limit', async (context) => {
  const on = open(context);
  const draw = on.compile((k: TensorKey) => [0, 1, 7, 1000].map((n) => permutation(k, n)));
  for (const seed of [3, 4]) {
    const drawn = await Promise.all((await draw(key(seed))).map((order) => order.read()));
    drawn.forEach((order, i) => {
      const n = [0, 1, 7, 1000][i]!;
      expect(order).toEqual(hostPermutation(key(seed), n));
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, at) => at));
    });
  }
  expect(() => permutation(key(1), 5000)).toThrow('[permutation] 5000 elements are more than the 4096');
});

it('permutations of three are equally likely', () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = hostPermutation(key(9).foldIn(i), 3).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  // χ² of five degrees of freedom: above 20.5 once in a thousand seeds.
  const chiSquared = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  expect(counts.size).toBe(6);
  expect(chiSquared).toBeLessThan(20.5);
});
