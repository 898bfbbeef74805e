// Pictures → a data folder: captioned, split into what is learned from and what is held out, written.
import { checkName, type FileStore } from '@paris/files';
import { captionWords, type LabelSet, MAX_TOKENS, WordCounts } from '@paris/model';
import { key, ValueError } from '@paris/tensor';
import { classesOf } from '../data/classes.js';
import { columnsOf } from '../data/columns.js';
import { type Encodings, encodedColumns, encodingsOf } from '../data/encodings.js';
import { assertUnpartitioned, readManifest, writeManifestFolder } from '../data/files.js';
import type { DataItem, Manifest, ManifestItem } from '../data/formats.js';
import { type Items, listItems, mapItems, pickItems } from '../data/items.js';
import type { Unwritten } from '../data/records.js';
import { DataError } from '../errors.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput } from '../output/replace.js';
import { type Collected, collect } from './collect.js';
import { joinGroups, nearCopies } from './near-copies.js';
import type { PictureSource, PixelSource, SkippedPicture } from './picture-source.js';
import { encodingsBy, type RecordEncoders, recordRows } from './record-rows.js';
import { isHeldOut } from './split.js';
import { openSpool, type PixelStore } from './spool.js';

/** Where pictures go, and what of them is held out. */
export interface PreparePicturesOptions {
  pictures: PictureSource;
  out: FileStore;
  /** Edge length of the pictures in pixels. */
  size: number;
  /** Share of the groups that no training sees. Default 0.1. */
  holdout?: number;
  seed?: number;
  /** Whether near-copies (see `Manifest.nearCopies`) are looked for and kept in one group. Default true. */
  nearCopies?: boolean | undefined;
  /** Most words in the vocabulary. Default 1000. */
  vocabularyLimit?: number;
  /**
   * The vocabulary of another data folder, so that experts trained on either belong to one model. Default: the most frequent
   * words of the training captions.
   */
  vocabulary?: readonly string[] | undefined;
  /**
   * As they come, or by `name`, by code unit; of two with one name, the first in the source counts, the other is skipped. Default
   * `source`.
   */
  order?: 'source' | 'name' | undefined;
  /**
   * Bytes of records in one file at most: pictures that need no more are one file. Default 64 MiB. As much is held in memory;
   * what more is decoded waits in a folder of `out`, `paris-preparation`, until all is there.
   */
  shardBytes?: number | undefined;
  /** Adds latents, features of captions, or both. Default: nothing is encoded. */
  encoders?: RecordEncoders | undefined;
  /** Adds classes by number, of these or of the categories of the pictures, all of which need one. Default: none are added. */
  classes?: LabelSet | 'categories' | undefined;
  /** Whether what was partitioned in `out` may go, where the pictures are others now. Default false. */
  fresh?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Writes `manifest.json` and `images.safetensors` (`images` u8 [N, 3, size, size], `tokens` u32 [N, 8]), or several such files
 * of a bounded size, to `out`, once all pictures are there. The same pictures again change nothing; others are refused where `out` is partitioned, unless `fresh`.
 * Memory holds some tens of bytes of each picture, and 64 where near-copies are looked for.
 * @returns what `manifest.json` says; `manifestItems` reads what it says of each picture
 * @throws ValueError for a seed that is no whole number in [0, 2⁵³), or a size, a share, a limit, an order or classes that are none; OutputError if the output holds something else than a data folder of ours, or clusters that would go; DataError if there is no usable
 *   picture, or none for training, or one of another size; the signal's reason when it is aborted
 */
export async function preparePictures(options: PreparePicturesOptions): Promise<Manifest> {
  const { out, size, shardBytes, pictures } = options;
  await assertPreparable(options);
  return prepareFrom(pictures, await openSpool(out, { size, shardBytes }), options);
}

/** What can be known before a picture is decoded. @throws as {@link preparePictures} */
export async function assertPreparable(options: Omit<PreparePicturesOptions, 'pictures'>): Promise<void> {
  const { out, size, holdout = 0.1, seed = 0, vocabularyLimit = 1000, order = 'source', classes, fresh } = options;
  key(seed); // a seed that the next command refuses is refused here
  assertNumber('size', size, Number.isSafeInteger(size) && size >= 1, 'a whole number from 1 on');
  assertNumber('holdout', holdout, holdout >= 0 && holdout <= 1, 'a number from 0 to 1');
  assertNumber('vocabularyLimit', vocabularyLimit, vocabularyLimit >= 0, 'a number from 0 on');
  checkName('prepare', 'order', order, ['source', 'name']);
  if (typeof classes === 'string') checkName('prepare', 'classes', classes, ['categories']);
  await recoverOutput(out);
  await claimOutput(out, dataFolder, 'prepare');
  if (!fresh) await assertSame(out, { size: options.encoders?.keep ?? size, holdout, seed });
}

function assertNumber(name: string, value: number, holds: boolean, kind: string): void {
  if (!holds) throw new ValueError('prepare', `${name} is ${value}. Give ${kind}.`);
}

/** What `prepareFrom` knows in addition of pictures that are stored. */
export interface StoredOptions extends Omit<PreparePicturesOptions, 'pictures'> {
  /** What the store has of each picture in addition to pixels. Default: nothing. */
  encodings?: Pick<Encodings, 'latents' | 'text'> | undefined;
  /** Whether these are some of the pictures, to be merged with others: all of them may be held out then. Default false. */
  isPart?: boolean | undefined;
}

/** {@link preparePictures} with pictures of which some are in the store already. The store is closed. */
export async function prepareFrom(pictures: PixelSource, store: PixelStore, options: StoredOptions): Promise<Manifest> {
  try {
    const collected = await collect(pictures, store, options);
    const description = await describe(collected, options);
    const rows = recordRows(collected.pixels, description.items, description, options.encoders);
    const manifest = await writeManifestFolder(options.out, description, rows, options);
    await store.finish();
    return manifest;
  } finally {
    await store.close();
  }
}

/** A manifest, but for its files, and what it says of each picture. */
type Description = Unwritten<Manifest> & { readonly items: Items<ManifestItem> };

async function describe(collected: Collected, options: StoredOptions): Promise<Description> {
  const { size, holdout = 0.1, seed = 0, vocabularyLimit = 1000, encoders } = options;
  const { pixels, looks, skipped } = collected;
  const copies = looks ? await nearCopies(looks, pixels, options.signal) : [];
  const items = await joinGroups(collected.items, copies);
  const { held, train, words, categories } = await split(items, holdout, seed);
  const mayLack = options.isPart && items.count > 0;
  if (train === 0 && !mayLack) {
    throw new DataError('prepare', noTraining(items.count, skipped, { holdout, isPart: options.isPart }));
  }

  const vocabulary = options.vocabulary ? [...options.vocabulary] : words.vocabulary(vocabularyLimit);
  const brought = encodingsOf(options.encodings ?? {});
  const encodings = { ...brought, ...(encoders && encodingsBy(encoders)), ...labelsOf(categories, options.classes) };
  const manifest: Description = {
    version: 1,
    size: encoders?.keep ?? size,
    channels: 3,
    maxTokens: MAX_TOKENS,
    normalization: { scale: 127.5, offset: -1 },
    count: items.count,
    holdout: { fraction: holdout, seed, by: 'group' },
    vocabulary,
    items: mapItems(items, (item, row) => ({ ...item, split: held[row] === 1 ? 'test' : 'train' })),
    skipped: [...skipped],
    ...(copies.length > 0 && { nearCopies: await idsOf(items, copies) }),
  };
  return Object.keys(encodings).length > 0 ? withEncodings(manifest, encodings) : manifest;
}

/** What the manifest tells of all pictures together: a pass through them. */
async function split(items: Items, holdout: number, seed: number) {
  const held = new Uint8Array(items.count);
  const words = new WordCounts();
  const categories = new Set<string>();
  let [row, train] = [0, 0];
  for await (const { group, caption, category } of items) {
    if (category !== undefined) categories.add(category);
    if (await isHeldOut(group, holdout, seed)) held[row] = 1;
    else {
      words.add(caption);
      train++;
    }
    row++;
  }
  return { held, train, words, categories };
}

async function idsOf(items: Items, sets: readonly (readonly number[])[]): Promise<string[][]> {
  const named = await listItems(pickItems(items, sets.flat()));
  let at = 0;
  return sets.map((rows) => rows.map(() => named[at++]!.id));
}

/** Says which columns there are: more than those of version 1. */
function withEncodings(manifest: Description, encodings: Encodings): Description {
  const columns = { ...columnsOf(manifest), ...encodedColumns(encodings) };
  return { ...manifest, version: 2, columns, ...encodings };
}

function labelsOf(
  categories: Iterable<string>,
  classes: PreparePicturesOptions['classes'],
): Pick<Encodings, 'classes'> {
  if (classes === undefined) return {};
  return { classes: classes === 'categories' ? classesOf(categories) : classes };
}

/** Pictures whose caption has more words than a caption's token ids, by id: those beyond are not learned. */
export async function cutCaptions(items: AsyncIterable<DataItem>, maxTokens: number): Promise<string[]> {
  const cut: string[] = [];
  for await (const { id, caption } of items) if (captionWords(caption).length > maxTokens) cut.push(id);
  return cut;
}

/** Before pictures are decoded: what can be known by now. @throws OutputError if clusters would go */
async function assertSame(out: FileStore, wanted: { size: number; holdout: number; seed: number }): Promise<void> {
  const before = await readManifest(out).catch(() => undefined);
  if (!before) return;
  const { size, holdout } = before;
  if (size === wanted.size && holdout.fraction === wanted.holdout && holdout.seed === wanted.seed) return;
  await assertUnpartitioned(out);
}

function noTraining(
  usable: number,
  skipped: readonly SkippedPicture[],
  { holdout, isPart }: { holdout: number; isPart: boolean | undefined },
): string {
  if (usable > 0) {
    return `no picture is left for training: all groups fell to the held-out share of ${holdout}. Lower --holdout.`;
  }
  const [first] = skipped;
  if (!first) return isPart ? 'this part has no picture. Merge the others without it.' : 'there is no picture.';
  return `none of ${skipped.length} pictures could be used; the first: ${first.file}: ${first.reason}.`;
}
