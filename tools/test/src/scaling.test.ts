// docs/scaling.md says what its script computes, and its chart is what the script draws.
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { chart, figures, given, lostShare, printed, synchronousDays } from '../../docs/scaling.js';

const docs = new URL('../../../docs/', import.meta.url);

it('the page has every figure', async () => {
  const page = await readFile(new URL('scaling.md', docs), 'utf8');
  for (const [name, figure] of Object.entries(printed())) expect(page, name).toContain(figure);
});

it('the chart is the one that is drawn', async () => {
  expect(await readFile(new URL('images/scaling.svg', docs), 'utf8')).toBe(chart());
});

it('the arithmetic holds where it can be done in the head', () => {
  const simple = {
    ...given,
    macs: { expert: 1e9, router: 1e8 },
    parameters: { expert: 1e9, router: 1e8 },
    ...{ experts: 2, pictures: 1e6, a100Days: 2, peak: 1e12, share: 0.5, batch: 10 },
  };
  const { flopsPerPicture, picturesPerSecond, passes, stepSeconds, ringBytes, daysEach } = figures(simple);
  expect(flopsPerPicture).toBe(6e9);
  expect(picturesPerSecond).toBeCloseTo(500 / 6, 6);
  expect(passes).toBeCloseTo((2 * 86_400 * 500) / 6, 3);
  expect(stepSeconds).toBeCloseTo(5 * 0.012, 9);
  expect(ringBytes).toBe(2e9);
  expect(daysEach).toBe(1);
  expect(synchronousDays(16, simple)).toBeCloseTo(1 + 1 / 0.06, 6); // 2 GB take a second
  expect(lostShare(10, { ...given, daysBetweenFailures: 10, checkpointHours: 2, restartHours: 1.4 })).toBeCloseTo(
    0.1,
    9,
  );
});
