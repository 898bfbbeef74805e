// What a cache notes of a file, damaged: never other bytes than the server's.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mutantCount, mutantsOf } from '../checkpoint/mutants.testing.js';
import { type FileStore, memoryStore, ParisError } from '../index.js';
import { serveFiles } from '../stores/serve-files.testing.js';
import { cachedStore } from './index.js';

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
const server = createServer(serveFiles(new Map([['/f', content]]), () => ({ ranges: true, tag: '"one"' })));
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const options = { partBytes: 256, retryMs: 1, maxRetryMs: 5 };
const read = (cache: FileStore, at = url) => cachedStore(at, cache, options).read('f');

/** A cache that holds the file, and where its record is. */
async function filled(): Promise<{ cache: FileStore; record: string; part: string }> {
  const cache = memoryStore();
  await read(cache);
  const paths = await cache.list();
  const [record, part] = [/record\.json$/, /^parts\//].map((each) => paths.find((path) => each.test(path))!);
  return { cache, record: record!, part: part! };
}

it.each(['record', 'part'] as const)(
  'mutants of a %s: the file is what the server has',
  {
    timeout: 3_600_000,
  },
  async (which) => {
    const original = await filled();
    const bytes = await original.cache.read(original[which]);
    for (const [seed, mutant] of mutantsOf(bytes, mutantCount).entries()) {
      const cache = memoryStore();
      for (const path of await original.cache.list()) await cache.write(path, await original.cache.read(path));
      await cache.write(original[which], mutant);
      expect(await read(cache), `mutant ${seed}`).toEqual(content);
    }
  },
);

it('mutants of a record, with no server: the file, or a sentence', { timeout: 3_600_000 }, async () => {
  const gone = 'http://127.0.0.1:9/';
  const { cache, record } = await filled();
  const moved = memoryStore();
  // As if it had come from the server that does not answer.
  const text = new TextDecoder().decode(await cache.read(record)).replace(url.slice(0, -1), gone.slice(0, -1));
  await expect(cachedStore(gone, moved, { ...options, attempts: 1 }).read('f')).rejects.toThrow(ParisError);
  const address = new TextEncoder().encode(`${gone.slice(0, -1)}\nf`);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', address));
  const place = `files/${[...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')}/record.json`;
  const outcome = { read: 0, refused: 0 };
  for (const [seed, mutant] of mutantsOf(new TextEncoder().encode(text), mutantCount).entries()) {
    const damaged = memoryStore({ [place]: mutant });
    for (const path of await cache.list('parts')) await damaged.write(path, await cache.read(path));
    const got = await cachedStore(gone, damaged, { ...options, attempts: 1 })
      .read('f')
      .catch((error: unknown) => error);
    if (got instanceof Uint8Array) expect(got, `mutant ${seed}`).toEqual(content);
    else expect(got, `mutant ${seed}`).toBeInstanceOf(ParisError);
    outcome[got instanceof Uint8Array ? 'read' : 'refused']++;
  }
  expect(outcome.read).toBeGreaterThan(0);
  expect(outcome.refused).toBeGreaterThan(mutantCount / 4);
});
