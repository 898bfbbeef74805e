import { expect, it } from 'vitest';
import { columnOf, columnsOf, type DataColumns, emptyColumns, recordBytes } from './columns.js';
import type { DataFormat } from './formats.js';
import { gatherRows, type Rows, rowsOf, selectRows } from './rows.js';

const format: DataFormat & { count: number } = {
  count: 6,
  size: 1,
  channels: 2,
  maxTokens: 1,
  normalization: { scale: 127.5, offset: -1 },
  vocabulary: ['<pad>', '<unk>'],
};
const pictures: DataColumns = {
  images: Uint8Array.of(0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51),
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
  [[4, 0, 1, 4], ['0+5']],
  [[5, 3, 4, 2], ['2+4']],
  [[0, 2, 4], ['0+5']],
  [[], []],
])('gathers rows %j, each range once: %j', async (indices, expected) => {
  const { rows, ranges } = noted();
  const gathered = await gatherRows(rows, format, indices);
  expect([...gathered.images!]).toEqual(indices.flatMap((row) => [10 * row, 10 * row + 1]));
  expect([...gathered.tokens!]).toEqual(indices);
  expect(gathered).toEqual(selectRows(pictures, format, indices));
  expect(ranges).toEqual(expected);
});

it('reads rows apart that are far from each other, or in different files', async () => {
  const large = { ...format, size: 100, count: 1000 }; // 20,004 bytes a record
  const ranges: string[] = [];
  const read: Rows['read'] = async (from, count) => {
    ranges.push(`${from}+${count}`);
    return emptyColumns(large, count);
  };
  await gatherRows({ count: 1000, read }, large, [1, 5, 10, 900]);
  expect(ranges).toEqual(['1+5', '10+1', '900+1']);
  ranges.length = 0;
  await gatherRows({ count: 1000, read, starts: [0, 4, 8] }, large, [0, 2, 3, 4, 6, 9]);
  expect(ranges).toEqual(['0+7', '9+1']);
});

it('gives rows of the caller’s own', async () => {
  const gathered = await gatherRows(rowsOf(pictures, format), format, [1]);
  gathered.tokens!.fill(0);
  gathered.images!.fill(0);
  expect((await rowsOf(pictures, format).read(1, 1)).tokens).toEqual(Uint32Array.of(1));
});

it('takes any columns, also of one number a record', async () => {
  const columns = { latents: { dtype: 'f16', shape: [2, 1] }, labels: { dtype: 'u32', shape: [] } } as const;
  const other = { ...format, count: 3, columns: structuredClone(columns) as unknown as DataFormat['columns'] };
  const data = { latents: Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5), labels: Uint32Array.of(7, 8, 9) };
  expect(recordBytes(other)).toBe(8);
  expect(Object.keys(columnsOf(other))).toEqual(['latents', 'labels']);
  const gathered = await gatherRows(rowsOf(data, other), other, [2, 0]);
  expect(gathered).toEqual({ latents: Float32Array.of(2, 2.5, 0, 0.5), labels: Uint32Array.of(9, 7) });
  expect(columnOf(gathered, 'latents', 'f16')).toBe(gathered.latents);
  expect(() => columnOf(gathered, 'images', 'u8')).toThrow(
    '[data] the data has no column "images" of u8 (columns: latents, labels).',
  );
  expect(() => columnOf(gathered, 'labels', 'f16')).toThrow('has no column "labels" of f16');
});
