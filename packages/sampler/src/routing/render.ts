/** Which expert worked when, as a picture: a band for each sampled picture, from noise to data. No library, no DOM. */
import { html } from '@paris/files';
import { ValueError } from '@paris/tensor';
import { meanWeights } from './mean-weights.js';
import type { RoutingRecord } from './mixture.js';

/** What is written on the picture. */
export interface RenderRoutingOptions {
  /** What stands before each band, such as the prompts. Default `picture 0`, `picture 1`, … */
  readonly labels?: readonly string[];
  /** Default `Which expert worked when`. */
  readonly title?: string;
}

/**
 * An SVG of the weights of `generate().routing`: a band for each picture, a column for each model evaluation, and in it a
 * share for each expert. Evaluations with a near-tie (see `telemetry`) have a dot above. More than 16 pictures are thin bands,
 * under one of their mean; pictures of one label follow each other under it. A legend names the experts, with their shares. The
 * title and a summary in words are its accessible name and description; labels may hold anything.
 * @throws ValueError if there is nothing to draw, or not a label for each picture
 * @example
 * const { routing, prompts } = await pipeline.generate({ prompt: 'cat face', count: 4 });
 * await writeFile('routing.svg', renderRouting(routing, { labels: prompts }));
 */
export function renderRouting(
  routing: readonly (readonly RoutingRecord[])[],
  options: RenderRoutingOptions = {},
): string {
  const { labels = routing.map((_, i) => `picture ${i}`), title = 'Which expert worked when' } = options;
  const columns = routing[0]?.length ?? 0;
  if (columns === 0 || routing.some((records) => records.length !== columns)) {
    const got = `${routing.length} pictures with ${routing.map((records) => records.length).join(', ') || 'no'} evaluations`;
    throw new ValueError('renderRouting', `there is nothing to draw: ${got}. Pass the routing that generate returned.`);
  }
  if (labels.length !== routing.length) {
    throw new ValueError(
      'renderRouting',
      `${routing.length} pictures have ${labels.length} labels. Give one for each.`,
    );
  }
  const shares = meanWeights(routing.flat());
  const hasTies = routing.some((records) => records.some(({ telemetry }) => telemetry?.nearTie));
  const isMany = routing.length > fewPictures;
  const rows = isMany ? manyRows(routing, labels) : routing.map((records, i) => fewRow(records, labels[i]!, i));
  const last = rows.at(-1)!;
  const axisTop = isMany ? last.y + last.height + gap : top + routing.length * rowHeight;
  const legend = legendOf(shares, hasTies && !isMany, axisTop + 44);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${width} ${legend.bottom}" width="${width}" height="${legend.bottom}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(summary(routing, shares))}</desc>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${gap}" y="24" font-size="15" font-weight="600">${escaped(title)}</text>`,
    ...rows.map(band),
    ...axis(routing[0]!, axisTop),
    ...legend.lines,
    '</svg>',
    '',
  ].join('\n');
}

/**
 * A colour for an expert. The first eight are those of Okabe and Ito, which most kinds of colour vision tell apart; the
 * next eight lie at least 26 from each other and from those (CIE 1976 ΔE). More than sixteen cannot all be told apart.
 */
export function expertColour(expert: number): string {
  return palette[expert] ?? `hsl(${Math.round((expert * 137.508) % 360)} 65% ${expert % 2 ? 35 : 60}%)`;
}

