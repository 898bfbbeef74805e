import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { clampDisplay, tileImages, toRgbImages } from './image.js';
import { encodePng } from './png.js';

describe('clampDisplay', () => {
  it.each([
    [-1, 0],
    [1, 255],
    [0, 128],
    [-7, 0],
    [7, 255],
    [Number.POSITIVE_INFINITY, 255],
    [Number.NaN, 0],
    [-1 + 2 / 255, 1],
  ])('%d → %d', (x, level) => expect(clampDisplay(x)).toBe(level));

  it('undoes byte / 127.5 − 1 for every byte', () => {
    for (let byte = 0; byte < 256; byte++) expect(clampDisplay(Math.fround(byte / 127.5 - 1))).toBe(byte);
  });
});

describe('toRgbImages', () => {
  it('takes planes apart into pixels, picture by picture', () => {
    const [a, b] = toRgbImages(Float32Array.of(-1, 1, 0, 0, 1, -1, 1, 1, -1, -1, 0, 0), [2, 3, 1, 2]);
    expect([...a!.data]).toEqual([0, 128, 255, 255, 128, 0]);
    expect([...b!.data]).toEqual([255, 0, 128, 255, 0, 128]);
    expect([a!.width, a!.height]).toEqual([2, 1]);
  });

  it('refuses what are no pictures', () => {
    expect(() => toRgbImages(new Float32Array(8), [1, 4, 1, 2])).toThrow(
      '[toRgbImages] pictures are [B, 3, H, W], got [1, 4, 1, 2] with 8 values. Decode latents with the codec first.',
    );
  });
});

describe('tileImages', () => {
  const pixel = (level: number) => ({ width: 1, height: 1, data: Uint8Array.of(level, level, level) });

  it('lays pictures out row by row with a gap', () => {
    const grid = tileImages([pixel(1), pixel(2), pixel(3)], 2, { gap: 1, background: [9, 9, 9] });
    expect([grid.width, grid.height]).toEqual([5, 5]);
    const levels = Array.from({ length: 25 }, (_, i) => grid.data[3 * i]);
    // biome-ignore format: a picture
    expect(levels).toEqual([
      9, 9, 9, 9, 9,
      9, 1, 9, 2, 9,
      9, 9, 9, 9, 9,
      9, 3, 9, 9, 9,
      9, 9, 9, 9, 9,
    ]);
  });

  it('refuses nothing, and pictures of two sizes', () => {
    expect(() => tileImages([], 2)).toThrow('[tileImages] 0 pictures in 2 columns. Pass one of each at least.');
    const wide = { width: 2, height: 1, data: new Uint8Array(6) };
    expect(() => tileImages([pixel(0), wide], 2)).toThrow(
      'picture 1 is 2×1, the first 1×1. Pass pictures of one size.',
    );
  });
});

it('a PNG holds the pixels, and the same bytes each time', () => {
  const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 250, 251, 252) };
  const decoded = decode(encodePng(image));
  expect([decoded.width, decoded.height, decoded.channels]).toEqual([2, 1, 3]);
  expect([...decoded.data]).toEqual([...image.data]);
  expect(encodePng(image)).toEqual(encodePng(image));
});
