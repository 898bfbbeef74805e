// How often the router names the right cluster, by noise level.

import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { percent } from '../format.js';
import { type Html, html } from '../html.js';
import type { RouterSummary } from '../types.js';
import { chart, round } from './frame.js';
import { spread } from './loss.js';

const frame = { width: 1040, height: 320, left: 48, right: 150, top: 34, bottom: 42 };

export function routerChart(router: RouterSummary, clusters: number): Html {
  const x = scaleLinear([0, 1], [frame.left, frame.width - frame.right]);
  const y = scaleLinear([0, 1], [frame.height - frame.bottom, frame.top]);
  const curve = (key: 'accuracy' | 'balancedAccuracy', name: string) => {
    const path = line<RouterSummary['byTime'][number]>(
      (p) => round(x(p.time)),
      (p) => round(y(p[key])),
    );
    return html`<path class="curve ${name}" d="${path([...router.byTime]) ?? ''}"/>
${router.byTime.map((p) => html`<circle class="dot ${name}" cx="${round(x(p.time))}" cy="${round(y(p[key]))}" r="3.5"><title>t = ${p.time.toFixed(3)}: ${percent(p[key])}</title></circle>`)}`;
  };
  const level = (value: number) =>
    html`<line class="level" x1="${frame.left}" x2="${frame.width - frame.right}" y1="${round(y(value))}" y2="${round(y(value))}"/>`;
  const first = router.byTime[0];
  const last = router.byTime.at(-1);
  const right = frame.width - frame.right + 10;
  const labels = spread(
    [
      { text: `largest cluster ${percent(router.majorityShare)}`, y: y(router.majorityShare), name: 'muted' },
      { text: `chance ${percent(1 / clusters)}`, y: y(1 / clusters), name: 'muted' },
      ...(last
        ? [
            { text: 'plain accuracy', y: y(last.accuracy), name: 'plain' },
            { text: 'balanced accuracy', y: y(last.balancedAccuracy), name: 'balanced' },
          ]
        : []),
    ],
    16,
  );
  const label = `Router accuracy by noise level: ${percent(first?.accuracy ?? 0)} for nearly clean pictures, ${percent(last?.accuracy ?? 0)} for nearly pure noise; chance is ${percent(1 / clusters)}, always naming the largest cluster ${percent(router.majorityShare)}.`;
  return chart(
    frame,
    { label, x: 'noise level t: 0 is the picture, 1 is noise', y: 'held-out pictures routed to their own cluster' },
    x,
    y,
    [
      level(1 / clusters),
      level(router.majorityShare),
      curve('balancedAccuracy', 'balanced'),
      curve('accuracy', 'plain'),
      ...labels.map(
        ({ text, y, name }) => html`<text class="series ${name}" x="${right}" y="${round(y + 4)}">${text}</text>`,
      ),
    ],
  );
}