const palette = [
  ...['#E69F00', '#0072B2', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#F0E442', '#595959'],
  ...['#1010E8', '#10E810', '#E810C8', '#701010', '#707010', '#A070E8', '#E81070', '#40A010'],
];

const [width, left, top, gap] = [860, 200, 44, 16];
const [rowHeight, bandHeight] = [46, 34];
const plotWidth = width - left - gap;

/** Up to so many pictures have a high band each. */
const fewPictures = 16;
const [thinHeight, lineHeight] = [7, 15];

/** A band: weights by evaluation, what they are of, and where they are. */
interface Row {
  readonly records: readonly Pick<RoutingRecord, 'weights' | 'telemetry'>[];
  readonly title: string;
  /** Whether the title is written in front. */
  readonly isNamed: boolean;
  readonly y: number;
  readonly height: number;
}

function fewRow(records: Row['records'], title: string, i: number): Row {
  return { records, title, isNamed: true, y: top + i * rowHeight, height: bandHeight };
}

/** The mean of all, then each; a label is written where it is new and there is room for its line. */
function manyRows(routing: readonly (readonly RoutingRecord[])[], labels: readonly string[]): Row[] {
  const mean = routing[0]!.map((_, i) => ({
    weights: Float32Array.from(meanWeights(routing.map((records) => records[i]!))),
  }));
  let named = Number.NEGATIVE_INFINITY;
  const thin = routing.map((records, i): Row => {
    const y = top + rowHeight + i * (thinHeight + 1);
    const isNamed = labels[i] !== labels[i - 1] && y - named >= lineHeight;
    if (isNamed) named = y;
    const plain = records.map(({ weights }) => ({ weights }));
    return { records: plain, title: labels[i]!, isNamed, y, height: thinHeight };
  });
  return [fewRow(mean, `all ${routing.length} pictures`, 0), ...thin];
}

/** One picture: a path for each expert, and its number where it works longest. */
function band({ records, title, isNamed, y, height: bandHeight }: Row): string {
  const column = plotWidth / records.length;
  const x = (i: number) => number(left + i * column);
  const experts = records[0]!.weights.length;
  const boxes = Array.from({ length: experts }, () => [] as string[]);
  const middles = records.map(() => new Array<number>(experts).fill(0));
  for (const [i, { weights }] of records.entries()) {
    let below = y;
    for (const [k, weight] of weights.entries()) {
      const height = weight * bandHeight;
      middles[i]![k] = below + height / 2;
      if (height > 0) boxes[k]!.push(`M${x(i)} ${number(below)}H${x(i + 1)}V${number(below + height)}H${x(i)}Z`);
      below += height;
    }
  }
  const paths = boxes.flatMap((parts, k) =>
    parts.length > 0 ? [`<path fill="${expertColour(k)}" d="${parts.join('')}"><title>expert ${k}</title></path>`] : [],
  );
  const isHigh = bandHeight > lineHeight;
  const numbers = boxes.flatMap((_, k) => {
    if (!isHigh) return [];
    const [from, to] = longestStretch(records, k);
    if ((to - from) * column < 14) return [];
    const middle = Math.floor((from + to) / 2);
    const at = `x="${number(left + ((from + to) / 2) * column)}" y="${number(middles[middle]![k]! + 4)}"`;
    return [`<text ${at} text-anchor="middle" fill="${inkOn(expertColour(k))}">${k}</text>`];
  });
  const ties = records.flatMap(({ telemetry }, i) =>
    telemetry?.nearTie ? [`<circle cx="${number(left + (i + 0.5) * column)}" cy="${y - 4}" r="2"/>`] : [],
  );
  // An inner SVG cuts off what is too wide: nobody knows here how wide letters are.
  const [line, baseline] = isHigh ? [bandHeight, bandHeight / 2 + 4] : [lineHeight, 10];
  const text = `<svg x="${gap}" y="${y}" width="${left - gap - 8}" height="${line}"><text y="${baseline}">${escaped(shortened(title))}<title>${escaped(title)}</title></text></svg>`;
  const name = isHigh ? [] : [`<title>${escaped(title)}</title>`];
  const drawing = ['<g shape-rendering="crispEdges">', ...name, ...paths, '</g>', ...numbers, ...ties];
  return [...(isNamed ? [text] : []), ...drawing].join('\n');
}

/** Where an expert has a third of the weight or more for longest: evaluations [from, to). */
function longestStretch(records: Row['records'], expert: number): [number, number] {
  let longest: [number, number] = [0, 0];
  let from = 0;
  for (let i = 0; i < records.length; i++) {
    if (records[i]!.weights[expert]! < 1 / 3) from = i + 1;
    else if (i + 1 - from > longest[1] - longest[0]) longest = [from, i + 1];
  }
  return longest;
}

/** Times of five evaluations at most, where they begin. */
function axis(records: readonly RoutingRecord[], y: number): string[] {
  const column = plotWidth / records.length;
  const count = Math.min(5, records.length);
  const ticks = Array.from({ length: count }, (_, i) => Math.floor((i * records.length) / count));
  return [
    ...ticks.map((i) => `<text x="${number(left + i * column)}" y="${y + 8}">${records[i]!.time.toFixed(2)}</text>`),
    `<text x="${gap}" y="${y + 8}" fill="#555">time (1 is noise)</text>`,
    `<text x="${width - gap}" y="${y + 8}" text-anchor="end" fill="#555">data</text>`,
  ];
}

function legendOf(shares: readonly number[], hasTies: boolean, y: number) {
  const [cell, perLine] = [130, Math.floor((width - 2 * gap) / 130)];
  const at = (i: number) => [gap + (i % perLine) * cell, y + Math.floor(i / perLine) * 22] as const;
  const lines = shares.map((share, k) => {
    const [x, line] = at(k);
    const box = `<rect x="${x}" y="${line - 10}" width="12" height="12" fill="${expertColour(k)}"/>`;
    return `${box}<text x="${x + 18}" y="${line}">expert ${k}: ${percent(share)}</text>`;
  });
  if (hasTies) {
    const [x, line] = at(shares.length);
    lines.push(`<circle cx="${x + 6}" cy="${line - 4}" r="2"/><text x="${x + 18}" y="${line}">near-tie</text>`);
  }
  return { lines, bottom: at(lines.length - 1)[1] + gap };
}

/** What the picture shows, in words. */
function summary(routing: readonly (readonly RoutingRecord[])[], shares: readonly number[]): string {
  const [pictures, evaluations] = [routing.length, routing[0]!.length];
  const ranked = [...shares.keys()].filter((k) => shares[k]! > 0).sort((a, b) => shares[b]! - shares[a]!);
  const list = ranked.map((k) => `expert ${k} ${percent(shares[k]!)}`).join(', ');
  return `Shares of ${shares.length} experts in ${plural(pictures, 'picture')} over ${plural(evaluations, 'model evaluation')} from noise to data. On average: ${list}.`;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.01 ? 1 : 0)} %`;
}

/** Black or white, whichever contrasts more with a colour of the palette (WCAG 2 relative luminance). */
function inkOn(colour: string): string {
  const linear = [1, 3, 5].map((at) => (Number.parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  const luminance = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
  return luminance > 0.18 ? '#000' : '#fff'; // NaN, beyond the palette: white
}

function shortened(label: string): string {
  const characters = Array.from(label);
  return characters.length > 25 ? `${characters.slice(0, 24).join('')}…` : label;
}

function escaped(text: string): string {
  return html`${text}`.markup;
}

function number(value: number): string {
  return String(Math.round(value * 100) / 100);
}
