import { CheckpointError } from '../errors.js';
import type { FileSource } from '../stores/store.js';
import { fileDTypes, type HostTensor } from './dtypes.js';
import { headerLength, parseHeader, quote, type SafetensorsEntry, type SafetensorsHeader } from './header.js';

/** Neighbouring tensors are asked for together up to this size; a larger one comes alone, into the buffer it stays in. */
const maxRequestBytes = 32 * 2 ** 20;

/**
 * What a file holds, without its tensors.
 * @throws CheckpointError if the header is not sound; what the store throws.
 */
export async function readHeader(store: FileSource, path: string): Promise<SafetensorsHeader> {
  const fileBytes = await store.size(path);
  const file = quote(path);
  const start = await store.read(path, { offset: 0, length: Math.min(8, fileBytes) });
  const length = headerLength(file, start, fileBytes);
  return parseHeader(file, await store.read(path, { offset: 8, length }), fileBytes);
}

/**
 * The tensors of a file on the host, one after another in the file's own order, which is read in few large spans.
 * @throws CheckpointError if the file is not sound; what the store throws.
 */
export async function* streamSafetensors(
  store: FileSource,
  path: string,
): AsyncGenerator<[name: string, tensor: HostTensor]> {
  const { entries } = await readHeader(store, path);
  for (const group of groups(entries)) {
    const start = group[0]!.offset;
    const last = group.at(-1)!;
    const bytes = await store.read(path, { offset: start, length: last.offset + last.sizeBytes - start });
    for (const entry of group) {
      const at = entry.offset - start;
      yield [entry.name, decodeEntry(quote(path), entry, bytes.subarray(at, at + entry.sizeBytes))];
    }
  }
}

/**
 * The tensors of a file by name, on the host.
 * @throws CheckpointError if the file is not sound; what the store throws.
 */
export async function readSafetensors(store: FileSource, path: string): Promise<Record<string, HostTensor>> {
  const found: [string, HostTensor][] = [];
  for await (const tensor of streamSafetensors(store, path)) found.push(tensor);
  return Object.fromEntries(found);
}

/**
 * One tensor of a file, without the rest.
 * @param entry - of {@link readHeader}
 * @throws CheckpointError if its values do not fit the host; what the store throws.
 */
export async function readTensor(store: FileSource, path: string, entry: SafetensorsEntry): Promise<HostTensor> {
  const bytes = await store.read(path, { offset: entry.offset, length: entry.sizeBytes });
  return decodeEntry(quote(path), entry, bytes);
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
      return [entry.name, decodeEntry(file, entry, data)];
    }),
  );
}

/** What a file that is in memory holds. @throws CheckpointError if the header is not sound. */
export function parseSafetensorsHeader(bytes: Uint8Array, file = 'safetensors'): SafetensorsHeader {
  const length = headerLength(file, bytes, bytes.length);
  return parseHeader(file, bytes.subarray(8, 8 + length), bytes.length);
}

/** A tensor from its bytes. Throws a CheckpointError if its values do not fit the host. */
export function decodeEntry(file: string, entry: SafetensorsEntry, bytes: Uint8Array): HostTensor {
  const type = fileDTypes[entry.dtype]!;
  const data = type.read(bytes);
  if (data) return { data, shape: entry.shape, dtype: type.host };
  const values = `tensor ${quote(entry.name)} has ${entry.dtype} values`;
  throw new CheckpointError('safetensors', `${file}: ${values} that do not fit ${type.host}. Convert it.`);
}

/** Runs of neighbours that are not too large to be read at once. */
function groups(entries: readonly SafetensorsEntry[]): SafetensorsEntry[][] {
  const result: SafetensorsEntry[][] = [];
  for (const entry of entries) {
    const group = result.at(-1);
    const end = entry.offset + entry.sizeBytes;
    if (group && end - group[0]!.offset <= maxRequestBytes) group.push(entry);
    else result.push([entry]);
  }
  return result;
}
