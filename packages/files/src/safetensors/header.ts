// The header of a safetensors file, believed in nothing: https://github.com/huggingface/safetensors#format. Eight bytes
// of length (u64, little-endian), JSON of that length, then the tensors' bytes without gaps or overlaps.
import { CheckpointError } from '../errors.js';
import { duplicateKey, isDeeper } from '../json-text.js';
import { fileDTypes } from './dtypes.js';

/** Where a tensor is in a file. */
export interface SafetensorsEntry {
  readonly name: string;
  /** As the file says: F32, BF16, U8, … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** What a safetensors file holds, its tensors in the order of their bytes. */
export interface SafetensorsHeader {
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own bound on the header. */
const maxHeaderBytes = 100_000_000;

/**
 * The length of the header's JSON, from the first eight bytes.
 * @throws CheckpointError if the file is too short for it.
 */
export function headerLength(file: string, start: Uint8Array, fileBytes: number): number {
  if (fileBytes < 8) fail(file, `it has ${fileBytes} bytes, too few for a header. Was the download cut off?`);
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  if (length > maxHeaderBytes)
    fail(file, `its header claims ${length} bytes, more than the format allows (10⁸). Is it a safetensors file?`);
  if (length > fileBytes - 8) fail(file, `its header claims ${length} of ${fileBytes - 8} bytes. Was it cut off?`);
  return length;
}

/**
 * Reads and checks a header.
 * @param json - the bytes between the length and the data
 * @throws CheckpointError on the first thing that is wrong: JSON, names, dtypes, shapes, sizes, offsets.
 */
export function parseHeader(file: string, json: Uint8Array, fileBytes: number): SafetensorsHeader {
  const start = 8 + json.length;
  const { __metadata__: metadata = {}, ...tensors } = parseHeaderJson(file, json);
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    fail(file, 'its __metadata__ is no record of strings.');
  }
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(file, name, value, start));
  entries.sort((a, b) => a.offset - b.offset || a.sizeBytes - b.sizeBytes);
  let end = start;
  for (const { name, offset, sizeBytes } of entries) {
    if (offset !== end) {
      const how = offset < end ? 'overlaps the tensor before it' : 'leaves a gap before it';
      fail(file, `tensor ${quote(name)} ${how}: it begins at byte ${offset}, not ${end}.`);
    }
    end = offset + sizeBytes;
  }
  if (end !== fileBytes) {
    const how = end > fileBytes ? 'beyond the end of the file' : 'before the end of the file';
    fail(file, `its tensors end at byte ${end}, ${how}, ${fileBytes}. Was it cut off?`);
  }
  return { entries, metadata: metadata as Record<string, string> };
}

/** A tensor's name as messages show it: short, and on one line. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

function parseHeaderJson(file: string, bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    return fail(file, 'its header is no UTF-8. Is it a safetensors file?', cause);
  }
  // Three deep: the header, a tensor, its shape.
  if (isDeeper(text, 3)) fail(file, 'its header nests lists and objects more than 3 deep. Is it a safetensors file?');
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    return fail(file, 'its header is no JSON. Is it a safetensors file?', cause);
  }
  if (!isRecord(header) || text[0] !== '{') return fail(file, 'its header is no JSON object that begins with "{".');
  const twice = duplicateKey(text);
  if (twice !== undefined) fail(file, `its header names ${quote(twice)} twice.`);
  return header;
}

function parseEntry(file: string, name: string, value: unknown, start: number): SafetensorsEntry {
  const wrong = (what: string) => fail(file, `tensor ${quote(name)} ${what}`);
  if (!isRecord(value)) return wrong('is described by no object.');
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const [extra] = Object.keys(rest);
  if (extra !== undefined) return wrong(`has an unknown field ${quote(extra)}.`);
  const type = typeof dtype === 'string' && Object.hasOwn(fileDTypes, dtype) ? fileDTypes[dtype] : undefined;
  if (typeof dtype !== 'string' || !type) {
    const known = Object.keys(fileDTypes).join(', ');
    return wrong(`has the dtype ${quote(String(dtype))}, which is not read here (${known}). Convert it.`);
  }
  if (!isCounts(shape)) return wrong('has a shape that is no list of whole numbers.');
  if (!isCounts(offsets) || offsets.length !== 2) return wrong('has offsets that are no two whole numbers.');
  const [begin, end] = offsets as [number, number];
  const sizeBytes = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, type.bytes);
  if (end - begin !== sizeBytes) {
    const label = shape.length > 8 ? `${shape.length} axes` : `[${shape.join(', ')}]`;
    return wrong(`has ${end - begin} bytes, but ${label} of ${dtype} takes ${sizeBytes}.`);
  }
  return { name, dtype, shape, offset: start + begin, sizeBytes };
}

/** An object of JSON. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function fail(file: string, what: string, cause?: unknown): never {
  throw new CheckpointError('safetensors', `${file}: ${what}`, cause === undefined ? undefined : { cause });
}
