// Pictures of folders, tar shards and parquet files → a data folder. Nothing here needs a GPU.
import { realpath } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { type FileStore, withoutSecrets } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import type { Codec, TextEncoder } from '@paris/model';
import type { Encodings, PartRecord } from '../data/encodings.js';
import { manifestItems } from '../data/files.js';
import type { Manifest } from '../data/formats.js';
import { captionEncoder } from '../encode/captions.js';
import { latentEncoder } from '../encode/latents.js';
import { assertSamePart, type LoadedPart } from '../encode/parts.js';
import { DataError } from '../errors.js';
import { assertApart } from '../output/apart.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput } from '../output/replace.js';
import type { SkippedPicture } from '../prepare/picture-source.js';
import { assertPreparable, cutCaptions, type PreparePicturesOptions, prepareFrom } from '../prepare/prepare.js';
import type { RecordEncoders } from '../prepare/record-rows.js';
import { reduced, usualThumbnail } from '../prepare/reduced.js';
import { openSpool } from '../prepare/spool.js';
import { type DecodeOptions, IMAGE_EXTENSIONS } from './decode-image.js';
import { type ListedImages, listImages } from './list-images.js';
import { readCaptions } from './read-captions.js';
import { ArchiveNames } from './sources/archive-names.js';
import { checkDecoding, decodeSettings, decodeUnknown } from './sources/decode-ahead.js';
import { type EncodedSource, joined } from './sources/encoded-source.js';
import type { Columns } from './sources/fields.js';
import type { PictureFilter } from './sources/filter.js';
import { type FolderSource, folderSource, isTable } from './sources/folder.js';
import { type ArchiveOptions, archivesOf, isFolder, openAmong, placeOf } from './sources/open-archive.js';
import { type Shard, shardOf } from './sources/shard.js';

/** Which pictures and captions are read, where they go, and what is held out. */
export interface PrepareOptions
  extends Omit<DecodeOptions, 'refused'>,
    Omit<PreparePicturesOptions, 'pictures' | 'order' | 'encoders'>,
    ArchiveOptions {
  /**
   * Where pictures are, one place or several: folders, searched with their subfolders, tar shards in WebDataset's form (`.tar`,
   * `.tar.gz`, `.tgz`), parquet files; archives also at `http(s)` and `s3://bucket/key` addresses. A folder of archives without
   * pictures beside them, or a part of a bucket (`s3://bucket/prefix`), is its archives.
   */
  source: string | readonly string[];
  /**
   * A file that captions the pictures of the one folder that is the source: CSV or JSON lines. Without it, captions are those of
   * `metadata.jsonl` or `metadata.csv` in the folder, of a text file with the picture's name, or made of the name.
   */
  captions?: string | undefined;
  /** Which columns of captions, tables and parquet files hold what, where their names are not the usual ones. */
  columns?: Columns | undefined;
  /** Which pictures are taken. Default: all. */
  filter?: PictureFilter | undefined;
  /** Encodes the pictures: latents are kept, and of the pictures small ones. Default: pictures are kept. */
  codec?: LoadedPart<Codec> | undefined;
  /** Edge length of the small pictures next to latents, a divisor of `size`. Default: the largest up to 64. */
  thumbnail?: number | undefined;
  /** Encodes the captions; pictures without one are skipped. Default: captions are words. */
  text?: LoadedPart<TextEncoder> | undefined;
  /** What another data folder has, where both are to train one model. */
  like?: Encodings | undefined;
  /**
   * One part of the pictures, of as many as machines share the work; `mergeData` puts the parts together. Near-copies are looked
   * for there.
   */
  shard?: Shard | undefined;
  out: FileStore;
  /** Called after each picture, decoded or skipped; where a source does not say how many it has, `total` grows. */
  onProgress?: (done: number, total: number) => void;
  /** Called as pictures and captions are encoded, after all are decoded. */
  onEncoded?: ((done: number, total: number) => void) | undefined;
}

