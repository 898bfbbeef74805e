// Data folders → one: parts that machines prepared, or data sets that are to be one.
import type { FileSource } from '@paris/files';
import { type LabelSet, WordCounts } from '@paris/model';
import { classesOf } from '../data/classes.js';
import { type Encodings, encodedColumns } from '../data/encodings.js';
import { openManifestFolder } from '../data/files.js';
import type { DataFormat, Manifest } from '../data/formats.js';
import { categoriesOf } from '../data/items.js';
import { joinRows, type Rows } from '../data/rows.js';
import { DataError } from '../errors.js';
import { assertApart } from '../output/apart.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput } from '../output/replace.js';
import type { PixelSource } from './picture-source.js';
import { assertPreparable, type PreparePicturesOptions, prepareFrom } from './prepare.js';
import { pixelFormat, storedPixels } from './spool.js';

/** What is put together, and how it is split again. */
export interface MergeOptions
  extends Omit<PreparePicturesOptions, 'pictures' | 'size' | 'order' | 'encoders' | 'classes'> {
  /** Data folders of one size. */
  data: readonly FileSource[];
  /** Called as each folder is read. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Writes the pictures of several data folders as one: ordered by name, near-copies found among all of them, split and with a
 * vocabulary of all, or that which all took over from another folder. Parts made with `shard` give the bytes of one `prepare` of
 * everything. Of two pictures with one name, that
 * of the earlier folder counts.
 * @throws DataError if there is no folder, or one of another size, or with another list of classes that was given; CheckpointError if one is not a data folder; as
 *   `preparePictures`
 */
export async function mergeData(options: MergeOptions): Promise<Manifest> {
  const { data, out, onProgress, signal } = options;
  const inputs = data.map((store, i) => ({ what: `data folder ${i + 1}`, store }));
  await assertApart('merge', [{ what: 'the output folder', store: out }], inputs);
  await recoverOutput(out);
  await claimOutput(out, dataFolder, 'merge');
  const folders: Folder[] = [];
  onProgress?.(0, data.length);
  for (const store of data) {
    signal?.throwIfAborted();
    folders.push(await openManifestFolder(store));
    onProgress?.(folders.length, data.length);
  }
  const [first] = folders;
  if (!first) throw new DataError('merge', 'there is no data folder. Give at least one.');
  const { size } = first.manifest;
  const other = folders.findIndex(({ manifest }) => manifest.size !== size);
  if (other > 0) {
    const sizes = `${folders[other]!.manifest.size} pixels, those of folder 1 have ${size}`;
    throw new DataError('merge', `the pictures of data folder ${other + 1} have ${sizes}. Prepare them with one size.`);
  }
  const { latents, text } = first.manifest;
  const encodings = { ...(latents && { latents }), ...(text && { text }) };
  assertEncodedAlike(folders.map(({ manifest }) => manifest));
  const classes = await classesIn(folders);
  const vocabulary = options.vocabulary ?? (await commonVocabulary(folders));
  await assertPreparable({ ...options, size });
  const format = storedFormat(size, encodings);
  const store = await storedPixels(storedOf(folders, format), format, out);
  return prepareFrom(picturesOf(folders), store, { ...options, size, order: 'name', encodings, classes, vocabulary });
}

/** The vocabulary of parts that all took it over from another folder; undefined where one has that of its own captions. */
async function commonVocabulary(folders: readonly Folder[]): Promise<readonly string[] | undefined> {
  const { vocabulary } = folders[0]!.manifest;
  for (const { manifest, items } of folders) {
    if (manifest.vocabulary.join('\n') !== vocabulary.join('\n')) return undefined;
    const words = new WordCounts();
    for await (const { split, caption } of items) if (split === 'train') words.add(caption);
    if (words.vocabulary(vocabulary.length - 2).join('\n') === vocabulary.join('\n')) return undefined;
  }
  return vocabulary;
}

type Folder = Awaited<ReturnType<typeof openManifestFolder>>;

/** @throws DataError unless all were encoded alike */
function assertEncodedAlike(manifests: readonly Manifest[]): void {
  const [first] = manifests;
  for (const [i, other] of manifests.entries()) {
    for (const [name, what] of Object.entries({ latents: 'latents', text: 'features of captions' } as const)) {
      const key = name as 'latents' | 'text';
      if (JSON.stringify(other[key]) === JSON.stringify(first![key])) continue;
      const how = `data folder ${i + 1} has other ${what} than folder 1, or only one of them has some`;
      throw new DataError(
        'merge',
        `${how}. Prepare them with one ${key === 'text' ? '--text' : '--codec'} and --size.`,
      );
    }
    if ((other.classes === undefined) === (first!.classes === undefined)) continue;
    throw new DataError(
      'merge',
      `only some of the data folders have class labels. Prepare all with --labels, or none.`,
    );
  }
}

/**
 * Of folders with the same list it stays. Lists that were made of each folder's own categories are made again of those of all.
 * @throws DataError for another list that was given: its numbers mean something, and would be others
 */
async function classesIn(folders: readonly Folder[]): Promise<PreparePicturesOptions['classes']> {
  const said = (classes: LabelSet | undefined) => JSON.stringify([classes?.classes, classes?.names]);
  const [first] = folders;
  if (folders.every(({ manifest }) => said(manifest.classes) === said(first!.manifest.classes))) {
    return first!.manifest.classes;
  }
  for (const [i, { manifest, items }] of folders.entries()) {
    const own = (await categoriesOf(items)).flatMap((category) => category ?? []);
    if (own.length > 0 && said(classesOf(own)) === said(manifest.classes)) continue;
    const what = `the classes of data folder ${i + 1} are of a list that was given, and not all folders have that list`;
    throw new DataError('merge', `${what}. Prepare all with it: --labels FILE.`);
  }
  return 'categories';
}

/** Pixels, and what was encoded of them. */
function storedFormat(size: number, encodings: Encodings): DataFormat {
  const format = pixelFormat(size);
  return { ...format, columns: { ...format.columns, ...encodedColumns(encodings) } };
}

/** These columns of all folders, one folder after the other. */
function storedOf(folders: readonly Folder[], format: DataFormat): Rows {
  const names = Object.keys(format.columns!);
  const stored = folders.map(({ rows }): Rows => {
    const read: Rows['read'] = async (from, count) => {
      const columns = await rows.read(from, count);
      return Object.fromEntries(names.map((name) => [name, columns[name]!]));
    };
    return { count: rows.count, read };
  });
  return joinRows(stored, format);
}

async function* picturesOf(folders: readonly Folder[]): PixelSource {
  let row = 0;
  for (const { manifest, items } of folders) {
    for await (const { split: _, ...item } of items) yield { item, row: row++ };
    yield* manifest.skipped;
  }
}
