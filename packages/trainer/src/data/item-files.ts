// What is said of pictures in files of a bounded size: JSON lines, which pandas and DuckDB read, next to the records. The JSON file
// that describes the folder lists them with their hashes. Folders of one file of records say it in that JSON file itself.
import { checkJson, type FileSource, parseJson, type Schema, sha256 } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import { DataError } from '../errors.js';
import type { DataItem, ShardFile } from './formats.js';
import { type Items, itemsBy, joinItems } from './items.js';
import { damaged, missingOrCut, otherBytes, pathIn, type WriteOptions } from './shards.js';

/** Bytes of a file of items at most, unless one item has more: a reader holds a file. */
const ITEM_BYTES = 2 ** 20;

/** Files of items, one at a time: what is to be written, and what is said of it. */
export async function* itemFiles(
  items: AsyncIterable<DataItem>,
  { shardBytes = ITEM_BYTES, signal }: WriteOptions,
): AsyncGenerator<ShardFile & { content: Uint8Array<ArrayBuffer> }> {
  const most = Math.min(ITEM_BYTES, shardBytes);
  let [at, bytes] = [0, 0];
  let lines: Uint8Array[] = [];
  const file = async () => {
    signal?.throwIfAborted();
    const name = `items-${String(at++).padStart(5, '0')}.jsonl`;
    const content = new Uint8Array(bytes);
    let offset = 0;
    for (const line of lines) {
      content.set(line, offset);
      offset += line.length;
    }
    return { file: name, rows: lines.length, bytes, sha256: await sha256(content), content };
  };
  for await (const item of items) {
    const line = encoder.encode(`${JSON.stringify(item)}\n`);
    if (lines.length > 0 && bytes + line.length > most) {
      yield await file();
      [bytes, lines] = [0, []];
    }
    bytes += line.length;
    lines.push(line);
  }
  if (lines.length > 0) yield await file();
}

const encoder = new TextEncoder();

/**
 * The items in files. A file is read as a whole and must have the bytes that were written; the last one stays in memory.
 * @param folder - of the store, where the files are; `''` is the store itself
 * @param schema - of the items of a file
 * @throws DataError from `read` for a file that is missing, cut off or has other bytes than were written
 */
export function filedItems<I extends DataItem>(
  store: FileSource,
  folder: string,
  files: readonly ShardFile[],
  schema: Schema<I[]>,
): Items<I> {
  let last: { at: number; items: Promise<readonly I[]> } | undefined;
  const open = (at: number): Promise<readonly I[]> => {
    if (last?.at !== at) {
      const opened = { at, items: readItemFile(store, pathIn(folder, files[at]!.file), files[at]!, schema) };
      last = opened;
      opened.items.catch(() => {
        if (last === opened) last = undefined; // a store that was away may be back
      });
    }
    return last.items;
  };
  return joinItems(
    files.map(({ rows }, at) => itemsBy(rows, async (from, wanted) => (await open(at)).slice(from, from + wanted))),
  );
}

async function readItemFile<I>(
  store: FileSource,
  path: string,
  { rows, bytes: size, sha256: hash }: ShardFile,
  schema: Schema<I[]>,
): Promise<I[]> {
  const what = await missingOrCut(store, path, size);
  if (what) throw new DataError('data', damaged(path, what));
  const bytes = await store.read(path);
  if ((await sha256(bytes)) !== hash) throw new DataError('data', damaged(path, otherBytes));
  const lines = new TextDecoder().decode(bytes).trimEnd().split('\n');
  const origin = { tag: 'data', path };
  const items = checkJson(parseJson(`[${lines.join(',')}]`, origin), schema, origin);
  if (items.length === rows) return items;
  throw new CheckpointError('data', `${path} has ${items.length} pictures, and ${rows} are listed.`);
}
