// Near-copies: the same picture again, mirrored, recompressed, resized or a little brighter. If one of them were held out
// and another learned, memorisation would look like skill.

import { columnOf } from '../data/columns.js';
import type { DataItem } from '../data/formats.js';
import { type Items, listItems, mapItems, pickItems } from '../data/items.js';
import type { Rows } from '../data/rows.js';
import { closePairs } from './close-pairs.js';
import { type Look, type Looks, lookOf, type OrderedLooks, UNIT } from './looks.js';

/**
 * Two pictures are near-copies if, each channel brought to mean 0 and the whole to length 1, they or their mirror images are
 * at most so far apart. Of 1,500 emoji at 16 px, mirrored ones are 0.000 from their originals, JPEGs of quality 85 mostly
 * 0.03 to 0.05, those of half the size 0.02 to 0.03; of different ones, 2 % have another within 0.1.
 */
const MOST_APART = 0.1;
/** The same of averages, with room for what was rounded off. */
const MOST_APART_ROUNDED = UNIT * (MOST_APART + 3e-4);
/** Pixels that are kept while they are compared, in bytes. */
const CACHE_BYTES = 16 * 2 ** 20;

/** Pairs that are compared before other work may go on: some tens of milliseconds. */
const PAIRS_AT_ONCE = 2 ** 20;

/**
 * Sets of rows that are near-copies of each other, directly or over others of the set; each ascending, by its first row.
 * Compares only pairs whose coarse, mirror-symmetric averages are close: all that could be near-copies, few others. Of these
 * the pixels are read.
 * @param looks - of the rows, in any order that is said
 * @param rows - with the column `images`
 */
export async function nearCopies(
  { looks, order }: OrderedLooks,
  rows: Rows,
  signal?: AbortSignal,
): Promise<number[][]> {
  const { averages: dimensions, coarse: values } = looks;
  const rowOf = new Uint32Array(looks.count);
  for (const [row, at] of order.entries()) rowOf[at] = row;
  const sets = new Sets(order.length);
  const read = cached(rows, looks);
  let pairs = 0;
  const look = async (a: number, b: number) => {
    const [rowA, rowB] = [rowOf[a]!, rowOf[b]!];
    if (!sets.same(rowA, rowB) && areNear(looks, await read(rowA), await read(rowB))) sets.join(rowA, rowB);
  };
  const compare = (a: number, b: number) => {
    pairs++;
    return maybeNear(looks, a, b) ? look(a, b) : undefined;
  };
  const pause = () => {
    if (pairs < PAIRS_AT_ONCE) return undefined;
    pairs = 0;
    signal?.throwIfAborted();
    return new Promise<void>((resolve) => setTimeout(resolve));
  };
  await closePairs({ which: order, dimensions, values }, MOST_APART_ROUNDED, compare, pause);
  return sets.larger();
}

/** @returns false only for pictures that are not near-copies */
function maybeNear({ averages, coarse, levels, form: { channels } }: Looks, a: number, b: number): boolean {
  const [levelsA, levelsB] = [a * (channels + 1), b * (channels + 1)];
  const most = mostBetweenMeans(levels[levelsA + channels]!, levels[levelsB + channels]!) + 1e-3;
  for (let c = 0; c < channels; c++) if (Math.abs(levels[levelsA + c]! - levels[levelsB + c]!) > most) return false;
  let squares = 0;
  for (let i = 0; i < averages && squares <= MOST_APART_ROUNDED ** 2; i++)
    squares += (coarse[a * averages + i]! - coarse[b * averages + i]!) ** 2;
  return squares <= MOST_APART_ROUNDED ** 2;
}

/** Pictures of one colour differ in nothing else; those with content may have been made brighter. */
function mostBetweenMeans(deviationA: number, deviationB: number): number {
  return 1 + Math.min(deviationA, deviationB) / 2;
}

interface Picture {
  readonly pixels: Uint8Array;
  readonly look: Look;
}

