// What the charts share: a drawing area with axes, as SVG whose colours come from the page's style sheet.

import type { ScaleLinear } from 'd3-scale';
import { type Html, html } from '../html.js';

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface ChartText {
  /** What the chart shows, for those who do not see it. */
  readonly label: string;
  readonly x: string;
  readonly y: string;
}

/** A line chart's surroundings: grid, tick labels, axis titles, with `content` drawn above the grid. */
export function chart(
  frame: Frame,
  text: ChartText,
  x: ScaleLinear<number, number>,
  y: ScaleLinear<number, number>,
  content: readonly Html[],
): Html {
  const { width, height, left, right, top, bottom } = frame;
  const base = height - bottom;
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${text.label}">
${y.ticks(5).map((tick) => html`<line class="grid" x1="${left}" x2="${width - right}" y1="${round(y(tick))}" y2="${round(y(tick))}"/><text class="tick" x="${left - 8}" y="${round(y(tick) + 4)}" text-anchor="end">${y.tickFormat(5)(tick)}</text>`)}
${x.ticks(6).map((tick) => html`<text class="tick" x="${round(x(tick))}" y="${base + 18}" text-anchor="middle">${x.tickFormat(6)(tick)}</text>`)}
<line class="axis" x1="${left}" x2="${width - right}" y1="${base}" y2="${base}"/>
<text class="axis-title" x="${width - right}" y="${height - 6}" text-anchor="end">${text.x}</text>
<text class="axis-title" x="${left}" y="${top - 10}">${text.y}</text>
${content}</svg>`;
}

/** Short coordinates keep the file small. */
export const round = (x: number) => Math.round(x * 10) / 10;
