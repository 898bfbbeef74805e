// The folder in which `cachedStore` keeps downloads: which sources are in it, and removing those that nobody uses.
import { readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DownloadCache } from '../download/records.js';
import { FileLockedError } from '../errors.js';
import { lockFolder } from './lock-folder.js';
import { nodeStore } from './node-store.js';
import { markReader, readersOf } from './readers.js';

/** What is kept of one source: a model on a server. */
export interface KeptSource {
  /** Its address, without secrets. */
  readonly address: string;
  /** Files that are known of it. */
  readonly files: number;
  /** Bytes of them that are kept. Parts that two sources share count for both. */
  readonly keptBytes: number;
  /** Bytes that they have on the server. */
  readonly totalBytes: number;
  /** Milliseconds since 1970. */
  readonly lastUsedMs: number;
  /** Whether a process that runs has opened it. */
  readonly inUse: boolean;
}

/** Which sources go: those for which one of these holds. Sources in use never go. */
export interface CleanOptions {
  /** Those that nobody has opened for longer than so many milliseconds. */
  readonly olderThanMs?: number | undefined;
  /** Those used longest ago, until what is kept takes no more than this. */
  readonly keepBytes?: number | undefined;
  /** Those with this text in their address. */
  readonly address?: string | undefined;
}

/** What a cleaning did. */
export interface Cleaned {
  readonly removed: readonly KeptSource[];
  /** Sources that would have gone, and are in use. */
  readonly inUse: readonly KeptSource[];
  /** Bytes that the disk has got back. */
  readonly freedBytes: number;
  readonly keptBytes: number;
}

/** A part that no record names may have arrived a moment ago; a clock that was set forward does not make it old. */
const settledMs = 24 * 60 * 60 * 1000;

/** A folder of this machine in which downloads are kept. Other processes see which of them this one reads. */
export function downloadFolder(folder: string): DownloadCache {
  const store = nodeStore(folder);
  return { ...store, use: (path) => markReader(join(resolve(folder), path)) };
}

/** The sources that are kept in a folder, the one used last first. */
export async function listDownloads(folder: string): Promise<KeptSource[]> {
  return (await readSources(folder, await partSizes(folder))).map(({ source }) => source);
}

/**
 * Removes sources that nobody reads. A process that opens one meanwhile keeps it, or downloads it again; parts that another
 * source needs stay.
 */
export async function cleanDownloads(folder: string, options: CleanOptions): Promise<Cleaned> {
  const { olderThanMs = Number.POSITIVE_INFINITY, keepBytes = Number.POSITIVE_INFINITY, address } = options;
  const sizes = await partSizes(folder);
  const sources = await readSources(folder, sizes);
  const users = new Map<string, number>(); // by part: a part that sources share takes its bytes once
  for (const { parts } of sources) for (const part of parts) users.set(part, (users.get(part) ?? 0) + 1);
  let total = bytesOf(users.keys(), sizes);
  const [removed, inUse]: [KeptSource[], KeptSource[]] = [[], []];
  const left = new Set<string>();
  for (const { source, files, parts } of sources.toReversed()) {
    const isOld = Date.now() - source.lastUsedMs > olderThanMs;
    if (!(isOld || total > keepBytes || (address !== undefined && source.address.includes(address)))) continue;
    const isGone = !source.inUse && (await removeSource(files));
    (isGone ? removed : inUse).push(source);
    if (!isGone) continue;
    for (const part of parts) {
      left.add(part);
      users.set(part, users.get(part)! - 1);
    }
    total -= bytesOf(
      [...parts].filter((part) => users.get(part) === 0),
      sizes,
    );
  }
  await removeFolders(folder);
  const freedBytes = await removeParts(folder, left);
  return { removed, inUse, freedBytes, keptBytes: total };
}

interface KeptFile {
  readonly folder: string;
  readonly address: string;
  readonly sizeBytes: number;
  readonly parts: readonly string[];
  readonly changedMs: number;
}

