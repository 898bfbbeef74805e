// Writes the records of a folder, and completes the JSON file that describes them: its version, and which files there are.
import { encodeJson, type FileSource, type FileStore } from '@paris/files';
import { sameBytes } from '../same-bytes.js';
import type { DataColumns } from './columns.js';
import {
  type Described,
  type ItemOf,
  type Manifest,
  manifestItemSchema,
  manifestSchema,
  type ShardFile,
} from './formats.js';
import { itemFiles } from './item-files.js';
import { type Items, itemsOf, listItems } from './items.js';
import { type Rows, rowsOf } from './rows.js';
import { pathIn, recordFiles, type WriteOptions } from './shards.js';

/** A description that is to be written: what it says of pictures is a list, or is read in ranges. */
export type Unwritten<M extends Described> = Omit<M, 'items'> & {
  readonly items?: readonly ItemOf<M>[] | Items<ItemOf<M>> | undefined;
};

/**
 * Writes the records that a JSON file is to describe, and what is said of each where that has files of its own.
 * @returns the description, with its version and its files
 */
export async function writeRecords<M extends Described>(
  store: FileStore,
  folder: string,
  described: Unwritten<M>,
  columns: DataColumns | Rows,
  how: WriteOptions,
): Promise<M> {
  const shards: ShardFile[] = [];
  for await (const { file, parts, ...rest } of recordFiles(described, inRows(columns, described), how)) {
    await store.write(pathIn(folder, file), parts);
    shards.push({ file, ...rest });
  }
  const items = itemsToWrite<M>(described);
  if (shards.length === 1) return inOneFile<M>(described, shards[0]!, await listItems(items));
  const files: ShardFile[] = [];
  for await (const { file, content, ...rest } of itemFiles(items, how)) {
    await store.write(pathIn(folder, file), content);
    files.push({ file, ...rest });
  }
  return inSeveral<M>(described, shards, files);
}

function itemsToWrite<M extends Described>({ items = [] }: Unwritten<M>): Items<ItemOf<M>> {
  return 'read' in items ? items : itemsOf(items);
}

export function inRows(columns: DataColumns | Rows, described: Unwritten<Described>): Rows {
  return typeof columns.read === 'function' ? (columns as Rows) : rowsOf(columns as DataColumns, described);
}

/** One file needs no list, and with the usual columns has version 1 as always. */
function inOneFile<M extends Described>(
  described: Unwritten<M>,
  { sha256 }: ShardFile,
  items: readonly ItemOf<M>[],
): M {
  const version = described.columns ? 2 : 1;
  return { ...withoutFiles(described), items, version, sha256 } as unknown as M;
}

function inSeveral<M extends Described>(
  described: Unwritten<M>,
  shards: readonly ShardFile[],
  files: readonly ShardFile[],
): M {
  const { items: _, ...rest } = withoutFiles(described);
  return { ...rest, version: 3, shards, itemFiles: files } as unknown as M;
}

function withoutFiles<M extends Described>(described: Unwritten<M>): Unwritten<M> {
  const { shards: _, sha256: __, itemFiles: ___, ...rest } = described;
  return rest as Unwritten<M>;
}

/**
 * Whether a folder holds these records already, byte for byte. Another description is seen before rows are read.
 * @param there - what its manifest.json says
 */
export async function holdsRecords(
  store: FileSource,
  there: Manifest,
  manifest: Unwritten<Manifest>,
  rows: Rows,
  how: WriteOptions,
): Promise<boolean> {
  if (!sameBytes(wordsOf(there), wordsOf(manifest))) return false;
  const items = await heldItems(store, there, itemsToWrite<Manifest>(manifest), how);
  if (!items) return false;
  const shards: ShardFile[] = [];
  for await (const { file, parts, ...rest } of recordFiles(manifest, rows, how)) {
    if (!(await holdsBytes(store, file, parts))) return false;
    shards.push({ file, ...rest });
  }
  for (const said of descriptions(items, manifest, shards)) {
    if (await holdsBytes(store, 'manifest.json', [encodeJson(said)])) return true;
  }
  return false;
}

/** All ways in which this version and those before it describe records in these files. */
function descriptions(
  { items, itemFiles: files }: Listed,
  manifest: Unwritten<Manifest>,
  shards: readonly ShardFile[],
): object[] {
  if (shards.length > 1) {
    if (files) return [inSeveral<Manifest>(manifest, shards, files)];
    return [{ ...withoutFiles<Manifest>(manifest), items, version: 2, shards }]; // before version 3
  }
  if (!items) return [];
  const { sha256, ...before } = inOneFile<Manifest>(manifest, shards[0]!, items);
  return [{ ...before, sha256 }, before]; // before it had the hash of one file
}

/** What a manifest says, but for files and what it says of each picture; keys in the order of the schema. */
function wordsOf(manifest: Unwritten<Manifest>): Uint8Array {
  const { items: _, ...words } = withoutFiles<Manifest>(manifest);
  const { version: __, ...rest } = manifestSchema.parse(words);
  return encodeJson(rest);
}

/** Either a list or files of it. */
type Listed = Pick<Manifest, 'items' | 'itemFiles'>;

/** The items as they are listed in a folder; undefined where it has others. */
async function heldItems(
  store: FileSource,
  there: Listed,
  items: Items<ItemOf<Manifest>>,
  how: WriteOptions,
): Promise<Listed | undefined> {
  let at = 0;
  if (there.itemFiles) {
    for await (const { content, ...file } of itemFiles(items, how)) {
      const listed = there.itemFiles[at++];
      if (listed?.file !== file.file || listed.sha256 !== file.sha256) return undefined;
      if (!(await holdsBytes(store, file.file, [content]))) return undefined;
    }
    return at === there.itemFiles.length ? { itemFiles: there.itemFiles } : undefined;
  }
  const list: ItemOf<Manifest>[] = []; // in the order of keys in which it would be written
  for await (const item of items) {
    const listed = there.items?.[at++];
    if (JSON.stringify(manifestItemSchema.parse(item)) !== JSON.stringify(listed)) return undefined;
    list.push(item);
  }
  return at === there.items?.length ? { items: list } : undefined;
}

async function holdsBytes(store: FileSource, path: string, parts: readonly Uint8Array[]): Promise<boolean> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (!(await store.exists(path)) || (await store.size(path)) !== length) return false;
  let offset = 0;
  for (const part of parts) {
    if (!sameBytes(await store.read(path, { offset, length: part.length }), part)) return false;
    offset += part.length;
  }
  return true;
}
