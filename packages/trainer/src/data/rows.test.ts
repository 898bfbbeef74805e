import { expect, it } from 'vitest';
import type { DataFormat } from './formats.js';
import { gatherRows, type Pictures, type Rows, rowsOf, selectRows } from './rows.js';

const format: DataFormat & { count: number } = {
  count: 6,
  size: 1,
  channels: 2,
  maxTokens: 1,
  normalization: { scale: 127.5, offset: -1 },
  vocabulary: ['<pad>', '<unk>'],
};
const pictures: Pictures = {
  pixels: Uint8Array.of(0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51),
  tokens: Uint32Array.of(0, 1, 2, 3, 4, 5),
};

/** Rows that note which ranges were read. */
function noted(): { rows: Rows; ranges: string[] } {
  const inner = rowsOf(pictures, format);
  const ranges: string[] = [];
  const read: Rows['read'] = (from, count) => {
    ranges.push(`${from}+${count}`);
    return inner.read(from, count);
  };
  return { rows: { count: inner.count, read }, ranges };
}

it.each([
  [
    [4, 0, 1, 4],
    ['0+2', '4+1'],
  ],
  [[5, 3, 4, 2], ['2+4']],
  [
    [0, 2, 4],
    ['0+1', '2+1', '4+1'],
  ],
  [[], []],
])('gathers rows %j, each range once: %j', async (indices, expected) => {
  const { rows, ranges } = noted();
  const gathered = await gatherRows(rows, format, indices);
  expect([...gathered.pixels]).toEqual(indices.flatMap((row) => [10 * row, 10 * row + 1]));
  expect([...gathered.tokens]).toEqual(indices);
  expect(gathered).toEqual(selectRows(pictures, format, indices));
  expect(ranges).toEqual(expected);
});

it('gives pictures of the caller’s own', async () => {
  const gathered = await gatherRows(rowsOf(pictures, format), format, [1]);
  gathered.tokens.fill(0);
  gathered.pixels.fill(0);
  expect((await rowsOf(pictures, format).read(1, 1)).tokens).toEqual(Uint32Array.of(1));
});
