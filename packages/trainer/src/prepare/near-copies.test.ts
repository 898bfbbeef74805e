import { hostUniform, key } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { itemsOf, listItems } from '../data/items.js';
import { rowsOf } from '../data/rows.js';
import { Looks } from './looks.js';
import { joinGroups, nearCopies } from './near-copies.js';
import { pixelFormat } from './spool.js';

const [size, channels] = [8, 3];
const area = size * size;

/** Blobs of smooth noise: no two alike. */
function picture(seed: number): Uint8Array {
  const levels = hostUniform(key(seed), channels * 16);
  return Uint8Array.from({ length: channels * area }, (_, at) => {
    const [x, y, c] = [at % size, Math.floor(at / size) % size, Math.floor(at / area)];
    return 20 + 200 * levels[16 * c + 4 * (y >> 1) + (x >> 1)]!;
  });
}
const mapped = (of: Uint8Array, change: (value: number, at: number) => number) => Uint8Array.from(of, change);
const mirrored = (of: Uint8Array) => mapped(of, (_, at) => of[at - (at % size) + size - 1 - (at % size)]!);
const noisy = (of: Uint8Array, levels: number, seed = 1) => {
  const draws = hostUniform(key(seed), of.length);
  return mapped(of, (value, at) => Math.max(0, Math.min(255, value + Math.round((2 * draws[at]! - 1) * levels))));
};
const flat = (r: number, g: number, b: number) =>
  Uint8Array.from({ length: 3 * area }, (_, at) => [r, g, b][Math.floor(at / area)]!);

async function find(...pictures: Uint8Array[]): Promise<number[][]> {
  const looks = new Looks({ channels, size });
  for (const own of pictures) looks.add(own);
  const pixels = Uint8Array.from(pictures.flatMap((own) => [...own]));
  const rows = rowsOf({ images: pixels }, { ...pixelFormat(size), count: pictures.length });
  return nearCopies({ looks, order: Uint32Array.from(pictures.keys()) }, rows);
}

describe('nearCopies', () => {
  const [a, b, c] = [picture(1), picture(2), picture(3)];

  it.each([
    ['the same', a],
    ['its mirror image', mirrored(a)],
    ['a recompressed one', noisy(a, 6)],
    ['a darker one', mapped(a, (value) => value * 0.9)],
    [
      'a mirrored, darker, recompressed one',
      noisy(
        mapped(mirrored(a), (value) => value * 0.95),
        4,
      ),
    ],
  ])('finds %s', async (_, copy) => {
    expect(await find(b, a, c, copy)).toEqual([[1, 3]]);
  });

  it('takes others for what they are', async () => {
    expect(await find(a, b, c)).toEqual([]);
    expect(await find(a, noisy(a, 60))).toEqual([]);
    expect(
      await find(
        a,
        mapped(a, (value) => 255 - value),
      ),
    ).toEqual([]);
    expect(
      await find(
        a,
        mapped(a, (_, at) => a[(at + area) % a.length]!),
      ),
    ).toEqual([]); // its channels exchanged
    expect(await find()).toEqual([]);
  });

  it('tells plain colours apart, and finds equal ones', async () => {
    expect(await find(flat(9, 9, 9), flat(200, 9, 9), flat(9, 9, 9), flat(9, 14, 9))).toEqual([[0, 2]]);
  });

  it('finds all pairs among many that a comparison of each with each would', async () => {
    const many = Array.from({ length: 60 }, (_, i) => (i % 3 === 2 ? noisy(picture(i - 1), 5, i) : picture(i)));
    expect(await find(...many)).toEqual(Array.from({ length: 20 }, (_, i) => [3 * i + 1, 3 * i + 2]));
  });
});

describe('joinGroups', () => {
  const groups = async (names: string[], copies: number[][]) => {
    const items = names.map((group, i) => ({ id: `${i}`, caption: '', group }));
    return (await listItems(await joinGroups(itemsOf(items), copies))).map(({ group }) => group);
  };

  it('gives near-copies and all of their groups one name', async () => {
    expect(await groups(['d', 'b', 'c', 'b', 'a'], [])).toEqual(['d', 'b', 'c', 'b', 'a']);
    expect(await groups(['d', 'b', 'c', 'b', 'a'], [[0, 3]])).toEqual(['b', 'b', 'c', 'b', 'a']);
    expect(
      await groups(
        ['d', 'b', 'c', 'b', 'a'],
        [
          [0, 3],
          [2, 4],
          [1, 2],
        ],
      ),
    ).toEqual(['a', 'a', 'a', 'a', 'a']);
  });
});
