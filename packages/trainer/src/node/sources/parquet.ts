// A parquet file with an image column, as Hugging Face stores data sets of pictures.
import type { FileSource } from '@paris/files';
import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import { DataError } from '../../errors.js';
import type { SkippedPicture } from '../../prepare/picture-source.js';
import { optionalPackage } from '../optional.js';
import { notWhole } from './bytes.js';
import type { EncodedPicture, EncodedSource } from './encoded-source.js';
import { type Columns, checkColumns, columnOf, textOf, wordFields, wordsOf } from './fields.js';

/**
 * The pictures of a parquet file, a row group at a time. Its image column holds bytes or `{ bytes, path }`; a picture is named
 * by the file column, by `path`, or by its row, after the name of the file. Class labels that the file names (`ClassLabel`) become their names.
 * @throws DataError if it is no parquet file or has no image column, if `columns` names one that is not there, or if the
 *   optional peer dependency `hyparquet` is not installed
 */
export async function parquet(
  store: FileSource,
  path: string,
  columns: Columns | undefined,
  nameOfFile: () => string,
): Promise<EncodedSource> {
  const { parquetMetadataAsync, parquetSchema } = await hyparquet();
  const file = await bufferOf(store, path);
  const metadata = await whole(path, () => parquetMetadataAsync(file, { geoparquet: false }));
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  checkColumns(names, columns);
  const image = columnOf('image', names, columns);
  if (image === undefined) {
    const what = `${path} has no column of pictures (columns: ${names.join(', ')})`;
    throw new DataError('prepare', `${what}. Name it: --columns image=NAME.`);
  }
  const read = {
    nameOfFile,
    file,
    metadata,
    names,
    image,
    nameOf: columnOf('file', names, columns),
    classes: classNames(metadata),
  };
  return { pictures: rowsOf(path, read, columns), total: Number(metadata.num_rows) };
}

interface Read {
  readonly nameOfFile: () => string;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly names: readonly string[];
  readonly image: string;
  readonly nameOf: string | undefined;
  /** Names of class labels, by column. */
  readonly classes: ReadonlyMap<string, readonly string[]>;
}

async function* rowsOf(
  path: string,
  { nameOfFile, file, metadata, names, image, nameOf, classes }: Read,
  columns: Columns | undefined,
): AsyncGenerator<EncodedPicture | SkippedPicture> {
  const { parquetReadObjects } = await hyparquet();
  const { compressors } = await optionalPackage(
    'hyparquet-compressors',
    'reading compressed parquet files',
    () => import('hyparquet-compressors'),
  );
  const name = nameOfFile();
  const words = wordFields.map((field) => columnOf(field, names, columns));
  const wanted = names.filter((name) => name === image || name === nameOf || words.includes(name));
  let row = 0;
  for (const { num_rows: count } of metadata.row_groups) {
    const [rowStart, rowEnd] = [row, row + Number(count)];
    const records = await whole(path, () =>
      parquetReadObjects({ file, metadata, compressors, columns: wanted, rowStart, rowEnd, utf8: false }),
    );
    for (const record of records) {
      yield pictureOf(record, `${name}/${row++}`, { image, nameOf, classes }, columns);
    }
  }
}

function pictureOf(
  record: Readonly<Record<string, unknown>>,
  name: string,
  { image, nameOf, classes }: Pick<Read, 'image' | 'nameOf' | 'classes'>,
  columns: Columns | undefined,
): EncodedPicture | SkippedPicture {
  const cell = record[image] as { bytes?: unknown; path?: unknown } | Uint8Array | null | undefined;
  const data = cell instanceof Uint8Array ? cell : cell?.bytes;
  const own = cell instanceof Uint8Array ? undefined : textOf(read(cell?.path));
  const file = (nameOf === undefined ? undefined : textOf(read(record[nameOf]))) ?? own ?? name;
  if (!(data instanceof Uint8Array)) return { file, reason: 'a row without the bytes of a picture' };
  const named = Object.entries(record).map(([column, value]) => {
    const label =
      typeof value === 'bigint' || typeof value === 'number' ? classes.get(column)?.[Number(value)] : undefined;
    return [column, label ?? (column === image ? undefined : read(value))];
  });
  return { file, data, words: wordsOf(Object.fromEntries(named), columns) };
}

/** Some writers do not mark texts as such: they are bytes, alone or in a list. What is no UTF-8 is no text. */
function read(cell: unknown): unknown {
  if (Array.isArray(cell)) return cell.map(read);
  if (!(cell instanceof Uint8Array)) return cell;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(cell);
  } catch {
    return undefined;
  }
}

/** What Hugging Face's `datasets` says of the columns: the names of class labels. */
function classNames({ key_value_metadata: pairs = [] }: FileMetaData): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const text = pairs.find(({ key }) => key === 'huggingface')?.value;
  try {
    const features: Record<string, unknown> = JSON.parse(text ?? '{}').info?.features ?? {};
    for (const [column, feature] of Object.entries(features)) {
      const { _type: type, names } = feature as { _type?: unknown; names?: unknown };
      if (type === 'ClassLabel' && Array.isArray(names)) found.set(column, names.map(String));
    }
  } catch {
    // Labels stay numbers: the note is for reading, and the pictures do not depend on it.
  }
  return found;
}

function hyparquet() {
  return optionalPackage('hyparquet', 'reading parquet files', () => import('hyparquet'));
}

/** What `read` gives. @throws DataError where it fails for what the file holds */
async function whole<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw notWhole(path, 'parquet', cause);
  }
}

async function bufferOf(store: FileSource, path: string): Promise<AsyncBuffer> {
  const byteLength = await store.size(path);
  return {
    byteLength,
    slice: async (start, end = byteLength) => {
      const [from, to] = [start < 0 ? byteLength + start : start, end < 0 ? byteLength + end : end];
      return (await store.read(path, { offset: from, length: to - from })).buffer;
    },
  };
}
