import { hostUniform, key } from '@paris/tensor';
import { expect, it } from 'vitest';
import { closePairs, type Points } from './close-pairs.js';

const dimensions = 3;

/** Points of a cube of this side, from a seed; of the second half some are moved copies of the first. */
function points(count: number, side: number, seed: number): Points & { count: number } {
  const values = hostUniform(key(seed), count * dimensions).map((value) => value * side);
  for (let at = values.length / 2; at < values.length; at += 7) values[at] = values[at - values.length / 2]!;
  return { count, which: Uint32Array.from(Array(count).keys()), dimensions, values };
}

/** The pairs that are visited, each as often as it is. */
async function visited(of: Points, apart: number): Promise<string[]> {
  const pairs: string[] = [];
  const visit = (a: number, b: number) => {
    pairs.push(`${Math.min(a, b)} ${Math.max(a, b)}`);
    return undefined;
  };
  await closePairs(of, apart, visit, () => undefined);
  return pairs;
}

function close({ count, values }: ReturnType<typeof points>, apart: number): string[] {
  const pairs: string[] = [];
  for (let a = 0; a < count; a++)
    for (let b = a + 1; b < count; b++)
      if ([0, 1, 2].every((d) => Math.abs(values[a * dimensions + d]! - values[b * dimensions + d]!) <= apart))
        pairs.push(`${a} ${b}`);
  return pairs;
}

it.each([
  [0, 1, 1],
  [1, 1, 1],
  [300, 10, 1],
  [300, 10, 0],
  [300, 100, 1],
  [200, 1, 1], // all are close
  [200, 0, 1], // all are one point
])('visits each close pair of %i points in a cube of %d once, %d apart', async (count, side, apart) => {
  const all = points(count, side, count + side);
  const pairs = await visited(all, apart);
  expect(new Set(pairs).size).toBe(pairs.length);
  const found = new Set(pairs);
  expect(close(all, apart).filter((pair) => !found.has(pair))).toEqual([]);
});

it('looks at few other pairs where points are far apart', async () => {
  const count = 4000;
  const pairs = await visited(points(count, 1000, 5), 1);
  expect(pairs.length).toBeLessThan(count * 30); // of 8 million
});

it('ends where two heaps are on both sides of a cut and near to it', async () => {
  const values = Float64Array.from({ length: 600 * dimensions }, (_, at) => (at < 300 * dimensions ? -0.6 : 0.6));
  const pairs = await visited({ which: Uint32Array.from(Array(600).keys()), dimensions, values }, 1);
  expect(pairs.length).toBeLessThanOrEqual((600 * 599) / 2);
});
