import { describe, expect, it } from 'vitest';
import type { ImageBatch } from './encoder.js';
import { statisticsEncoder } from './statistics.js';

const size = 16;

/** One picture from a function of x, y in [0, 1) that gives [r, g, b] in bytes. */
function picture(paint: (x: number, y: number) => readonly [number, number, number]): Uint8Array {
  const pixels = new Uint8Array(3 * size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const colour = paint(x / size, y / size);
      for (let c = 0; c < 3; c++) pixels[c * size * size + y * size + x] = colour[c]!;
    }
  }
  return pixels;
}

function batch(...pictures: Uint8Array[]): ImageBatch {
  const pixels = new Uint8Array(pictures.length * 3 * size * size);
  for (const [i, one] of pictures.entries()) pixels.set(one, i * one.length);
  return { pixels, count: pictures.length, size };
}

function rows(encoder: ReturnType<typeof statisticsEncoder>, ...pictures: Uint8Array[]): number[][] {
  const features = encoder.encode(batch(...pictures)) as Float32Array;
  return pictures.map((_, i) => [...features.subarray(i * encoder.dimensions, (i + 1) * encoder.dimensions)]);
}

const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const red = picture(() => [255, 0, 0]);
const blue = picture(() => [0, 0, 255]);
const sky = picture((_, y) => (y < 0.5 ? [90, 160, 255] : [60, 140, 40]));
const upsideDown = picture((_, y) => (y >= 0.5 ? [90, 160, 255] : [60, 140, 40]));
const upright = picture((x) => ((x * 4) % 1 < 0.5 ? [255, 255, 255] : [0, 0, 0]));
const lying = picture((_, y) => ((y * 4) % 1 < 0.5 ? [255, 255, 255] : [0, 0, 0]));

describe('statisticsEncoder', () => {
  it('has the length that its parameters say, and records them', () => {
    const encoder = statisticsEncoder({ grid: 2, bins: 3, edgeGrid: 1, orientations: 5 });
    expect(encoder.dimensions).toBe(3 * 4 + 27 + 5);
    expect(encoder.parameters).toMatchObject({ grid: 2, bins: 3, edgeGrid: 1, orientations: 5 });
    expect((encoder.encode(batch(red, blue)) as Float32Array).length).toBe(2 * encoder.dimensions);
    expect(statisticsEncoder(encoder.parameters as object).parameters).toEqual(encoder.parameters);
  });

  it('gives each block its weight as length', () => {
    const encoder = statisticsEncoder({ grid: 2, bins: 2, layoutWeight: 2, colourWeight: 3, edgeWeight: 0.5 });
    const [row] = rows(encoder, sky);
    expect(Math.hypot(...row!.slice(0, 12))).toBeCloseTo(2, 5);
    expect(Math.hypot(...row!.slice(12, 20))).toBeCloseTo(3, 5);
    expect(Math.hypot(...row!.slice(20))).toBeCloseTo(0.5, 5);
  });

  it('tells colours apart by the histogram: equal pictures 1, disjoint ones 0', () => {
    const encoder = statisticsEncoder({ layoutWeight: 0, edgeWeight: 0 });
    const [a, b, c] = rows(encoder, red, blue, red);
    expect(dot(a!, c!)).toBeCloseTo(1, 5);
    expect(dot(a!, b!)).toBeCloseTo(0, 5);
  });

  it('puts a colour between two histogram levels into both, by its distance', () => {
    const encoder = statisticsEncoder({ grid: 1, bins: 2, layoutWeight: 0, edgeWeight: 0 });
    const [row] = rows(
      encoder,
      picture(() => [51, 0, 0]),
    ).map((all) => all.slice(3)); // after the layout
    // 51/255 = 0.2 of the way: shares 0.8 and 0.2, then square roots
    expect(row![0]).toBeCloseTo(Math.sqrt(0.8), 5);
    expect(row![4]).toBeCloseTo(Math.sqrt(0.2), 5);
  });

  it('tells by the layout where a colour lies, which the histogram does not', () => {
    const layoutOnly = rows(statisticsEncoder({ colourWeight: 0, edgeWeight: 0 }), sky, upsideDown);
    const coloursOnly = rows(statisticsEncoder({ layoutWeight: 0, edgeWeight: 0 }), sky, upsideDown);
    expect(dot(layoutOnly[0]!, layoutOnly[1]!)).toBeLessThan(0.9);
    expect(dot(coloursOnly[0]!, coloursOnly[1]!)).toBeCloseTo(1, 5);
  });

  it('tells upright from lying stripes by the edges, and each from itself not', () => {
    const encoder = statisticsEncoder({ layoutWeight: 0, colourWeight: 0, edgeWeight: 1 });
    const [a, b] = rows(encoder, upright, lying);
    expect(dot(a!, b!)).toBeLessThan(0.05);
    expect(dot(a!, a!)).toBeCloseTo(1, 5);
    const edgesAt = 3 * 4 ** 2 + 4 ** 3;
    expect(a![edgesAt]).toBeGreaterThan(0); // direction 0: the brightness changes along x
    expect(b![edgesAt]).toBe(0);
  });

  it('gives finite numbers for a picture without edges, and does not depend on the batch', () => {
    const encoder = statisticsEncoder();
    const [alone] = rows(encoder, red);
    const [, inBatch] = rows(encoder, sky, red);
    expect(alone!.every(Number.isFinite)).toBe(true);
    expect(inBatch).toEqual(alone);
  });

  it('refuses what it cannot encode, in one sentence', () => {
    expect(() => statisticsEncoder({ grid: 0 })).toThrow(
      '[statisticsEncoder] grid is 0. Give a whole number from 1 on.',
    );
    expect(() => statisticsEncoder({ edgeWeight: -1 })).toThrow('edgeWeight is -1. Give a number from 0 on.');
    const encoder = statisticsEncoder();
    expect(() => encoder.encode({ pixels: new Uint8Array(10), count: 1, size: 4 })).toThrow(
      '[statisticsEncoder] expected 1 × 3 × 4 × 4 = 48 bytes, got 10. Pass planar RGB.',
    );
    expect(() => encoder.encode({ pixels: new Uint8Array(12), count: 1, size: 2 })).toThrow(
      'pictures of 2 px are smaller than a raster of 4. Prepare larger ones, or make the raster coarser.',
    );
  });
});
