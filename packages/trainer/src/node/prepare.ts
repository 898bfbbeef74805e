// A folder of pictures → a data folder: decoded, resized, captioned, split. Nothing here needs a GPU.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join, relative, resolve, sep } from 'node:path';
import type { FileStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { buildVocabulary, captionWords, encodeCaptions, MAX_TOKENS } from '@paris/model';
import { writeManifestFolder } from '../data/files.js';
import { heldOutGroups } from '../data/split.js';
import { DataError } from '../errors.js';
import type { DataItem, Manifest } from '../formats/data.js';
import { assertApart } from '../output/apart.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput } from '../output/replace.js';
import { type CaptionRow, type Captions, parseCaptions } from './captions.js';
import { type DecodeOptions, decodeImage, IMAGE_EXTENSIONS } from './images.js';

/** Which pictures and captions are read, where they go, and what is held out. */
export interface PrepareOptions extends DecodeOptions {
  /** Folder of pictures, searched with its subfolders. */
  source: string;
  /** CSV file; without it a caption is made from each file's name. */
  captions?: string | undefined;
  out: FileStore;
  /** Share of the groups that no training sees. Default 0.1. */
  holdout?: number;
  seed?: number;
  /** Most words in the vocabulary. Default 1000. */
  vocabularyLimit?: number;
  /** Called after each file, decoded or skipped. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/** What was written, and what of the captions file was not used. */
export interface PrepareReport {
  manifest: Manifest;
  /** Rows of the captions file without a picture. */
  missing: string[];
  /** Files with more than one row; the first row counts. */
  repeated: string[];
}

/**
 * Writes `manifest.json` and `images.safetensors` (`images` u8 [N, 3, size, size], `tokens` u32 [N, 8]) to `out`, once all
 * pictures are decoded. What was partitioned there of other pictures is removed.
 * @throws OutputError if the output holds something else than a data folder of ours, or is not apart from pictures and
 *   captions; DataError if there is no usable picture, or none for training; the signal's reason when it is aborted
 */
export async function prepare(given: PrepareOptions): Promise<PrepareReport> {
  await claim(given);
  const options = { ...given, source: resolve(given.source) }; // what was compared with the output is what is read
  const { size, holdout = 0.1, seed = 0, vocabularyLimit = 1000 } = options;
  const captions = options.captions === undefined ? undefined : await readCaptions(options.captions);
  const files = await listImages(options.source);
  const missing = captions ? [...captions.rows.keys()].filter((file) => !files.includes(file)) : [];

  const { items, pixels, skipped } = await decodeAll(files, captions, options);
  const held = await heldOutGroups(
    items.map((item) => item.group),
    holdout,
    seed,
  );
  const split = items.map((item) => ({
    ...item,
    split: held.has(item.group) ? ('test' as const) : ('train' as const),
  }));
  const train = split.filter((item) => item.split === 'train');
  if (train.length === 0) throw new DataError('prepare', noTraining(files.length, skipped, holdout));

  const vocabulary = buildVocabulary(
    train.map((item) => item.caption),
    vocabularyLimit,
  );
  const manifest: Manifest = {
    version: 1,
    size,
    channels: 3,
    maxTokens: MAX_TOKENS,
    normalization: { scale: 127.5, offset: -1 },
    count: split.length,
    holdout: { fraction: holdout, seed, by: 'group' },
    vocabulary,
    items: split,
    skipped,
  };
  const tokens = encodeCaptions(
    items.map((item) => item.caption),
    vocabulary,
    MAX_TOKENS,
  );
  await writeManifestFolder(options.out, manifest, { pixels, tokens }, options.signal);
  return { manifest, missing, repeated: captions?.repeated ?? [] };
}

/** @throws OutputError if the output may not be written */
async function claim({ source, captions, out }: PrepareOptions): Promise<void> {
  await assertApart(
    'prepare',
    [{ what: 'the output folder', store: out }],
    [
      { what: 'the folder of pictures', store: nodeStore(source) },
      ...(captions === undefined ? [] : [{ what: 'the captions file', store: nodeStore(captions) }]),
    ],
  );
  await recoverOutput(out);
  await claimOutput(out, dataFolder, 'prepare');
}

/** The pictures below a folder, as paths with `/`, sorted by code unit: the order of every file we write. */
export async function listImages(folder: string): Promise<string[]> {
  const exists = await stat(folder).catch(() => undefined);
  if (!exists?.isDirectory()) throw new DataError('prepare', `${folder} is not a folder.`);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && IMAGE_EXTENSIONS.includes(extname(entry.name).toLowerCase()))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** `pets/smiling-cat_2.png` → `smiling cat 2`. */
export function captionFromName(file: string): string {
  return captionWords(basename(file, extname(file)).replace(/[-_.]+/g, ' ')).join(' ');
}

async function readCaptions(path: string): Promise<Captions> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new DataError(
      'prepare',
      `the captions file ${path} cannot be read (${cause.code ?? cause.message}). Check its path.`,
      {
        cause,
      },
    );
  });
  return parseCaptions(text, path);
}

async function decodeAll(files: string[], captions: Captions | undefined, options: PrepareOptions) {
  const results: ({ item: DataItem; pixels: Uint8Array } | { file: string; reason: string })[] = new Array(
    files.length,
  );
  let next = 0;
  let done = 0;
  const worker = async () => {
    for (let i = next++; i < files.length; i = next++) {
      options.signal?.throwIfAborted();
      const file = files[i]!;
      const row = captions?.rows.get(file);
      if (captions && !row) results[i] = { file, reason: 'no row in the captions file' };
      else {
        const decoded = await decodeImage(join(options.source, file), options);
        results[i] = 'reason' in decoded ? { file, ...decoded } : { item: toItem(file, row), pixels: decoded.pixels };
      }
      options.onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker)); // libvips has threads of its own; this keeps them fed

  const good = results.filter((result) => 'item' in result);
  const area = 3 * options.size * options.size;
  const pixels = new Uint8Array(good.length * area);
  good.forEach((result, row) => {
    pixels.set(result.pixels, row * area);
  });
  return { items: good.map((result) => result.item), pixels, skipped: results.filter((result) => 'reason' in result) };
}

function toItem(file: string, row: CaptionRow | undefined): DataItem {
  const { category, licence, source } = row ?? {};
  return {
    id: file,
    caption: row?.caption ?? captionFromName(file),
    group: row?.group ?? file,
    ...(category !== undefined && { category }),
    ...(licence !== undefined && { licence }),
    ...(source !== undefined && { source }),
  };
}

function noTraining(files: number, skipped: { file: string; reason: string }[], holdout: number): string {
  if (files === 0) return `there is no picture in the folder (looked for ${IMAGE_EXTENSIONS.join(', ')}).`;
  const [first] = skipped;
  if (first && skipped.length === files) {
    return `none of ${files} pictures could be used; the first: ${first.file}: ${first.reason}.`;
  }
  return `no picture is left for training: all groups fell to the held-out share of ${holdout}. Lower --holdout.`;
}
