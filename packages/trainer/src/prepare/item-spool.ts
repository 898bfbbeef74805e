// What is said of pictures on the way: in memory as long as it is little, else in files of the scratch folder. By name they are
// sorted as data that does not fit into memory is: sorted pieces, which are merged.
import { byCodeUnit, type Schema } from '@paris/files';
import type { DataItem, ShardFile } from '../data/formats.js';
import { filedItems, itemFiles } from '../data/item-files.js';
import { type Items, itemsOf } from '../data/items.js';
import { Numbers } from '../data/numbers.js';
import { mergeRuns, type Order, type Run, type Spooled, writeRun } from './runs.js';
import type { Scratch } from './scratch.js';

/** Items in the order in which they are to be stored. */
export interface SpooledItems {
  /** Those in files can be read until the scratch folder is cleared. */
  readonly items: Items;
  /** Of each, as how manieth it came. */
  readonly order: Uint32Array;
  /** Those that are left out since an earlier one has their name. */
  readonly repeated: readonly { readonly id: string; readonly at: number }[];
}

/** How items are kept. */
export interface ItemSpoolOptions {
  /** `name`: by code unit; of one name, only the first is kept. */
  order: 'source' | 'name';
  /** Bytes of text in memory at most, about; no more than 4 MiB in any case. */
  shardBytes?: number | undefined;
}

/** Bytes of text in memory. */
const MOST = 4 * 2 ** 20;

/** Collects items one at a time. */
export class ItemSpool {
  readonly #runs: Run[] = [];
  readonly #most: number;
  readonly #order: Order;
  #pending: Spooled[] = [];
  #bytes = 0;
  #count = 0;

  constructor(
    private readonly scratch: Scratch,
    private readonly options: ItemSpoolOptions,
  ) {
    this.#most = Math.min(MOST, options.shardBytes ?? MOST);
    this.#order = options.order === 'name' ? byName : (a, b) => a.at - b.at;
  }

  /** How many there are by now. */
  get count(): number {
    return this.#count;
  }

  async add(item: DataItem): Promise<void> {
    this.#pending.push({ at: this.#count++, item });
    this.#bytes += lengthOf(item);
    if (this.#bytes >= this.#most) await this.#flush();
  }

  /** All of them, in order. */
  async finish(): Promise<SpooledItems> {
    const [order, repeated] = [new Numbers(), [] as { id: string; at: number }[]];
    if (this.#runs.length === 0) {
      const list: DataItem[] = [];
      for await (const item of this.#kept(this.#pending.sort(this.#order), order, repeated)) list.push(item);
      return { items: itemsOf(list), order: order.all(), repeated };
    }
    if (this.#pending.length > 0) await this.#flush();
    const { store } = this.scratch;
    const kept = this.#kept(mergeRuns(store, this.#runs, this.#order), order, repeated);
    const files: ShardFile[] = [];
    for await (const { file, content, ...rest } of itemFiles(kept, this.options)) {
      await store.write(`${FOLDER}/${file}`, content);
      files.push({ file, ...rest });
    }
    return { items: filedItems(store, FOLDER, files, asWritten), order: order.all(), repeated };
  }

  async *#kept(
    sorted: Iterable<Spooled> | AsyncIterable<Spooled>,
    order: Numbers,
    repeated: { id: string; at: number }[],
  ): AsyncGenerator<DataItem> {
    let last: string | undefined;
    for await (const { at, item } of sorted) {
      if (this.options.order === 'name' && item.id === last) {
        repeated.push({ id: last, at });
        continue;
      }
      last = item.id;
      order.push(at);
      yield item;
    }
  }

  async #flush(): Promise<void> {
    await this.scratch.begin();
    const file = `${FOLDER}/run-${String(this.#runs.length).padStart(5, '0')}.jsonl`;
    this.#runs.push(await writeRun(this.scratch.store, file, this.#pending.sort(this.#order)));
    [this.#pending, this.#bytes] = [[], 0];
  }
}

const byName: Order = (a, b) => byCodeUnit(a.item.id, b.item.id) || a.at - b.at;

/** In the scratch folder. */
const FOLDER = 'items';

/** Characters of an item as text, about. */
function lengthOf(item: DataItem): number {
  return Object.values(item).reduce((sum: number, text) => sum + 12 + String(text ?? '').length, 0);
}

/** What this process wrote and finds with the same hash. */
const asWritten: Schema<DataItem[]> = {
  safeParse: (value) => ({ success: true, data: value as DataItem[] }),
};
