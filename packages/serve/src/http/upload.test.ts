// What is transparent or white in the PNG files that clients send.
import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeUpload, maskOf } from './upload.js';

const width = 8;
const height = 2;

/** A PNG of raw rows, as the standard has them. */
function png(
  depth: number,
  colourType: number,
  row: readonly number[],
  { columns = width, tRNS = [] as readonly number[] } = {},
): Uint8Array<ArrayBuffer> {
  const rows = Array.from({ length: height }, () => [0, ...row]).flat();
  return Uint8Array.from(
    Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      chunk('IHDR', [0, 0, 0, columns, 0, 0, 0, height, depth, colourType, 0, 0, 0]),
      ...(tRNS.length > 0 ? [chunk('tRNS', tRNS)] : []),
      chunk('IDAT', deflateSync(Uint8Array.from(rows))),
      chunk('IEND', []),
    ]),
  );
}

function chunk(type: string, data: Iterable<number>): Buffer {
  const content = Buffer.concat([Buffer.from(type), Uint8Array.from(data)]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length - 4);
  sum.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, sum]);
}

/** The left half of a row has one colour, the right half another. */
function halves(left: readonly number[], right: readonly number[]): number[] {
  return Array.from({ length: width }, (_, x) => (x < width / 2 ? left : right)).flat();
}

async function drawn(file: Uint8Array<ArrayBuffer>): Promise<string> {
  const { data } = maskOf(await decodeUpload('mask', file, { width, height }));
  expect(data.subarray(width)).toEqual(data.subarray(0, width));
  return [...data.subarray(0, width)].map((value) => (value === 255 ? '#' : '.')).join('');
}

it.each([
  ['8 bit', png(8, 0, halves([0], [255]))],
  ['1 bit', png(1, 0, [0x0f])],
  ['2 bit', png(2, 0, [0x00, 0xff])],
  ['4 bit', png(4, 0, [0x00, 0x37, 0x88, 0xff])],
])('a grey mask is drawn again where it is white: %s', async (_, file) => expect(await drawn(file)).toBe('....####'));

it('rows whose samples do not fill their last byte are as wide as the picture', async () => {
  const row = [0b1010_1010, 0b1100_0000]; // 10 pixels
  const { image } = await decodeUpload('image', png(1, 0, row, { columns: 10 }), { width: 10, height });
  const expected = [255, 0, 255, 0, 255, 0, 255, 0, 255, 255];
  expect([...image.data].filter((_, i) => i % 3 === 0)).toEqual([...expected, ...expected]);
});

describe('a mask is drawn again where it has the colour that tRNS names', () => {
  it.each([
    ['grey', png(8, 0, halves([0], [255]), { tRNS: [0, 0] })],
    ['grey, with bits above its depth', png(8, 0, halves([0], [255]), { tRNS: [7, 0] })],
    ['RGB', png(8, 2, halves([1, 2, 3], [255, 255, 255]), { tRNS: [0, 1, 0, 2, 0, 3] })],
    ['RGB that differs in blue only', png(8, 2, halves([9, 9, 8], [9, 9, 9]), { tRNS: [0, 9, 0, 9, 0, 8] })],
    ['grey of 16 bit that differs in the lower byte', png(16, 0, halves([200, 1], [200, 2]), { tRNS: [200, 1] })],
    ['RGB of 16 bit', png(16, 2, halves([9, 1, 9, 2, 9, 3], [9, 1, 9, 2, 9, 4]), { tRNS: [9, 1, 9, 2, 9, 3] })],
    ['grey of 4 bit', png(4, 0, [0x33, 0x33, 0xff, 0xff], { tRNS: [0, 3] })],
  ])('%s', async (_, file) => expect(await drawn(file)).toBe('####....'));
});

it('a mask without a pixel of the colour that tRNS names is drawn again where it is white', async () => {
  const file = png(8, 2, halves([0, 0, 0], [255, 255, 255]), { tRNS: [0, 1, 0, 2, 0, 3] });
  expect(await drawn(file)).toBe('....####');
});

it('an image with tRNS keeps its colours, and says what of it is transparent', async () => {
  const file = png(8, 2, halves([10, 20, 30], [40, 50, 60]), { tRNS: [0, 40, 0, 50, 0, 60] });
  const { image, alpha } = await decodeUpload('image', file, { width, height });
  expect([...image.data.subarray(0, 24)]).toEqual(halves([10, 20, 30], [40, 50, 60]));
  expect([...alpha!.subarray(0, 8)]).toEqual(halves([255], [0]));
});