async function readSources(
  folder: string,
  sizes: PartSizes,
): Promise<{ source: KeptSource; files: KeptFile[]; parts: ReadonlySet<string> }[]> {
  const byAddress = new Map<string, KeptFile[]>();
  for (const file of await readRecords(folder)) {
    byAddress.set(file.address, [...(byAddress.get(file.address) ?? []), file]);
  }
  const sources = [...byAddress].map(async ([address, files]) => {
    const readers = await Promise.all(files.map(({ folder: at }) => readersOf(at)));
    const parts = new Set(files.flatMap((file) => file.parts));
    const source: KeptSource = {
      ...{ address, files: files.filter(({ sizeBytes }) => sizeBytes >= 0).length },
      keptBytes: bytesOf(parts, sizes),
      totalBytes: files.reduce((sum, { sizeBytes }) => sum + Math.max(0, sizeBytes), 0),
      lastUsedMs: Math.max(...files.map(({ changedMs }) => changedMs), ...readers.map((each) => each.lastUsedMs)),
      inUse: readers.some((each) => each.inUse),
    };
    return { source, files, parts };
  });
  return (await Promise.all(sources)).sort((a, b) => b.source.lastUsedMs - a.source.lastUsedMs);
}

/** Those that can be read. What is damaged is downloaded again, and gone at the next cleaning. */
async function readRecords(folder: string): Promise<KeptFile[]> {
  const files = join(folder, 'files');
  const names = await readdir(files).catch(() => [] as string[]);
  const found = names.map(async (name) => {
    const at = join(files, name);
    try {
      const file = join(at, 'record.json');
      const { address, sizeBytes, parts } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
      if (typeof address !== 'string' || typeof sizeBytes !== 'number' || !Array.isArray(parts)) return [];
      const hashes = parts.filter((part): part is string => typeof part === 'string');
      return [{ folder: at, address, sizeBytes, parts: hashes, changedMs: (await stat(file)).mtimeMs }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(found)).flat();
}

/** Parts by their hash. */
type PartSizes = ReadonlyMap<string, { readonly size: number; readonly mtimeMs: number }>;

function bytesOf(parts: Iterable<string>, sizes: PartSizes): number {
  return [...parts].reduce((sum, hash) => sum + (sizes.get(hash)?.size ?? 0), 0);
}

async function partSizes(folder: string): Promise<PartSizes> {
  const parts = join(folder, 'parts');
  const names = await readdir(parts).catch(() => [] as string[]);
  const sizes = new Map<string, { size: number; mtimeMs: number }>();
  for (const name of names.filter((each) => /^[0-9a-f]{64}$/.test(each))) {
    const info = await stat(join(parts, name)).catch(() => undefined);
    if (info) sizes.set(name, info);
  }
  return sizes;
}

/**
 * Takes the records of a source away, and puts them back if somebody opened it meanwhile: a reader leaves its mark before it
 * looks for a record. @returns whether it is gone
 */
async function removeSource(files: readonly Pick<KeptFile, 'folder'>[]): Promise<boolean> {
  const away: { folder: string; release(): Promise<void> }[] = [];
  const hidden = (folder: string) => join(folder, 'record.json.removed');
  let isFree = true;
  try {
    for (const { folder } of files) {
      const lock = await lockFolder(folder).catch((error: unknown) => {
        if (error instanceof FileLockedError) return undefined; // it is being downloaded
        throw error;
      });
      isFree = lock !== undefined;
      if (!lock) break;
      away.push({ folder, release: lock.release });
      await rename(join(folder, 'record.json'), hidden(folder)).catch(ignoreMissing);
    }
    for (const { folder } of away) isFree &&= !(await readersOf(folder)).inUse;
  } finally {
    for (const { folder, release } of away) {
      if (isFree) {
        await rm(hidden(folder), { force: true });
        await rm(join(folder, 'readers'), { recursive: true, force: true });
      } else await rename(hidden(folder), join(folder, 'record.json')).catch(ignoreMissing);
      await release();
      if (isFree) await rmdir(folder).catch(() => undefined); // somebody has begun again
    }
  }
  return isFree;
}

/** Folders without a record, which a process that died left, or one whose server never answered. */
async function removeFolders(folder: string): Promise<void> {
  for (const name of await readdir(join(folder, 'files')).catch(() => [] as string[])) {
    const at = join(folder, 'files', name);
    const isEmpty = await stat(join(at, 'record.json')).then(
      () => false,
      () => true,
    );
    if (isEmpty && !(await readersOf(at)).inUse) await removeSource([{ folder: at }]);
  }
}

/** Parts that no record names: those of removed sources, and others that no process is about to note. @returns their bytes */
async function removeParts(folder: string, left: ReadonlySet<string>): Promise<number> {
  const named = new Set((await readRecords(folder)).flatMap(({ parts }) => parts));
  let freed = 0;
  for (const [hash, { size, mtimeMs }] of await partSizes(folder)) {
    if (named.has(hash) || (!left.has(hash) && Date.now() - mtimeMs < settledMs)) continue;
    await rm(join(folder, 'parts', hash), { force: true });
    freed += size;
  }
  return freed;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
