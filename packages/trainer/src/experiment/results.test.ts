// Verdicts by hand-made numbers, alignment by a hand-made mixture, and hours on paper.
import { full, top } from '@paris/router';
import { key } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { experimentAlignment } from './alignment.js';
import { paperRows } from './cost.js';
import { experimentDesign } from './designs/designs.js';
import type { Measured } from './measure-variant.js';
import { summarise, verdictOf } from './results.js';

describe('a verdict', () => {
  it.each([
    [[-2, -1], 'less', 'agrees'],
    [[-2, 1], 'less', 'undecided'],
    [[1, 2], 'less', 'disagrees'],
    [[1, 2], 'more', 'agrees'],
    [[-2, -1], 'more', 'disagrees'],
    [[-1, 0], 'less', 'undecided'],
  ] as const)('of %j where %s is better: %s', (interval, direction, verdict) => {
    expect(verdictOf({ interval: [...interval] }, direction)).toBe(verdict);
  });

  it('is undecided without an interval', () => expect(verdictOf({}, 'less')).toBe('undecided'));
});

describe('the table', () => {
  const design = experimentDesign('objectives', 'smoke', { seeds: [0, 1, 2] });
  // The mixture is better by 0.1 in every seed, though seeds differ by more than that.
  const measured = design.variants.flatMap(({ name, arms }) =>
    design.seeds.map((seed) => {
      const loss = seed + (name === 'mixed' ? -0.1 : 0) + 0.001 * seed * (name === 'mixed' ? 1 : 0);
      const values = Object.fromEntries(arms.map((arm) => [arm.name, { loss }]));
      const curves = Object.fromEntries(arms.map((arm) => [arm.name, [loss, 2 * loss]]));
      return { seed, variant: name, measured: { version: 1, variant: {}, arms: values, curves } as Measured };
    }),
  );
  const results = summarise(design, { measured, bounds: [], data: { sha256: '', count: 1, heldOut: 1, size: 8 } });

  it('compares in pairs, seed by seed', () => {
    const row = results.rows.find((each) => each.row === 'mixed/top2')!;
    expect(row.metrics.loss!.interval![0]).toBeLessThan(-1); // over seeds alone nothing could be said
    expect(row.differences.loss!.mean).toBeCloseTo(-0.099, 12);
    expect(row.differences.loss!.interval![1]).toBeLessThan(-0.09);
    expect(results.claims[0]!.found).toMatchObject([{ metric: 'loss', verdict: 'agrees' }]);
    expect(row.curve[1]).toBeCloseTo(2 * row.curve[0]!, 12);
  });
});

describe('alignment', () => {
  // Two experts, one picture at two noise levels; errors (1, 0) and (0, 2): squares 1 and 4, over two dimensions.
  const gram = [0.5, 0, 0, 2];
  const m = {
    ...{ count: 1, clusters: 2, times: [0.25, 0.75] },
    gram: Float32Array.from([...gram, ...gram]),
    probabilities: Float32Array.of(0.9, 0.1, 0.2, 0.8),
  };

  it('means the errors of what runs and what does not', () => {
    expect(experimentAlignment(m, top(1), key(0))).toEqual({
      pickedLoss: (0.5 + 2) / 2,
      unpickedLoss: (2 + 0.5) / 2,
      bestPicked: 0.5,
      disagreement: 2.5,
    });
  });

  it('has no unpicked expert where all run', () => {
    expect(experimentAlignment(m, full(), key(0))).toEqual({ pickedLoss: 1.25, bestPicked: 1, disagreement: 2.5 });
  });
});

it('hours on paper: experts by turns, gradients by a ring', () => {
  const figures = { experts: 8, steps: 1000, flops: 3.6e15, bytes: 4e6, flopsPerSecond: 1e12 };
  const rows = paperRows(figures);
  expect(rows.map(({ machines }) => machines)).toEqual([1, 2, 4, 8]);
  expect(rows.map(({ isolated }) => isolated)).toEqual([1, 0.5, 0.25, 0.125]);
  expect(rows[0]!.parallel.map(({ hours }) => hours)).toEqual([1, 1, 1]);
  // Two machines: half of the work, and 4 MB at each of 1000 steps through 20 Mbit/s: 1600 s.
  expect(rows[1]!.parallel[0]!.hours).toBeCloseTo(0.5 + 1600 / 3600, 9);
  expect(rows[3]!.parallel[2]!.hours).toBeCloseTo(0.125 + (1.75 * 3.2e10) / 1e11 / 3600, 9);
});
