// Data folders → one: parts that machines prepared, or data sets that are to be one.
import type { FileSource } from '@paris/files';
import { buildVocabulary } from '@paris/model';
import { type Encodings, encodedColumns } from '../data/encodings.js';
import { openManifestFolder } from '../data/files.js';
import type { DataFormat, Manifest } from '../data/formats.js';
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
 * @throws DataError if there is no folder, or one of another size; CheckpointError if one is not a data folder; as
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
  const manifests = folders.map(({ manifest }) => manifest);
  const classes = classesIn(manifests);
  const vocabulary = options.vocabulary ?? commonVocabulary(manifests);
  await assertPreparable({ ...options, size });
  const store = storedPixels(storedOf(folders, storedFormat(size, encodings)), storedFormat(size, encodings));
  return prepareFrom(picturesOf(folders), store, { ...options, size, order: 'name', encodings, classes, vocabulary });
}

/** The vocabulary of parts that all took it over from another folder; undefined where one has that of its own captions. */
function commonVocabulary(manifests: readonly Manifest[]): readonly string[] | undefined {
  const { vocabulary } = manifests[0]!;
  const isTaken = (manifest: Manifest) => {
    if (manifest.vocabulary.join('\n') !== vocabulary.join('\n')) return false;
    const captions = manifest.items.flatMap(({ split, caption }) => (split === 'train' ? [caption] : []));
    return buildVocabulary(captions, vocabulary.length - 2).join('\n') !== vocabulary.join('\n');
  };
  return manifests.every(isTaken) ? vocabulary : undefined;
}

type Folder = Awaited<ReturnType<typeof openManifestFolder>>;

/**
 * Of folders with the same list it stays; other lists are made again of the categories of all pictures.
 * @throws DataError unless all were encoded alike
 */
function classesIn(manifests: readonly Manifest[]): PreparePicturesOptions['classes'] {
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
  const lists = new Set(manifests.map(({ classes }) => JSON.stringify(classes)));
  return lists.size > 1 ? 'categories' : first!.classes;
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
  for (const { manifest } of folders) {
    for (const { split: _, ...item } of manifest.items) yield { item, row: row++ };
    yield* manifest.skipped;
  }
}
