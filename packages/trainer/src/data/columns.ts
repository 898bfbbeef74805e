// The columns of a data folder: what is known of each record as numbers. A column has a name, an element type and the shape
// of one record; row i of each belongs to item i.
import type { HostData } from '@paris/files/safetensors';
import { CheckpointError } from '@paris/tensor';
import type { ColumnDType, ColumnFormat, DataFormat } from './formats.js';

/** Columns in memory, by name, each [N, …shape] in row-major order. f16 is held as f32, which has all its values. */
export interface DataColumns {
  readonly [name: string]: HostData;
}

/** The typed array of a column in memory. */
export interface ColumnArrays {
  u8: Uint8Array;
  u32: Uint32Array;
  i32: Int32Array;
  f16: Float32Array;
  f32: Float32Array;
}

/**
 * The columns of a folder by name: those that its format lists, else pixels and the token ids of captions, `images` u8
 * [C, S, S] and `tokens` u32 [L].
 */
export function columnsOf(format: DataFormat): Readonly<Record<string, ColumnFormat>> {
  const { channels, size, maxTokens, columns } = format;
  if (columns) return columns;
  return {
    images: { dtype: 'u8', shape: [channels, size, size] },
    tokens: { dtype: 'u32', shape: [maxTokens] },
  };
}

/**
 * A column of rows that were read.
 * @throws CheckpointError if there is none of this name, or one of another type
 */
export function columnOf<D extends ColumnDType>(columns: DataColumns, name: string, dtype: D): ColumnArrays[D] {
  const data = Object.hasOwn(columns, name) ? columns[name] : undefined;
  // By its tag, not its class: arrays of another realm are the same arrays.
  const kind = Object.prototype.toString.call(data).slice(8, -1);
  if (kind === arrays[dtype].name) return data as ColumnArrays[D];
  const there = Object.keys(columns).join(', ');
  throw new CheckpointError('data', `the data has no column "${name}" of ${dtype} (columns: ${there}).`);
}

/** Numbers of one record: the product of its shape. */
function recordSize({ shape }: ColumnFormat): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Bytes of one record on disk, all columns together. */
export function recordBytes(format: DataFormat): number {
  return Object.values(columnsOf(format)).reduce(
    (sum, column) => sum + dtypeBytes[column.dtype] * recordSize(column),
    0,
  );
}

/** Zeros for `count` records of each column. */
export function emptyColumns(format: DataFormat, count: number): DataColumns {
  return mapColumns(format, (column) => new arrays[column.dtype](count * recordSize(column)));
}

/** The records [from, from + count), as views. */
export function rangeOf(columns: DataColumns, format: DataFormat, from: number, count: number): DataColumns {
  return mapColumns(format, (column, name) => {
    const size = recordSize(column);
    return columns[name]!.subarray(from * size, (from + count) * size);
  });
}

/** Copies `count` records of `source` from `from` on to the records of `target` from `to` on. */
export function copyRecords(
  format: DataFormat,
  [source, from]: readonly [DataColumns, number],
  [target, to]: readonly [DataColumns, number],
  count = 1,
): void {
  for (const [name, column] of Object.entries(columnsOf(format))) {
    const size = recordSize(column);
    target[name]!.set(source[name]!.subarray(from * size, (from + count) * size), to * size);
  }
}

function mapColumns(format: DataFormat, of: (column: ColumnFormat, name: string) => HostData): DataColumns {
  return Object.fromEntries(Object.entries(columnsOf(format)).map(([name, column]) => [name, of(column, name)]));
}

const arrays = { u8: Uint8Array, u32: Uint32Array, i32: Int32Array, f16: Float32Array, f32: Float32Array } as const;
const dtypeBytes: Readonly<Record<ColumnDType, number>> = { u8: 1, u32: 4, i32: 4, f16: 2, f32: 4 };
