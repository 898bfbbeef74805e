// Line charts as SVG, with what a page needs of them and no more: axes with round numbers, a legend, and a band between the
// smallest and the largest value where many points share a place.
import { type Html, html } from '@paris/files';

/** A line of a chart: points by rising x. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface ChartOptions {
  readonly title: string;
  readonly series: readonly Series[];
  /** Puts the values on a logarithmic axis; those that are not above 0 are left out. */
  readonly logarithmic?: boolean;
}

const [width, height] = [640, 230];
const inner = { left: 64, right: 24, top: 10, bottom: 26 };
/** More points than this are drawn as means with a band around them. */
const mostPoints = 240;

/** The chart, with its title above it; undefined if there is nothing to draw. */
export function lineChart(options: ChartOptions): Html | undefined {
  const { title, logarithmic = false } = options;
  const drawn = options.series
    .map(({ name, points }) => ({
      name,
      points: points.filter(([, y]) => Number.isFinite(y) && (!logarithmic || y > 0)),
    }))
    .filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return undefined;
  const lines = drawn.map(({ name, points }) => ({ name, buckets: inBuckets(points) }));
  const all = lines.flatMap(({ buckets }) => buckets);
  const x = axis(Math.min(...all.map((b) => b.x)), Math.max(...all.map((b) => b.x)), false);
  const y = axis(Math.min(...all.map((b) => b.low)), Math.max(...all.map((b) => b.high)), logarithmic);
  const atX = (value: number) => inner.left + x.place(value) * (width - inner.left - inner.right);
  const atY = (value: number) => height - inner.bottom - y.place(value) * (height - inner.top - inner.bottom);
  const point = (px: number, py: number) => `${atX(px).toFixed(1)},${atY(py).toFixed(1)}`;
  return html`<figure class="chart">
<figcaption>${title}${lines.length > 1 && legend(lines.map(({ name }) => name))}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
${y.ticks.map((tick) => html`<path class="grid" d="M${inner.left} ${atY(tick).toFixed(1)}H${width - inner.right}"/><text x="${inner.left - 6}" y="${(atY(tick) + 4).toFixed(1)}" text-anchor="end">${short(tick)}</text>`)}
${x.ticks.map((tick) => html`<text x="${atX(tick).toFixed(1)}" y="${height - 8}" text-anchor="middle">${short(tick)}</text>`)}
${lines.map(
  (
    { buckets },
    i,
  ) => html`${band(buckets, point, i)}<polyline class="line c${i % 8}" points="${buckets.map((b) => point(b.x, b.mean)).join(' ')}"/>${buckets.length === 1 && html`<circle class="dot c${i % 8}" r="3" cx="${atX(buckets[0]!.x).toFixed(1)}" cy="${atY(buckets[0]!.mean).toFixed(1)}"/>`}
`,
)}</svg>
</figure>
`;
}

/** The styles of charts: for the page's style sheet. */
export const chartStyle: string = `
.chart svg { width: 100%; max-width: 40rem; }
.chart text { font-size: 11px; fill: currentColor; opacity: .8; }
.chart .grid { stroke: currentColor; opacity: .15; }
.chart .line { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.chart .band { stroke: none; opacity: .18; }
.legend { font-size: .8rem; }
.legend span { white-space: nowrap; margin-left: .75rem; }
${[
  ['#1f6feb', '#79b8ff'],
  ['#b35900', '#ffb454'],
  ['#1a7f37', '#7ee787'],
  ['#a40e26', '#ff8a80'],
  ['#6f42c1', '#d2a8ff'],
  ['#0b7285', '#66d9e8'],
  ['#8a6d00', '#ffe066'],
  ['#5c5f66', '#c1c2c5'],
]
  .map(([light, dark], i) => {
    const colour = `light-dark(${light}, ${dark})`;
    return `.line.c${i} { stroke: ${colour}; } .dot.c${i}, .band.c${i} { fill: ${colour}; } .key.c${i} { color: ${colour}; }`;
  })
  .join('\n')}
`;

interface Bucket {
  x: number;
  mean: number;
  low: number;
  high: number;
}

/** Neighbours together, so that there are not more places than can be seen. */
function inBuckets(points: Series['points']): Bucket[] {
  const size = Math.ceil(points.length / mostPoints);
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const own = points.slice(i * size, (i + 1) * size);
    const values = own.map(([, y]) => y);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { x: own.at(-1)![0], mean, low: Math.min(...values), high: Math.max(...values) };
  });
}

function band(buckets: readonly Bucket[], point: (x: number, y: number) => string, colour: number): Html | false {
  if (buckets.every(({ low, high }) => low === high)) return false;
  const there = buckets.map((b) => point(b.x, b.high));
  const back = [...buckets].reverse().map((b) => point(b.x, b.low));
  return html`<polygon class="band c${colour % 8}" points="${[...there, ...back].join(' ')}"/>`;
}

function legend(names: readonly string[]): Html {
  return html`<span class="legend">${names.map((name, i) => html`<span><span class="key c${i % 8}">■</span> ${name}</span> `)}</span>`;
}

/** From values to places in [0, 1], with round numbers on the way. */
function axis(from: number, to: number, logarithmic: boolean) {
  if (logarithmic) {
    const [low, high] = [
      Math.floor(Math.log10(from)),
      Math.max(Math.ceil(Math.log10(to)), Math.floor(Math.log10(from)) + 1),
    ];
    const every = Math.ceil((high - low) / 5);
    const ticks = Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => 10 ** (low + i * every));
    return { ticks, place: (value: number) => (Math.log10(value) - low) / (high - low) };
  }
  const span = to - from || Math.abs(to) || 1;
  const step = roundStep(span / 5);
  const [low, high] = [Math.floor(from / step) * step, Math.ceil((from === to ? from + span : to) / step) * step];
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step);
  return { ticks, place: (value: number) => (value - low) / (high - low) };
}

/** The next of 1, 2, 5, 10, … */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((digit) => digit * power >= least) ?? 10);
}

/** 1234567 → 1.2M */
function short(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 1e-3)) return value.toExponential(0);
  const [unit, name] = size >= 1e9 ? [1e9, 'G'] : size >= 1e6 ? [1e6, 'M'] : size >= 1e4 ? [1e3, 'k'] : [1, ''];
  return `${Number((value / unit).toPrecision(3))}${name}`;
}
