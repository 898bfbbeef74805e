import { describe, expect, it } from 'vitest';
import { key } from '../random/index.js';
import { Dice } from '../testing/random-graph.js';
import { busiest, type Interval, pack } from './memory.js';

/** The most bytes that live at one time, counted step by step: no plan can do with less. */
function mostAtOnce(intervals: readonly Interval[]): number {
  const steps = new Set(intervals.map(({ first }) => first));
  const padded = (bytes: number) => Math.ceil(bytes / 256) * 256;
  return Math.max(
    ...[...steps].map((step) =>
      intervals.reduce(
        (sum, { first, last, sizeBytes }) => sum + (first <= step && step <= last ? padded(sizeBytes) : 0),
        0,
      ),
    ),
  );
}

/** Lifetimes as a training step has them: short ones, and activations that wait for the way back. */
function randomIntervals(dice: Dice): Interval[] {
  const steps = 20 + dice.roll(60);
  return Array.from({ length: 10 + dice.roll(90) }, () => {
    const first = dice.roll(steps);
    const long = dice.roll(4) === 0;
    const last = Math.min(steps, long ? Math.max(first, 2 * steps - first - dice.roll(5)) : first + 1 + dice.roll(4));
    return { first, last, sizeBytes: 4 * (1 + dice.roll(dice.pick([16, 256, 4096, 65536]))) };
  });
}

describe('pack', () => {
  it('overlaps no two values that live at the same time, and aligns to 256 bytes', () => {
    for (let seed = 0; seed < 50; seed++) {
      const intervals = randomIntervals(new Dice(key(seed)));
      const { offsets, total } = pack(intervals);
      intervals.forEach((a, i) => {
        expect(offsets[i]! % 256).toBe(0);
        expect(offsets[i]! + a.sizeBytes).toBeLessThanOrEqual(total);
        for (let j = 0; j < i; j++) {
          const b = intervals[j]!;
          const together = a.first <= b.last && b.first <= a.last;
          const apart = offsets[i]! + a.sizeBytes <= offsets[j]! || offsets[j]! + b.sizeBytes <= offsets[i]!;
          if (together && !apart) expect.fail(`seed ${seed}: values ${i} and ${j} overlap`);
        }
      });
    }
  });

  it('takes at most 15 % more than what lives at one time', () => {
    for (let seed = 1000; seed < 1150; seed++) {
      const intervals = randomIntervals(new Dice(key(seed)));
      expect(pack(intervals).total, `seed ${seed}`).toBeLessThanOrEqual(1.15 * mostAtOnce(intervals));
    }
  });

  it('knows how much lives at one time', () => {
    for (let seed = 0; seed < 50; seed++) {
      const intervals = randomIntervals(new Dice(key(seed)));
      expect(busiest(intervals).bytes).toBe(mostAtOnce(intervals));
    }
  });

  it('uses a place again, and packs nothing into nothing', () => {
    const chain = Array.from({ length: 10 }, (_, i) => ({ first: i, last: i + 1, sizeBytes: 1000 }));
    expect(pack(chain).total).toBeLessThanOrEqual(2048);
    expect(pack([])).toEqual({ offsets: [], total: 0 });
  });
});
