import { CheckpointError } from '../errors.js';
import { type FloatDType, isFloat } from '../graph/dtype.js';
import type { FileStore } from '../store/store.js';
import { fileDTypes, type HostData, type HostTensor } from './dtypes.js';
import { headerLength, parseHeader, quote, type SafetensorsEntry, type SafetensorsHeader } from './header.js';

/** What takes host arrays to a device: a `Device`. */
export interface TensorFactory<T> {
  /** Uploads elements in row-major order, as many as the shape has. */
  tensor(data: HostData, options: { shape: readonly number[]; dtype: 'f32' | 'f16' | 'i32' | 'u32' | 'bool' }): T;
}

/** Options of {@link readSafetensors}. */
export interface ReadOptions {
  /** Reads only the tensors for which this is true. */
  readonly filter?: (name: string) => boolean;
  /** What every tensor of floats becomes on the device. Default: what it is in the file, and f32 for bf16. */
  readonly floats?: FloatDType | undefined;
  /** Called with each tensor as it is read, before it goes to the device. */
  readonly inspect?: (name: string, tensor: HostTensor) => void;
  /** Called as tensors arrive. */
  readonly onProgress?: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void;
}

/** Neighbouring tensors are asked for together up to this size; larger ones come in pieces of it. */
const maxRequestBytes = 32 * 2 ** 20;
/** A gap (of tensors not wanted) up to this size is read over: cheaper than another request. */
const maxGapBytes = 256 * 1024;

/**
 * What a file holds, without its tensors.
 * @throws CheckpointError if the header is not sound; what the store throws.
 */
export async function readHeader(store: FileStore, path: string): Promise<SafetensorsHeader> {
  const fileBytes = await store.size(path);
  const file = quote(path);
  const start = await store.read(path, { offset: 0, length: Math.min(8, fileBytes) });
  const length = headerLength(file, start, fileBytes);
  return parseHeader(file, await store.read(path, { offset: 8, length }), fileBytes);
}

/**
 * The tensors of a file by name, on the host or, given a device, on it (bf16 as f32, u8 as u32). The file is read in
 * its own order, in few large spans.
 * @throws CheckpointError if the file is not sound; what the store throws.
 */
export function readSafetensors(
  store: FileStore,
  path: string,
  device?: undefined,
  options?: ReadOptions,
): Promise<Record<string, HostTensor>>;
export function readSafetensors<T>(
  store: FileStore,
  path: string,
  device: TensorFactory<T>,
  options?: ReadOptions,
): Promise<Record<string, T>>;
export async function readSafetensors<T>(
  store: FileStore,
  path: string,
  device?: TensorFactory<T>,
  { filter = () => true, floats, inspect, onProgress }: ReadOptions = {},
): Promise<Record<string, HostTensor | T>> {
  const header = await readHeader(store, path);
  const wanted = header.entries.filter((entry) => filter(entry.name));
  const totalBytes = wanted.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  let doneBytes = 0;
  const found: [string, HostTensor | T][] = [];
  for (const group of groups(wanted)) {
    const first = group[0]!.offset;
    const last = group.at(-1)!;
    const bytes = await readPieces(store, path, first, last.offset + last.sizeBytes - first);
    for (const entry of group) {
      const at = entry.offset - first;
      const tensor = decode(quote(path), entry, bytes.subarray(at, at + entry.sizeBytes));
      inspect?.(entry.name, tensor);
      found.push([entry.name, device ? upload(device, tensor, floats) : tensor]);
      doneBytes += entry.sizeBytes;
    }
    onProgress?.({ doneBytes, totalBytes });
  }
  return Object.fromEntries(found);
}

/**
 * The tensors of a file that is in memory.
 * @throws CheckpointError if the file is not sound.
 */
export function parseSafetensors(bytes: Uint8Array, file = 'safetensors'): Record<string, HostTensor> {
  const { entries } = parseSafetensorsHeader(bytes, file);
  return Object.fromEntries(
    entries.map((entry) => {
      const data = bytes.subarray(entry.offset, entry.offset + entry.sizeBytes);
      return [entry.name, decode(file, entry, data)];
    }),
  );
}

/** What a file that is in memory holds. @throws CheckpointError if the header is not sound. */
export function parseSafetensorsHeader(bytes: Uint8Array, file = 'safetensors'): SafetensorsHeader {
  const length = headerLength(file, bytes, bytes.length);
  return parseHeader(file, bytes.subarray(8, 8 + length), bytes.length);
}

function decode(file: string, entry: SafetensorsEntry, bytes: Uint8Array): HostTensor {
  const type = fileDTypes[entry.dtype]!;
  const data = type.read(bytes);
  if (data) return { data, shape: entry.shape, dtype: type.host } as HostTensor;
  const values = `tensor ${quote(entry.name)} has ${entry.dtype} values`;
  throw new CheckpointError('safetensors', `${file}: ${values} that do not fit ${type.host}. Convert it.`);
}

function upload<T>(device: TensorFactory<T>, { data, shape, dtype }: HostTensor, floats?: FloatDType): T {
  if (dtype === 'u8') return device.tensor(Uint32Array.from(data), { shape, dtype: 'u32' });
  if (dtype === 'bf16') return device.tensor(data, { shape, dtype: floats ?? 'f32' });
  return device.tensor(data, { shape, dtype: isFloat(dtype) ? (floats ?? dtype) : dtype });
}

/** Runs of tensors that lie close together and are not too large to be read at once. */
function groups(entries: readonly SafetensorsEntry[]): SafetensorsEntry[][] {
  const result: SafetensorsEntry[][] = [];
  for (const entry of entries) {
    const group = result.at(-1);
    const before = group?.at(-1);
    const end = entry.offset + entry.sizeBytes;
    const near = before && entry.offset - (before.offset + before.sizeBytes) <= maxGapBytes;
    if (group && near && end - group[0]!.offset <= maxRequestBytes) group.push(entry);
    else result.push([entry]);
  }
  return result;
}

async function readPieces(store: FileStore, path: string, offset: number, length: number): Promise<Uint8Array> {
  if (length <= maxRequestBytes) return store.read(path, { offset, length });
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; done += maxRequestBytes) {
    const piece = { offset: offset + done, length: Math.min(maxRequestBytes, length - done) };
    bytes.set(await store.read(path, piece), done);
  }
  return bytes;
}
