// The index of a zip archive whose entries are stored, not compressed, as PyTorch writes its checkpoints. Nothing in it is
// trusted: sizes and offsets are checked against the file before anything is allocated or read.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

import { quote } from '../safetensors/header.js';
import type { FileSource } from '../stores/store.js';
import { fail } from './fail.js';

/** A stored entry: its bytes are somewhere in [offset, end), after its local header. */
export interface ZipEntry {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of its local header, from the start of the file. */
  readonly offset: number;
  /** Where the next entry, or the archive's index, begins. */
  readonly end: number;
}

const maxIndexBytes = 64 * 2 ** 20;

/**
 * The entries of an archive, in the order of their bytes.
 * @throws CheckpointError if the archive is cut off, or an entry is compressed, encrypted, named twice or overlaps another
 */
export async function readZipEntries(source: FileSource, path: string): Promise<ZipEntry[]> {
  const fileBytes = await source.size(path);
  const index = await findIndex(source, path, fileBytes);
  if (index.offset + index.sizeBytes > index.end) fail(path, 'its index lies outside the file. Was it cut off?');
  if (index.sizeBytes > maxIndexBytes)
    fail(path, `its index claims ${index.sizeBytes} bytes, more than is read (2²⁶).`);
  const bytes = await source.read(path, { offset: index.offset, length: index.sizeBytes });
  const found = parseIndex(path, bytes, index.count);
  const seen = new Set<string>();
  found.sort((a, b) => a.offset - b.offset);
  return found.map(({ nameBytes, ...entry }, i) => {
    if (seen.has(entry.name)) fail(path, `its entry ${quote(entry.name)} is there twice.`);
    seen.add(entry.name);
    const end = found[i + 1]?.offset ?? index.offset;
    if (entry.offset + localBytes + nameBytes + entry.sizeBytes > end) {
      fail(path, `its entry ${quote(entry.name)} overlaps what comes after it, or was cut off.`);
    }
    return { ...entry, end };
  });
}

/**
 * The bytes of an entry.
 * @param bytes - all of the file from `entry.offset` to `entry.end`
 * @throws CheckpointError if the local header is not that of this entry
 */
export function entryBytes<B extends Uint8Array>(path: string, entry: ZipEntry, bytes: B): B {
  const view = viewOf(bytes);
  if (bytes.length < localBytes || view.getUint32(0, true) !== localSignature) {
    fail(path, `its entry ${quote(entry.name)} is not where the index says.`);
  }
  const nameBytes = view.getUint16(26, true);
  const start = localBytes + nameBytes + view.getUint16(28, true);
  if (textOf(bytes.subarray(localBytes, localBytes + nameBytes)) !== entry.name) {
    fail(path, `its entry ${quote(entry.name)} has another name in its own header.`);
  }
  if (start + entry.sizeBytes > bytes.length) fail(path, `its entry ${quote(entry.name)} was cut off.`);
  return bytes.subarray(start, start + entry.sizeBytes) as B;
}

const endSignature = 0x06054b50;
const endBytes = 22;
const locatorSignature = 0x07064b50;
const locatorBytes = 20;
const end64Signature = 0x06064b50;
const centralSignature = 0x02014b50;
const centralBytes = 46;
const localSignature = 0x04034b50;
const localBytes = 30;

interface Index {
  readonly count: number;
  readonly offset: number;
  readonly sizeBytes: number;
  /** Where the records after the index begin. */
  readonly end: number;
}

/** The record at the end of the file says where the index is; in a large file, one before it (zip64). */
async function findIndex(source: FileSource, path: string, fileBytes: number): Promise<Index> {
  const length = Math.min(fileBytes, 2 ** 16 + endBytes);
  const start = fileBytes - length;
  const tail = await source.read(path, { offset: start, length });
  const view = viewOf(tail);
  let at = length - endBytes;
  while (
    at >= 0 &&
    !(view.getUint32(at, true) === endSignature && at + endBytes + view.getUint16(at + 20, true) === length)
  )
    at--;
  if (at < 0) fail(path, 'it has no end record. Was the download cut off?');
  const [count, sizeBytes, offset] = [
    view.getUint16(at + 10, true),
    view.getUint32(at + 12, true),
    view.getUint32(at + 16, true),
  ];
  if (view.getUint16(at + 4, true) !== 0 || view.getUint16(at + 8, true) !== count)
    fail(path, 'it is one part of several.');
  if (count !== 0xffff && sizeBytes !== 0xffffffff && offset !== 0xffffffff)
    return { count, sizeBytes, offset, end: start + at };
  const locator = at - locatorBytes;
  if (locator < 0 || view.getUint32(locator, true) !== locatorSignature)
    fail(path, 'it has no zip64 locator. Was it cut off?');
  const place = uint64(path, view, locator + 8);
  if (place + 56 > start + locator) fail(path, 'its zip64 end record lies outside the file.');
  const record = viewOf(await source.read(path, { offset: place, length: 56 }));
  if (record.getUint32(0, true) !== end64Signature) fail(path, 'its zip64 end record is not where it should be.');
  return {
    count: uint64(path, record, 32),
    sizeBytes: uint64(path, record, 40),
    offset: uint64(path, record, 48),
    end: place,
  };
}

function parseIndex(path: string, bytes: Uint8Array, count: number) {
  if (count * centralBytes > bytes.length) fail(path, `its index claims ${count} entries in ${bytes.length} bytes.`);
  const view = viewOf(bytes);
  const entries: { name: string; nameBytes: number; sizeBytes: number; offset: number }[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + centralBytes > bytes.length || view.getUint32(at, true) !== centralSignature)
      fail(path, 'its index is broken.');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [
      number,
      number,
      number,
    ];
    const extraAt = at + centralBytes + nameBytes;
    const next = extraAt + extraBytes + commentBytes;
    if (next > bytes.length) fail(path, 'its index is broken.');
    const name = textOf(bytes.subarray(at + centralBytes, extraAt));
    if (view.getUint16(at + 8, true) & 1) fail(path, `its entry ${quote(name)} is encrypted, which is not read.`);
    if (view.getUint16(at + 10, true) !== 0)
      fail(path, `its entry ${quote(name)} is compressed. Only stored entries are read, as PyTorch writes them.`);
    const extra = wideFields(path, view, extraAt, extraBytes);
    const wide = (field: number) => {
      const value = view.getUint32(at + field, true);
      return value === 0xffffffff ? extra() : value;
    };
    const sizeBytes = wide(24); // in this order, as the extra field has them
    const storedBytes = wide(20);
    if (sizeBytes !== storedBytes)
      fail(path, `its entry ${quote(name)} has two sizes, ${sizeBytes} and ${storedBytes}.`);
    entries.push({ name, nameBytes, sizeBytes, offset: wide(42) });
    at = next;
  }
  return entries;
}

/** Gives the 64-bit values of an entry's zip64 field one after the other. */
function wideFields(path: string, view: DataView, start: number, length: number): () => number {
  const end = start + length;
  let [at, stop] = [end, end];
  for (let field = start; field + 4 <= end; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) === 1)
      [at, stop] = [field + 4, Math.min(end, field + 4 + view.getUint16(field + 2, true))];
  }
  return () => {
    if (at + 8 > stop) fail(path, 'its index is broken.');
    at += 8;
    return uint64(path, view, at - 8);
  };
}

function uint64(path: string, view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) fail(path, `it claims ${value} bytes.`);
  return Number(value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
