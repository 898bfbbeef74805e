// Records in safetensors files of a bounded size. What fits into one file is `images.safetensors`; more is
// `images-00000.safetensors` and so on, listed with their hashes in the JSON file that describes the records. Of the one file
// that describes itself it has the hash alone, so that programs of before read it.
import { type FileSource, sha256OfPieces, UnavailableError } from '@paris/files';
import { type HostTensor, readHeader, readTensor, safetensorsParts } from '@paris/files/safetensors';
import { CheckpointError, ValueError } from '@paris/tensor';
import { DamagedShardError } from '../errors.js';
import { BlockSums } from './checked-file.js';
import { columnsOf, type DataColumns, recordBytes } from './columns.js';
import { type DataFormat, IMAGES, type ShardFile } from './formats.js';
import { joinRows, type Rows } from './rows.js';

/** Bytes of the records in one file at most, unless one record has more. */
const SHARD_BYTES = 64 * 2 ** 20;

/** How records are written. */
export interface WriteOptions {
  /** Bytes of the records in one file at most. Default 64 MiB. */
  shardBytes?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The files of rows, one at a time: what is to be written, and what is said of it.
 * @throws ValueError for a size that is no positive number
 */
export async function* recordFiles(
  format: DataFormat,
  rows: Rows,
  { shardBytes = SHARD_BYTES, signal }: WriteOptions,
): AsyncGenerator<ShardFile & { parts: readonly Uint8Array[] }> {
  if (!(shardBytes > 0)) {
    throw new ValueError('data', `a shard of ${shardBytes} bytes holds nothing. Give a size above 0.`);
  }
  const most = Math.max(1, Math.floor(shardBytes / recordBytes(format)));
  const files = Math.max(1, Math.ceil(rows.count / most));
  for (let at = 0; at < files; at++) {
    signal?.throwIfAborted();
    const count = Math.min(most, rows.count - at * most);
    const file = files === 1 ? IMAGES : `images-${String(at).padStart(5, '0')}.safetensors`;
    const parts = [...columnParts(format, count, await rows.read(at * most, count))];
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    yield { file, rows: count, bytes, sha256: await sha256OfPieces(parts), parts };
  }
}

/** A safetensors file of `count` records, part by part. */
function columnParts(format: DataFormat, count: number, columns: DataColumns): Generator<Uint8Array> {
  const tensors = Object.entries(columnsOf(format)).map(([name, { dtype, shape }]): [string, HostTensor] => {
    return [name, { dtype, shape: [count, ...shape], data: columns[name]! }];
  });
  return safetensorsParts(Object.fromEntries(tensors));
}

/**
 * The rows of shards. The size and the hash of a shard are checked when it is first read, before any row of it is given; then rows are
 * read in ranges, and their bytes must be those that had that hash. A shard where they are not is checked as a whole again.
 * @param folder - of the store, where the shards are; `''` is the store itself
 * @throws DamagedShardError from `read` for a shard that is missing, cut off or has other bytes than were written
 */
export function shardedRows(store: FileSource, folder: string, format: DataFormat, shards: readonly ShardFile[]): Rows {
  const opened = new Map<number, Promise<OpenShard>>();
  const open = (at: number): Promise<OpenShard> => {
    const known = opened.get(at) ?? openShard(store, pathIn(folder, shards[at]!.file), format, shards[at]!);
    opened.set(at, known);
    known.catch(() => opened.delete(at)); // a store that was away may be back
    return known;
  };
  const rows = shards.map(({ rows: count }, at): Rows => {
    const read = async (from: number, wanted: number) => {
      const opening = open(at);
      const shard = await opening;
      try {
        return await shard(from, wanted);
      } catch (error) {
        if (error instanceof UnavailableError) throw error;
        if (opened.get(at) === opening) opened.delete(at); // it may be another one by now: of several reads, one looks
        return (await open(at))(from, wanted);
      }
    };
    return { count, read };
  });
  return joinRows(rows, format);
}

/** Reads rows of one shard. */
type OpenShard = (from: number, count: number) => Promise<DataColumns>;

/** The file of a shard, checked now and whenever it is read. @throws DamagedShardError if it is not what was written; what the store throws */
async function checkedShard(store: FileSource, path: string, shard: ShardFile): Promise<FileSource> {
  const { bytes, sha256 } = shard;
  const error = (what: string) => new DamagedShardError('data', damaged(path, what), shard);
  const what = await missingOrCut(store, path, bytes);
  if (what) throw error(what);
  const sums = new BlockSums(bytes);
  if ((await sums.pass(store, path)) !== sha256) throw error(otherBytes);
  return sums.checked(store, path, () => error('has other bytes each time that it is read'));
}

/** What is wrong with a file before its bytes are looked at, for {@link damaged}; undefined if it is there with all of them. */
export async function missingOrCut(store: FileSource, path: string, bytes: number): Promise<string | undefined> {
  if (!(await store.exists(path))) return 'is missing';
  const size = await store.size(path);
  return size === bytes ? undefined : `has ${size} bytes, and ${bytes} were written`;
}

export const otherBytes = 'has other bytes than were written (its SHA-256 differs)';

/** What is said of a file of records that is not what was written. */
export function damaged(path: string, what: string): string {
  return `${path} ${what}. Copy it again, or give the command that wrote it again.`;
}

async function openShard(store: FileSource, path: string, format: DataFormat, shard: ShardFile): Promise<OpenShard> {
  const file = await checkedShard(store, path, shard);
  const { rows } = shard;
  const { entries } = await readHeader(file, path);
  const found = new Map(entries.map((entry) => [entry.name, entry]));
  const columns = Object.entries(columnsOf(format)).map(([name, column]) => {
    const entry = found.get(name);
    const shape = [rows, ...column.shape];
    if (entry?.dtype.toLowerCase() === column.dtype && entry.shape.join() === shape.join()) return entry;
    throw new CheckpointError('data', `${path} should hold ${name} ${column.dtype} [${shape.join(', ')}].`);
  });
  return async (from, count) => {
    const read = columns.map(async (entry): Promise<[string, HostTensor['data']]> => {
      const rowBytes = entry.sizeBytes / rows;
      const [offset, sizeBytes] = [entry.offset + from * rowBytes, count * rowBytes];
      const part = { ...entry, offset, sizeBytes, shape: [count, ...entry.shape.slice(1)] };
      return [entry.name, (await readTensor(file, path, part)).data];
    });
    return Object.fromEntries(await Promise.all(read));
  };
}

export function pathIn(folder: string, file: string): string {
  return folder === '' ? file : `${folder}/${file}`;
}
