// The page of an experiment, of numbers that are made up so that one claim of each kind stands on it.
import { experimentDesign, type Measured } from '@paris/trainer';
import { describe, expect, it } from 'vitest';
import { summarise } from '../../../trainer/src/experiment/results.js';
import { claimLines, experimentPage } from './experiment.js';

/** Top-2 is better than top-1 and the one model in every seed; the others are around each other. */
const losses: { [row: string]: (seed: number) => number } = {
  'monolith/equal data': (seed) => 3 + seed,
  'experts/top1': (seed) => 3 + seed + (seed - 1) * 0.2,
  'experts/top2': (seed) => 2 + seed + 0.01 * seed,
  'experts/full': (seed) => 1 + seed + 0.01 * (2 - seed),
};

function resultsOf(name: string, seeds: number[]) {
  const design = experimentDesign(name, 'smoke', { seeds });
  const measured = seeds.flatMap((seed) =>
    design.variants.map((variant) => {
      const arms = Object.fromEntries(
        variant.arms.map((arm) => {
          const loss = losses[`${variant.name}/${arm.name}`]?.(seed) ?? 3 + seed;
          return [arm.name, { loss, frechet: 10, gigaflops: 0.5 }];
        }),
      );
      const curves = Object.fromEntries(variant.arms.map((arm) => [arm.name, [1, 2]]));
      const own = { expertTeraflops: 0.36, expertMegabytes: 4, routerTeraflops: variant.clusters > 1 ? 0.02 : 0 };
      return { seed, variant: variant.name, measured: { version: 1, variant: own, arms, curves } as Measured };
    }),
  );
  const bounds = seeds.map((seed) => {
    const arms = { 'training pictures': { frechet: 1 }, 'untrained model': { frechet: 99 } };
    return { seed, measured: { version: 1, variant: {}, arms, curves: {} } as Measured };
  });
  return summarise(design, { measured, bounds, data: { sha256: 'abc', count: 192, heldOut: 64, size: 8 } });
}

const times = [
  { piece: 'seed-0/monolith/expert-00', seconds: 5, processorSeconds: 6 },
  { piece: 'seed-0/experts/measure', seconds: 9, processorSeconds: 8 },
];
const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;

describe('the page of an experiment', () => {
  const results = resultsOf('main', [0, 1, 2]);
  const page = experimentPage(results, times);

  it('says of each claim what the interval says, and the papers beside it', () => {
    const lines = claimLines(results);
    const after = (statement: string) => lines[lines.findIndex((line) => line.startsWith(statement)) + 1]!;
    expect(after('Top-2 of eight experts is better than one model')).toMatch(/^ {2}agrees +held-out loss ↓/);
    expect(after('Top-2 is better than the full mixture')).toMatch(/^ {2}disagrees/);
    expect(after('Top-1 of eight experts is better than one model')).toMatch(/^ {2}undecided/);
    expect(count(page, /<b class="agrees">/g)).toBe(2); // top-2 against the model and against top-1
    expect(page).toContain('FID 22.60 against 29.64');
    expect(page).toContain('DDM: FID 12.81; Paris: FID 29.64');
  });

  it('has all rows, the bounds, what was spent, and the command that gives it again', () => {
    for (const { row } of results.rows) expect(page).toContain(`<th>${row}`);
    expect(page).toContain('<th>untrained model<br><small>bound</small></th>');
    expect(page).toContain('All of it took 14 processor-seconds.');
    expect(page).toContain(
      'paris experiment main --data DATA --out OUT --seeds 0,1,2 --steps 24 --pictures 16 --width 16 --depth 1',
    );
    expect(page).not.toContain('<script');
    expect(experimentPage(results, times)).toBe(page);
  });

  it('decides nothing with one seed, and says so', () => {
    const one = experimentPage(resultsOf('main', [4]), []);
    expect(one).toContain('With one seed there are no intervals, and no claim is decided.');
    expect(count(one, /<b class="(dis)?agrees">/g)).toBe(0);
    expect(one).not.toContain('processor-seconds');
  });

  it('computes hours on paper from the rate that was measured, or says that it cannot', () => {
    const compute = resultsOf('compute', [0]);
    // 0.36 + 0.36 + 0.02 TFLOP in 6 processor-seconds.
    expect(experimentPage(compute, times)).toContain('123 GFLOP a processor-second in training, 4.00 MB of gradients');
    expect(experimentPage(compute, [])).toContain('No time of a training is known here');
  });
});
