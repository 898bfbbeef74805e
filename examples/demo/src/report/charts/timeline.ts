// When each command ran. Time in which nothing ran (an interrupted demo) is cut out.

import { scaleLinear } from 'd3-scale';
import { duration } from '../format.js';
import { type Html, html } from '../html.js';
import { expertColour } from '../palette.js';
import type { Timings } from '../types.js';
import { round } from './frame.js';

const [width, left, right, row, top] = [1040, 110, 90, 24, 6];

export function timelineChart({ tasks, totalSeconds }: Timings): Html {
  const x = scaleLinear([0, totalSeconds / 60], [left, width - right]);
  const height = top + row * tasks.length + 36;
  const label = `Time of each command: ${tasks.map((task) => `${task.label} ${duration(task.seconds)}`).join(', ')}.`;
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
${x.ticks(8).map((tick) => html`<line class="grid" x1="${round(x(tick))}" x2="${round(x(tick))}" y1="${top}" y2="${height - 36}"/><text class="tick" x="${round(x(tick))}" y="${height - 18}" text-anchor="middle">${tick}</text>`)}
${tasks.map((task, i) => {
  const y = top + i * row;
  const expert = /^expert-(\d+)$/.exec(task.id)?.[1];
  const colour = expert === undefined ? '' : html` fill="${expertColour(Number(expert))}"`;
  const end = Math.max(...task.spans.map(([, end]) => end));
  return html`<g class="task"${expert === undefined ? '' : html` data-expert="${Number(expert)}"`}><text class="arm-name" x="${left - 12}" y="${y + row / 2 + 4}" text-anchor="end">${task.label}</text>
${task.spans.map(([start, end]) => html`<rect x="${round(x(start / 60))}" y="${y + 5}" width="${Math.max(2, round(x(end / 60) - x(start / 60)))}" height="${row - 10}" rx="2"${colour}/>`)}
<text class="arm-value" x="${round(x(end / 60)) + 8}" y="${y + row / 2 + 4}">${duration(task.seconds)}</text></g>`;
})}
<text class="axis-title" x="${width - right}" y="${height - 2}" text-anchor="end">minutes</text></svg>`;
}