/** What was written, and what of captions and files was not used. */
export interface PrepareReport {
  manifest: Manifest;
  /** Rows of captions without a picture. */
  missing: string[];
  /** Files with more than one row; the first row counts. */
  repeated: string[];
  /** Pictures that are captioned by their name, where others have a text file. */
  named: string[];
  /** Pictures whose caption has more words than a caption's token ids: those beyond are not learned. */
  cut: string[];
  /** How many files of the folders are no pictures, by extension. */
  others: Record<string, number>;
  /** Without a captions file: tables of captions in a form that is not read, such as `metadata.json`. */
  unread: string[];
  /** Tar shards and parquet files beside the pictures of a folder, which are not read. */
  archives: string[];
}

/**
 * `preparePictures` of the pictures in folders, tar shards and parquet files, in the order of their names: so the same pictures
 * make the same data folder, whichever of these they come from.
 * @throws OutputError if the output holds something else than a data folder of ours, or is not apart from pictures and
 *   captions; DataError if there is no usable picture, or none for training, or a source is not whole; the signal's reason
 *   when it is aborted
 */
export async function prepare(options: PrepareOptions): Promise<PrepareReport> {
  try {
    return await prepareAll(options);
  } catch (error) {
    options.signal?.throwIfAborted(); // a request that is ended looks like a file that is cut off
    throw error;
  }
}

async function prepareAll(options: PrepareOptions): Promise<PrepareReport> {
  const places = [options.source].flat();
  checkDecoding(options);
  await claim(places, options);
  const sources = await openSources(places, options);
  const folders = sources.flatMap(({ folder }) => folder ?? []);
  const { shard } = options;
  const all = joined(sources.map(({ source }) => source));
  const encoders = await encodersOf(options);
  try {
    const how = { ...options, encoders, order: 'name' as const, ...(shard && { nearCopies: false, isPart: true }) };
    await assertPreparable(how);
    const store = await openSpool(options.out, { ...options, settings: await decodeSettings(options) });
    const decoding = { ...options, filter: completeFilter(options) };
    const pictures = decodeUnknown(shard ? shardOf(all, shard) : all, decoding, (key) => store.known(key));
    const manifest = await prepareFrom(pictures, store, how);
    return await reportOf(manifest, folders, options);
  } finally {
    encoders?.captions?.dispose();
  }
}

async function reportOf(
  manifest: Manifest,
  folders: readonly NonNullable<OpenSource['folder']>[],
  options: PrepareOptions,
): Promise<PrepareReport> {
  return {
    manifest,
    missing: folders.flatMap(({ missing }) => missing),
    repeated: folders.flatMap(({ repeated }) => repeated),
    named: folders.flatMap(({ named }) => named),
    cut: await cutCaptions(manifestItems(options.out, manifest), manifest.maxTokens),
    others: countOthers(folders),
    unread: options.captions === undefined ? folders.flatMap(({ listed }) => unreadTables(listed)) : [],
    archives: folders.flatMap(({ listed }) => listed.archives),
  };
}

/**
 * What encodes records, ready.
 * @throws DataError for a codec or a text encoder that does not fit, or is not that of the folder that this one is to be like
 */
async function encodersOf(options: PrepareOptions): Promise<RecordEncoders | undefined> {
  const { codec, text, size, thumbnail, like, signal } = options;
  if (like) {
    assertLike('codec', like.latents?.codec, codec);
    assertLike('text', like.text?.encoder, text);
  }
  if (thumbnail !== undefined && !codec) {
    const what = 'small pictures are kept next to latents, and nothing makes these';
    throw new DataError('prepare', `${what}. Give a codec, too: --codec FOLDER. Or leave --thumbnail out.`);
  }
  if (!codec && !text) return undefined;
  const keep = codec ? (thumbnail ?? usualThumbnail(size)) : size;
  reduced(new Uint8Array(), size, keep); // a size that does not divide is refused before anything is decoded
  const latents = codec && latentEncoder(codec, size);
  const captions = text && (await captionEncoder(text));
  return { size, keep, latents, captions, onProgress: options.onEncoded, signal };
}

function assertLike(which: 'codec' | 'text', wanted?: PartRecord, given?: LoadedPart<unknown>): void {
  if (wanted && given) assertSamePart('prepare', which, given.record, wanted);
  if ((wanted === undefined) === (given === undefined)) return;
  const what = which === 'codec' ? 'latents' : 'features of captions';
  const how = wanted ? `has ${what}. Give its --${which}` : `has no ${what}. Leave --${which} out`;
  throw new DataError('prepare', `the data folder that this one is to be like ${how}.`);
}

