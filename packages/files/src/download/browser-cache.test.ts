import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileLockedError } from '../index.js';
import { serveFiles } from '../stores/serve-files.testing.js';
import { cacheOf } from './browser-cache.js';
import { cachedStore, memoryCache } from './index.js';

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
const log: string[] = [];
const server = createServer(serveFiles(new Map([['/model.bin', content]]), () => ({ ranges: true, tag: '"1"' }), log));
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => server.close());

/** A browser's storage of so many bytes. */
function browser(quota = 1e9, { estimates = true } = {}) {
  const entries = new Map<string, ArrayBuffer>();
  const held = new Set<string>();
  const asked = { persist: 0 };
  const usage = () => [...entries.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const caches = {
    open: async () => ({
      match: async (key: string) => (entries.has(key) ? new Response(entries.get(key)!.slice(0)) : undefined),
      put: async (key: string, response: Response) => {
        const bytes = await response.arrayBuffer();
        if (usage() + bytes.byteLength > quota) throw new DOMException('full', 'QuotaExceededError');
        entries.set(key, bytes);
      },
    }),
  };
  const navigator = {
    storage: {
      persist: async () => {
        asked.persist++;
        return true;
      },
      ...(estimates && { estimate: async () => ({ quota, usage: usage() }) }),
    },
    locks: {
      request: async (name: string, _: object, run: (lock: unknown) => Promise<void>) => {
        if (held.has(name)) return run(null);
        held.add(name);
        await run({}).finally(() => held.delete(name));
      },
    },
  };
  return { platform: { caches, navigator }, entries, asked };
}

const quick = { partBytes: 256 };

describe('a browser keeps downloads', () => {
  it('across visits, and is asked to go on keeping them', async () => {
    const { platform, entries, asked } = browser();
    expect(await cachedStore(url, cacheOf('a', platform), quick).read('model.bin')).toEqual(content);
    expect(entries.size).toBe(5); // four parts and a record
    expect(asked.persist).toBe(1);
    log.length = 0;
    expect(await cachedStore(url, cacheOf('a', platform), quick).read('model.bin')).toEqual(content);
    expect(log).toHaveLength(1);
  });

  it.each([true, false])('in memory what goes beyond its quota (it estimates: %s)', async (estimates) => {
    const { platform, entries } = browser(1000, { estimates });
    const store = cachedStore(url, cacheOf('a', platform), quick);
    log.length = 0;
    for (let i = 0; i < 2; i++) expect(await store.read('model.bin')).toEqual(content);
    expect(log).toHaveLength(5); // once
    expect(entries.size).toBeLessThan(4);
  });

  it('in memory where it has no cache, or refuses it', async () => {
    const refusing = { caches: { open: () => Promise.reject(new DOMException('no', 'SecurityError')) } };
    for (const platform of [{}, refusing]) {
      const store = cachedStore(url, cacheOf('a', platform), quick);
      expect(await store.read('model.bin')).toEqual(content);
    }
  });

  it('in memory up to a limit', async () => {
    const cache = memoryCache();
    const large = new Uint8Array(100 * 2 ** 20);
    for (const path of ['parts/a', 'parts/b', 'parts/c']) await cache.write(path, large);
    expect([await cache.exists('parts/a'), await cache.exists('parts/c')]).toEqual([false, true]);
    await expect(cache.read('parts/a')).rejects.toThrow('there is no file "parts/a"');
  });

  it('with one tab at a time for a file', async () => {
    const { platform } = browser();
    const [one, two] = [cacheOf('a', platform), cacheOf('a', platform)];
    const lock = await one.lock('files/x');
    await expect(two.lock('files/x')).rejects.toThrow(FileLockedError);
    await (await two.lock('files/y')).release();
    await lock.release();
    await (await two.lock('files/x')).release();
  });
});