/** Reads pictures, and keeps those that were asked for last. */
function cached(rows: Rows, { form }: Looks): (row: number) => Promise<Picture> {
  const kept = new Map<number, Picture>();
  const most = Math.max(2, Math.floor(CACHE_BYTES / (form.channels * form.size ** 2)));
  return async (row) => {
    let picture = kept.get(row);
    if (!picture) {
      const pixels = columnOf(await rows.read(row, 1), 'images', 'u8');
      picture = { pixels, look: lookOf(pixels, form) };
    }
    kept.delete(row);
    kept.set(row, picture); // the newest is the last
    if (kept.size > most) kept.delete(kept.keys().next().value!);
    return picture;
  };
}

function areNear({ form }: Looks, a: Picture, b: Picture): boolean {
  const most = mostBetweenMeans(a.look.deviation, b.look.deviation);
  if (a.look.means.some((mean, c) => Math.abs(mean - b.look.means[c]!) > most)) return false;
  return [false, true].some((mirrored) => distance(form, a, b, mirrored) <= MOST_APART);
}

function distance(
  { channels, size }: Looks['form'],
  { pixels: pixelsA, look: a }: Picture,
  { pixels: pixelsB, look: b }: Picture,
  mirrored: boolean,
): number {
  let squares = 0;
  for (let line = 0; line < channels * size; line++) {
    const start = line * size;
    const [meanA, meanB] = [a.means[Math.floor(line / size)]!, b.means[Math.floor(line / size)]!];
    for (let x = 0; x < size; x++) {
      const other = pixelsB[start + (mirrored ? size - 1 - x : x)]!;
      squares += ((pixelsA[start + x]! - meanA) * a.scale - (other - meanB) * b.scale) ** 2;
    }
  }
  return Math.sqrt(squares);
}

/**
 * The items, each set of near-copies (rows) in one group together with all else in their groups: that which is first by
 * code unit. Other items keep theirs.
 */
export async function joinGroups<T extends DataItem>(
  items: Items<T>,
  copies: readonly (readonly number[])[],
): Promise<Items<T>> {
  if (copies.length === 0) return items;
  const groups = (await listItems(pickItems(items, copies.flat()))).map(({ group }) => group);
  const names = [...new Set(groups)].sort();
  const places = new Map(names.map((name, i) => [name, i]));
  const place = (at: number) => places.get(groups[at]!)!;
  const sets = new Sets(names.length);
  let first = 0;
  for (const { length } of copies) {
    for (let i = 1; i < length; i++) sets.join(place(first), place(first + i));
    first += length;
  }
  const joined = new Map(names.map((name, i) => [name, names[sets.root(i)]!]));
  return mapItems(items, (item) => {
    const group = joined.get(item.group) ?? item.group;
    return group === item.group ? item : { ...item, group };
  });
}

/** Disjoint sets of numbers, each known by its smallest member. */
class Sets {
  readonly #above: Uint32Array;

  constructor(count: number) {
    this.#above = Uint32Array.from({ length: count }, (_, i) => i);
  }

  root(i: number): number {
    let root = i;
    while (this.#above[root] !== root) root = this.#above[root]!;
    for (let at = i; at !== root; ) {
      const next = this.#above[at]!;
      this.#above[at] = root;
      at = next;
    }
    return root;
  }

  same(a: number, b: number): boolean {
    return this.root(a) === this.root(b);
  }

  join(a: number, b: number): void {
    const [first, second] = [this.root(a), this.root(b)].sort((x, y) => x - y) as [number, number];
    this.#above[second] = first;
  }

  /** Those of more than one. */
  larger(): number[][] {
    const sets = new Map<number, number[]>();
    for (const i of this.#above.keys()) {
      const root = this.root(i);
      if (root === i) continue; // the smallest, which comes with the second
      const own = sets.get(root);
      if (own) own.push(i);
      else sets.set(root, [root, i]);
    }
    return [...sets.values()].sort(([a], [b]) => a! - b!);
  }
}
