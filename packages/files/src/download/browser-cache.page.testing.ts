// What runs in a page: downloads that are kept where a browser can.
import { opfsStore, sha256 } from '../index.js';
import { browserCache, cachedStore } from './index.js';

/** What a visit found. */
export interface Visit {
  /** Of the file, as often as it was read. */
  readonly hashes: string[];
  /** How often the browser was asked to keep what is there. */
  readonly persisted: number;
}

/**
 * Reads a file of the server twice.
 * @param where - the Cache API, or the origin's private files
 */
export async function readTwice(where: 'caches' | 'files', path: string): Promise<Visit> {
  let persisted = 0;
  const { storage } = navigator;
  const persist = storage.persist.bind(storage);
  storage.persist = () => {
    persisted++;
    return persist();
  };
  const cache = browserCache(`test-${where}`, where === 'files' ? opfsStore('downloads') : undefined);
  const store = cachedStore('/files/', cache, { partBytes: 2 ** 20, attempts: 1 });
  const hashes: string[] = [];
  for (let i = 0; i < 2; i++) hashes.push(await sha256(await store.read(path)));
  return { hashes, persisted };
}

/** Bytes that this origin's storage holds. */
export async function usage(): Promise<number> {
  return (await navigator.storage.estimate()).usage ?? 0;
}
