// What was measured of drawn pictures, as people read it in a terminal.
import type { ConditionAccuracy } from './condition.js';
import type { PictureCost } from './cost.js';
import type { DistanceIntervals, PictureDistances } from './distances.js';
import type { Interval } from './intervals.js';
import type { PicturesEvaluation } from './pictures.js';

/** Lines of text for a terminal. */
export function formatPictures({
  count,
  heldOut,
  encoder,
  model,
  intervals,
  floor,
  ceiling,
  condition,
  cost,
  secondsPerPicture,
  copying,
}: PicturesEvaluation): string {
  const row = (name: string, { kernel, slicedWasserstein, frechet, density, coverage, ...clipped }: PictureDistances) =>
    [
      `  ${name.padEnd(20)}`,
      `${kernel.mean.toPrecision(3)} ± ${kernel.standardError.toPrecision(2)}`.padEnd(22),
      slicedWasserstein.toPrecision(3).padEnd(12),
      frechet.toPrecision(4).padEnd(12),
      density.toFixed(2).padEnd(10),
      coverage.toFixed(2).padEnd(11),
      `${clipped.clippedDensity.toFixed(2)} / ${clipped.clippedCoverage.toFixed(2)}`,
    ].join('');
  const copies = copying.pValue < 0.01;
  const verdict = copies ? 'it copies what it learned' : 'no sign of copying';
  return [
    `${count} drawn pictures against ${heldOut} held-out ones, by the features of "${encoder}"`,
    `  ${''.padEnd(20)}${'kernel distance'.padEnd(22)}${'sliced W'.padEnd(12)}${'Fréchet'.padEnd(12)}${'density'.padEnd(10)}${'coverage'.padEnd(11)}clipped`,
    row('the model', model),
    intervalRow(intervals),
    row('training pictures', floor),
    row('untrained model', ceiling),
    ...(condition ? [conditionLine(condition)] : []),
    costLine(cost, secondsPerPicture),
    `nearer to a training picture than held-out pictures are: ${(100 * copying.nearer).toFixed(0)} % (${percents(copying.interval)}; 50 % without copying), p = ${copying.pValue.toPrecision(2)}: ${verdict}`,
  ].join('\n');
}

/** Under the model's row, each in its column. */
function intervalRow({ kernel, slicedWasserstein, density, coverage }: DistanceIntervals): string {
  const text = (interval: Interval, width: number, digits: number) =>
    interval
      .map((end) => end.toPrecision(digits))
      .join('…')
      .padEnd(width);
  const columns = [text(kernel, 22, 2), text(slicedWasserstein, 24, 2), text(density, 10, 2), text(coverage, 11, 2)];
  return `  ${'95 % of it'.padEnd(20)}${columns.join('').trimEnd()}`;
}

function conditionLine({ categories, drawn, interval, heldOut, majority }: ConditionAccuracy): string {
  const others = `held-out pictures ${percent(heldOut)}, the largest category ${percent(majority)}`;
  return `a classifier of ${categories} categories names the one asked for in ${percent(drawn)} (${percents(interval)}); ${others}`;
}

function costLine(cost: PictureCost | undefined, seconds: number): string {
  const time = `${seconds.toPrecision(2)} s by the clock`;
  if (!cost) return `a picture takes ${time}`;
  const { flops, bytes, experts } = cost;
  return `a picture takes ${(flops / 1e9).toPrecision(3)} GFLOP, reads ${(bytes / 1e6).toPrecision(3)} MB of weights in ${experts.toFixed(2)} experts a step, ${time}`;
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const percents = ([low, high]: Interval): string => `${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)} %`;
