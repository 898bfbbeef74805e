// Training loss of every expert over the steps, smoothed for the eye.

import { scaleLinear } from 'd3-scale';
import { curveMonotoneX, line } from 'd3-shape';
import { type Html, html } from '../html.js';
import { expertColour } from '../palette.js';
import type { ExpertSummary } from '../types.js';
import { chart, round } from './frame.js';

const frame = { width: 1040, height: 340, left: 48, right: 30, top: 34, bottom: 42 };

/** Number of windows whose mean is a point of a curve. */
const POINTS = 32;

export function lossChart(experts: readonly ExpertSummary[]): Html {
  const curves = experts.map((expert) => ({ index: expert.index, points: windowMeans(expert.loss, POINTS) }));
  const all = curves.flatMap((curve) => curve.points);
  const x = scaleLinear([0, Math.max(...all.map(([step]) => step))], [frame.left, frame.width - frame.right]);
  // From zero, so that heights compare.
  const y = scaleLinear([0, Math.max(...all.map(([, loss]) => loss))], [frame.height - frame.bottom, frame.top]).nice();
  const path = line<[number, number]>(
    (p) => round(x(p[0])),
    (p) => round(y(p[1])),
  ).curve(curveMonotoneX);
  const label = `Training loss of ${experts.length} experts, falling from ${all[0]?.[1].toFixed(2)} or so to between ${extreme(curves, Math.min)} and ${extreme(curves, Math.max)}.`;
  return chart(frame, { label, x: 'step', y: 'mean squared error of the velocity' }, x, y, [
    ...curves.map(
      ({ index, points }) =>
        html`<path class="curve" data-expert="${index}" d="${path(points) ?? ''}" stroke="${expertColour(index)}"><title>Expert ${index}</title></path>`,
    ),
    ...spread(
      curves.map(({ index, points }) => ({ index, y: y(points.at(-1)![1]) })),
      13,
    ).map(
      ({ index, y }) =>
        html`<text class="curve-label" data-expert="${index}" x="${frame.width - frame.right + 8}" y="${round(y + 4)}" style="fill:${expertColour(index)}">${index}</text>`,
    ),
  ]);
}

/** Means over equal windows: [last step of the window, mean]. */
export function windowMeans(values: readonly number[], windows: number): [number, number][] {
  const parts = Math.min(windows, values.length);
  return Array.from({ length: parts }, (_, i) => {
    const [from, to] = [Math.floor((i * values.length) / parts), Math.floor(((i + 1) * values.length) / parts)];
    const part = values.slice(from, to);
    return [to, part.reduce((sum, value) => sum + value, 0) / part.length];
  });
}

/** Moves labels apart so that none covers another: at least `gap` between neighbours. */
export function spread<T extends { y: number }>(labels: readonly T[], gap: number): T[] {
  const sorted = [...labels].sort((a, b) => a.y - b.y).map((label) => ({ ...label }));
  for (let pass = 0; pass < 50; pass++) {
    for (let i = 1; i < sorted.length; i++) {
      const [above, below] = [sorted[i - 1]!, sorted[i]!];
      const overlap = gap - (below.y - above.y);
      if (overlap > 0) {
        above.y -= overlap / 2;
        below.y += overlap / 2;
      }
    }
  }
  return sorted;
}

function extreme(curves: readonly { points: [number, number][] }[], pick: (...values: number[]) => number): string {
  return pick(...curves.map((curve) => curve.points.at(-1)![1])).toFixed(2);
}
