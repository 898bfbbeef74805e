import { describe, expect, it } from 'vitest';
import { drawSegments } from './draw.js';
import { forgedOf, oddsOf, segmentsFor } from './odds.js';

describe('odds', () => {
  it.each([
    [0.95, 0.1, 29],
    [0.99, 0.1, 44],
    [0.95, 0.01, 299],
    [0.75, 0.5, 2],
    [0.95, 1, 1],
  ])('%d of a forgery of %d takes %i segments', (confidence, fraction, segments) => {
    expect(segmentsFor({ confidence, fraction })).toBe(segments);
    expect(1 - (1 - fraction) ** segments).toBeGreaterThanOrEqual(confidence - 1e-12);
    if (segments > 1) expect(1 - (1 - fraction) ** (segments - 1)).toBeLessThan(confidence);
  });

  it.each([
    [0.95, 1e-17, 299573227355399100],
    [1e-10, 0.1, 1],
    [1e-20, 1e-20, 1],
    [1e-10, 1, 1],
  ])('%d of a forgery of %d takes at least one segment', (confidence, fraction, segments) => {
    const found = segmentsFor({ confidence, fraction });
    expect(found).toBeGreaterThanOrEqual(1);
    expect(found / segments).toBeCloseTo(1, 9);
  });

  it('are those of counting all ways to draw', () => {
    // 2 of 5 forged, 2 drawn: 3 of the 10 pairs miss both.
    expect(oddsOf(5, 2, 2)).toBeCloseTo(0.7, 12);
    expect(oddsOf(5, 1, 5)).toBe(1);
    expect(oddsOf(5, 4, 2)).toBe(1);
    expect(oddsOf(1e6, 1e5, 29)).toBeCloseTo(1 - 0.9 ** 29, 4);
    expect(oddsOf(100, 10, 29)).toBeGreaterThan(1 - 0.9 ** 29);
    expect([forgedOf(100, 0.1), forgedOf(5, 0.1), forgedOf(7, 0.5)]).toEqual([10, 1, 4]);
  });

  it.each([
    [{ confidence: 1, fraction: 0.1 }, 'confidence must be between 0 and 1, got 1.'],
    [{ confidence: 0.9, fraction: 0 }, 'fraction must be above 0 and at most 1, got 0.'],
    [{ confidence: Number.NaN, fraction: 0.1 }, 'confidence must be between 0 and 1, got NaN.'],
  ])('refuses %j', (wanted, message) => {
    expect(() => segmentsFor(wanted)).toThrow(message);
  });
});

describe('drawSegments', () => {
  const randomness = (seed: number) => Uint8Array.of(seed >> 8, seed & 255);

  it('draws different ones, again and again the same, others for another root or other randomness', async () => {
    const drawn = await drawSegments(1000, 50, { root: 'a', randomness: randomness(1) });
    expect(new Set(drawn).size).toBe(50);
    expect([...drawn].sort((a, b) => a - b)).toEqual(drawn);
    expect(await drawSegments(1000, 50, { root: 'a', randomness: randomness(1) })).toEqual(drawn);
    expect(await drawSegments(1000, 50, { root: 'b', randomness: randomness(1) })).not.toEqual(drawn);
    expect(await drawSegments(1000, 50, { root: 'a', randomness: randomness(2) })).not.toEqual(drawn);
    expect(await drawSegments(4, 4, { root: 'a', randomness: randomness(2) })).toEqual([0, 1, 2, 3]);
  });

  it('draws each equally often, and misses a forgery as often as the odds say', async () => {
    const counts = new Array<number>(10).fill(0);
    let missed = 0;
    const trials = 2000;
    for (let seed = 0; seed < trials; seed++) {
      const drawn = await drawSegments(10, 3, { root: 'a', randomness: randomness(seed) });
      for (const k of drawn) counts[k]!++;
      if (!drawn.includes(4) && !drawn.includes(7)) missed++;
    }
    // Binomial: 600 ± 20.5; four standard deviations for ten of them.
    for (const count of counts) expect(Math.abs(count - 0.3 * trials)).toBeLessThan(82);
    const odds = oddsOf(10, 2, 3);
    expect(Math.abs(1 - missed / trials - odds)).toBeLessThan(4 * Math.sqrt((odds * (1 - odds)) / trials));
  });
});
