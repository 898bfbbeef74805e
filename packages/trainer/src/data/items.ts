// What is said of pictures, in ranges: a folder may have more pictures than names and captions fit into memory.
import type { DataItem } from './formats.js';
import { Numbers } from './numbers.js';

/** What is said of the pictures of a folder; item i belongs to row i of its columns. `for await` reads all of them, in order. */
export interface Items<I extends DataItem = DataItem> extends AsyncIterable<I> {
  readonly count: number;
  /** The items [from, from + count). */
  read(from: number, count: number): Promise<readonly I[]>;
}

/** Items that are read at once while all are passed through. */
const AT_ONCE = 256;

/** Items that `read` gives. */
export function itemsBy<I extends DataItem>(count: number, read: Items<I>['read']): Items<I> {
  return {
    count,
    read,
    async *[Symbol.asyncIterator]() {
      for (let from = 0; from < count; from += AT_ONCE) yield* await read(from, Math.min(AT_ONCE, count - from));
    },
  };
}

/** Items that are in memory. */
export function itemsOf<I extends DataItem>(list: readonly I[]): Items<I> {
  return itemsBy(list.length, async (from, count) => list.slice(from, from + count));
}

/** What becomes of each item. */
export function mapItems<I extends DataItem, J extends DataItem>(
  items: Items<I>,
  map: (item: I, row: number) => J,
): Items<J> {
  return itemsBy(items.count, async (from, count) => {
    const own = await items.read(from, count);
    return own.map((item, i) => map(item, from + i));
  });
}

/** Rows that are read with those beside them: most are in one file. */
const GAP = 64;

/** Items by their numbers, as items again: item i is item `rows[i]`. Numbers in ascending order are read once each. */
export function pickItems<I extends DataItem>(items: Items<I>, rows: ArrayLike<number>): Items<I> {
  return itemsBy(rows.length, async (from, count) => {
    const places = Array.from({ length: count }, (_, at) => ({ row: rows[from + at]!, at }));
    places.sort((a, b) => a.row - b.row);
    const picked = new Array<I>(count);
    for (let start = 0; start < count; ) {
      let end = start + 1;
      while (end < count && places[end]!.row - places[end - 1]!.row <= GAP) end++;
      const first = places[start]!.row;
      const own = await items.read(first, places[end - 1]!.row - first + 1);
      for (const { row, at } of places.slice(start, end)) picked[at] = own[row - first]!;
      start = end;
    }
    return picked;
  });
}

/** The items of several one after the other. */
export function joinItems<I extends DataItem>(all: readonly Items<I>[]): Items<I> {
  const count = all.reduce((sum, items) => sum + items.count, 0);
  return itemsBy(count, async (from, wanted) => {
    const joined: I[] = [];
    let start = 0;
    for (const items of all) {
      const [first, last] = [Math.max(from, start), Math.min(from + wanted, start + items.count)];
      if (first < last) joined.push(...(await items.read(first - start, last - first)));
      start += items.count;
    }
    return joined;
  });
}

/** All items in one list, for folders that are known to be small. */
export async function listItems<I extends DataItem>(items: Items<I>): Promise<I[]> {
  const list: I[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** The rows of the items for which something holds. */
export async function rowsWhere<I extends DataItem>(
  items: Items<I>,
  holds: (item: I, row: number) => boolean,
): Promise<Uint32Array> {
  const rows = new Numbers();
  let row = 0;
  for await (const item of items) {
    if (holds(item, row)) rows.push(row);
    row++;
  }
  return rows.all();
}

/** How often each value occurs; none is not counted. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(value: string | undefined): void {
    if (value !== undefined) this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  /** By value, in their order. */
  all(): { [value: string]: number } {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** How often each value occurs among items, by value; of none it is not counted. */
export async function tallyItems<I extends DataItem>(
  items: Items<I>,
  valueIn: (item: I) => string | undefined,
): Promise<{ [value: string]: number }> {
  const tally = new Tally();
  for await (const item of items) tally.add(valueIn(item));
  return tally.all();
}

/** The category of each item. Equal ones are one text: a list of many holds no more than their number. */
export async function categoriesOf(items: Items): Promise<(string | undefined)[]> {
  const known = new Map<string, string>();
  const categories: (string | undefined)[] = [];
  for await (const { category } of items) {
    if (category !== undefined && !known.has(category)) known.set(category, category);
    categories.push(category === undefined ? undefined : known.get(category));
  }
  return categories;
}
