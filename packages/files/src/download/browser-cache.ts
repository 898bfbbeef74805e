// Downloads that a browser keeps: in its Cache API, which pages and workers (and Deno) have, or in the origin's private files, and
// in memory where that is full or not there.
import { notFound } from '../errors.js';
import type { FileLock } from '../stores/store.js';
import { type WebLocks, webLock } from '../web-lock.js';
import type { DownloadCache } from './records.js';

/** What is used of the browser; types for it are not everywhere. */
export interface Platform {
  readonly caches?: { open(name: string): Promise<CacheLike> };
  readonly navigator?: {
    readonly storage?: {
      persist?(): Promise<boolean>;
      estimate?(): Promise<{ quota?: number; usage?: number }>;
    };
    readonly locks?: WebLocks;
  };
}

interface CacheLike {
  match(key: string): Promise<Response | undefined>;
  put(key: string, response: Response): Promise<void>;
}

/** Where a browser keeps entries from visit to visit. */
type Keeper = Pick<DownloadCache, 'read' | 'exists' | 'write'>;

/** Parts in memory beyond this are dropped, the oldest first: they are downloaded again when they are wanted. */
const mostMemoryBytes = 256 * 2 ** 20;
/** Left free of the quota: entries take more than their bytes. */
const spareBytes = 8 * 2 ** 20;

/**
 * Where a page keeps what `cachedStore` downloads: across visits in the browser's Cache API, as long as there is room (the browser
 * is asked to keep it, `persist()`); otherwise up to 256 MiB of it in memory. Tabs take turns (Web Locks).
 * @param name - of the cache, shared by all pages of an origin that name it so
 * @param files - where to keep it in place of the Cache API, such as `opfsStore('downloads')`
 */
export function browserCache(name = 'paris-downloads', files?: Keeper): DownloadCache {
  return cacheOf(name, globalThis as Platform, files);
}

/** Keeps up to 256 MiB of what `cachedStore` downloads in memory, and nothing anywhere else. */
export function memoryCache(): DownloadCache {
  return cacheOf('memory', {});
}

/** What {@link browserCache} is on this platform. */
export function cacheOf(name: string, platform: Platform, files?: Keeper): DownloadCache {
  const cache = new BrowserCache(name, platform, files);
  return {
    read: (path) => cache.read(path),
    exists: (path) => cache.exists(path),
    write: (path, bytes) => cache.write(path, bytes),
    lock: (folder = '') => cache.lock(folder),
  };
}

class BrowserCache {
  readonly #name: string;
  readonly #platform: Platform;
  /** Undefined where the browser has none, or keeps none for this page. */
  readonly #keeper: Promise<Keeper | undefined>;
  readonly #memory = new Map<string, Uint8Array<ArrayBuffer>>();
  #isPersistent = false;

  constructor(name: string, platform: Platform, files?: Keeper) {
    this.#name = name;
    this.#platform = platform;
    const opened = files ?? platform.caches?.open(name).then(keeperOf);
    this.#keeper = Promise.resolve(opened).catch(() => undefined);
  }

  async exists(path: string): Promise<boolean> {
    return this.#memory.has(path) || ((await (await this.#keeper)?.exists(path)) ?? false);
  }

  async read(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const held = this.#memory.get(path);
    if (held) return held.slice();
    const keeper = await this.#keeper;
    if (!keeper) throw notFound(path);
    return keeper.read(path);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const copy = new Uint8Array(bytes);
    this.#memory.delete(path);
    if (await this.#keep(path, copy)) return;
    this.#memory.set(path, copy);
    let total = 0;
    for (const { length } of this.#memory.values()) total += length;
    for (const [old, { length }] of this.#memory) {
      if (total <= mostMemoryBytes || old === path) return;
      this.#memory.delete(old);
      total -= length;
    }
  }

  /** Whether the browser took it. */
  async #keep(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const keeper = await this.#keeper;
    const { storage } = this.#platform.navigator ?? {};
    if (!keeper) return false;
    try {
      if (!this.#isPersistent) {
        this.#isPersistent = true;
        storage?.persist?.().catch(() => undefined); // it may ask the user: nothing waits for the answer
      }
      const { quota = Number.POSITIVE_INFINITY, usage = 0 } = (await storage?.estimate?.()) ?? {};
      if (bytes.length + spareBytes > quota - usage) return false;
      await keeper.write(path, bytes);
      return true;
    } catch {
      return false; // it is full after all, or a browser that stores nothing in this mode
    }
  }

  /** @throws FileLockedError if another tab has it */
  lock(folder: string): Promise<FileLock> {
    const { locks } = this.#platform.navigator ?? {};
    if (!locks) return Promise.resolve({ release: async () => {} });
    return webLock(locks, `${this.#name} ${folder}`, `"${folder}" is in use by another tab. Wait for it to end.`);
  }
}

function keeperOf(cache: CacheLike): Keeper {
  return {
    exists: async (path) => (await cache.match(keyOf(path))) !== undefined,
    read: async (path) => {
      const found = await cache.match(keyOf(path));
      if (!found) throw notFound(path);
      return new Uint8Array(await found.arrayBuffer());
    },
    write: (path, bytes) => cache.put(keyOf(path), new Response(bytes as Uint8Array<ArrayBuffer>)),
  };
}

/** Keys of a cache are addresses; this one leads nowhere. */
function keyOf(path: string): string {
  return `https://downloads.invalid/${path}`;
}
