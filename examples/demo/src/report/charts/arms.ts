// Denoising loss of each arm on held-out pictures, as bars from zero with standard errors.

import { scaleLinear } from 'd3-scale';
import { decimal } from '../format.js';
import { type Html, html } from '../html.js';
import { expertColour } from '../palette.js';
import type { Arm } from '../types.js';
import { round } from './frame.js';

const [width, left, right, row, top] = [1040, 210, 120, 26, 8];

export function armsChart(arms: readonly Arm[]): Html {
  const sorted = [...arms].sort((a, b) => a.loss - b.loss);
  const x = scaleLinear([0, Math.max(...arms.map((arm) => arm.loss + arm.standardError))], [left, width - right]);
  const height = top + row * sorted.length + 36;
  const label = `Denoising loss on held-out pictures, lower is better: ${sorted.map((arm) => `${arm.name} ${decimal(arm.loss)}`).join(', ')}.`;
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><line class="hatch-line" x1="0" x2="0" y1="0" y2="6"/></pattern></defs>
${x.ticks(6).map((tick) => html`<line class="grid" x1="${round(x(tick))}" x2="${round(x(tick))}" y1="${top}" y2="${height - 36}"/><text class="tick" x="${round(x(tick))}" y="${height - 18}" text-anchor="middle">${x.tickFormat(6)(tick)}</text>`)}
${sorted.map((arm, i) => bar(arm, top + i * row, x))}
<line class="axis" x1="${left}" x2="${left}" y1="${top}" y2="${height - 36}"/>
<text class="axis-title" x="${width - right}" y="${height - 2}" text-anchor="end">mean squared error of the velocity, lower is better; whiskers: one standard error over pictures</text></svg>`;
}

function bar(arm: Arm, y: number, x: (value: number) => number): Html {
  const middle = y + row / 2;
  const [low, high] = [round(x(arm.loss - arm.standardError)), round(x(arm.loss + arm.standardError))];
  const fill = arm.kind === 'single' && arm.expert !== undefined ? html` fill="${expertColour(arm.expert)}"` : '';
  return html`<g class="arm ${arm.kind}"${arm.expert === undefined ? '' : html` data-expert="${arm.expert}"`}>
<text class="arm-name" x="${left - 12}" y="${middle + 4}" text-anchor="end">${arm.name}</text>
<rect x="${left}" y="${y + 5}" width="${round(x(arm.loss) - left)}" height="${row - 10}" rx="2"${fill}/>
<path class="whisker ground" d="M${low} ${middle}H${high}M${low} ${middle - 4}v8M${high} ${middle - 4}v8"/>
<path class="whisker" d="M${low} ${middle}H${high}M${low} ${middle - 4}v8M${high} ${middle - 4}v8"/>
<text class="arm-value" x="${high + 10}" y="${middle + 4}">${decimal(arm.loss)} ± ${decimal(arm.standardError)}</text></g>`;
}