/** A picture without what is encoded of it is of no use. */
function completeFilter({ filter, text, classes }: PrepareOptions): PictureFilter {
  const encoded = [...(text ? ['caption' as const] : []), ...(classes ? ['category' as const] : [])];
  return { ...filter, needs: [...(filter?.needs ?? []), ...encoded] };
}

/** @throws OutputError if the output may not be written */
async function claim(places: readonly string[], { captions, out }: PrepareOptions): Promise<void> {
  const local = places.flatMap((place) => placeOf(place) ?? []);
  await assertApart(
    'prepare',
    [{ what: 'the output folder', store: out }],
    [
      ...local.map((place) => ({ what: 'the folder of pictures', store: nodeStore(place) })),
      ...(captions === undefined ? [] : [{ what: 'the captions file', store: nodeStore(captions) }]),
    ],
  );
  await recoverOutput(out);
  await claimOutput(out, dataFolder, 'prepare');
}

interface OpenSource {
  readonly source: EncodedSource;
  /** Of a folder of pictures. */
  readonly folder?: FolderSource & { readonly listed: ListedImages };
}

async function openSources(places: readonly string[], options: PrepareOptions): Promise<OpenSource[]> {
  const { captions } = options;
  if (captions !== undefined && places.length > 1) {
    throw new DataError('prepare', 'a captions file is for one folder of pictures, and there are several sources.');
  }
  const opened: OpenSource[] = [];
  const names = new ArchiveNames();
  for (const place of places) {
    if (await isFolder(place)) opened.push(...(await openFolder(resolve(place), options, names)));
    else {
      for (const archive of await archivesOf(place, options)) {
        opened.push({ source: await openAmong(names, archive, options) });
      }
      if (captions === undefined) continue;
      const shown = withoutSecrets(place);
      throw new DataError('prepare', `a captions file is for a folder of pictures, and ${shown} is none.`);
    }
  }
  assertTables(opened, options);
  return opened;
}

/** @throws DataError for names of columns where no source has any */
function assertTables(opened: readonly OpenSource[], { captions, columns = {} }: PrepareOptions): void {
  const names = Object.values(columns);
  if (names.length === 0 || captions !== undefined) return;
  if (opened.some(({ folder }) => !folder || folder.read.some(isTable))) return;
  const what = `there is no table that could have a column ${names[0]}: no captions file, metadata.jsonl or metadata.csv`;
  throw new DataError('prepare', `${what}. Give it with --captions FILE, or leave --columns out.`);
}

async function openFolder(folder: string, options: PrepareOptions, names: ArchiveNames): Promise<OpenSource[]> {
  const { captions, columns } = options;
  const rows = captions === undefined ? undefined : await readCaptions(captions, columns);
  const listed = await listImages(folder, captions && (await realpath(captions)));
  if (listed.files.length === 0 && listed.archives.length > 0 && !rows) {
    const archives = listed.archives.map((path) => openAmong(names, join(folder, path), options));
    return (await Promise.all(archives)).map((source) => ({ source }));
  }
  if (listed.files.length === 0) throw new DataError('prepare', nothingIn(listed.left));
  const source = await folderSource(folder, listed, rows, columns);
  return [{ source, folder: { ...source, listed } }];
}

/** How many files are neither pictures nor captions that were read, by extension. */
function countOthers(folders: readonly NonNullable<OpenSource['folder']>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { listed, read } of folders) {
    for (const [extension, count] of Object.entries(listed.others)) {
      const rest = count - read.filter((file) => extname(file).toLowerCase() === extension).length;
      if (rest > 0) counts[extension] = (counts[extension] ?? 0) + rest;
    }
  }
  return counts;
}

function nothingIn(left: readonly SkippedPicture[]): string {
  const what = `there is no picture in the folder (looked for ${IMAGE_EXTENSIONS.join(', ')})`;
  const [first] = left;
  return first
    ? `${what} but ${left.length} that cannot be used; the first: ${first.file}: ${first.reason}.`
    : `${what}.`;
}

function unreadTables({ captions }: ListedImages): string[] {
  return captions.filter((file) => /\.(json|parquet)$/i.test(file));
}
