// What servers and hubs state besides bytes, and how two that download share a cache.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { memoryStore } from '../index.js';
import { nodeStore } from '../node/index.js';
import { serveFiles } from '../stores/serve-files.testing.js';
import { cachedStore, type DownloadProgress } from './index.js';

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes);
const folder = await mkdtemp(join(tmpdir(), 'paris-cache-'));
afterAll(() => rm(folder, { recursive: true }));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const quick = { partBytes: 256, retryMs: 1, stallMs: 200 };
const files = (bytes = content) => new Map([['/model.bin', bytes]]);

/** Adds headers to what a server of one file answers. */
function stating(headers: () => Record<string, string>, bytes = content, log: string[] = []): RequestListener {
  let { ETag: tag, ...others }: Record<string, string> = {};
  const answer = serveFiles(files(bytes), () => ({ ranges: true, tag }), log);
  return (request, response) => {
    ({ ETag: tag, ...others } = headers());
    for (const [name, value] of Object.entries(others)) response.setHeader(name, value);
    answer(request, response);
  };
}

it('a server that sends more than was asked for, and says so, is read (sirv does for `bytes=0-0`)', async () => {
  const url = await serve(({ headers }, response) => {
    const [, start = '', end = ''] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? [];
    const last = Number(end) || content.length - 1;
    response.writeHead(206, { 'Content-Range': `bytes ${start}-${last}/${content.length}`, ETag: '"1"' });
    response.end(content.subarray(Number(start), last + 1));
  });
  expect(await cachedStore(url, memoryStore(), quick).read('model.bin')).toEqual(content);
});

describe('a file whose SHA-256 is stated', () => {
  const other = content.with(999, 1);
  const digest = (bytes: Uint8Array) => ({ ETag: '"1"', 'Repr-Digest': `sha-256=:${hash(bytes).digest('base64')}:` });

  it('is given whole if it agrees, in whatever order its parts came', async () => {
    const store = cachedStore(await serve(stating(() => digest(content))), memoryStore(), quick);
    expect(await store.read('model.bin', { offset: 600, length: 400 })).toEqual(content.slice(600));
    expect(await store.read('model.bin')).toEqual(content);
  });

  it('is refused if it does not, and comes again', async () => {
    const log: string[] = [];
    let stated = other;
    const url = await serve(stating(() => digest(stated), content, log));
    const cache = memoryStore();
    const store = cachedStore(url, cache, quick);
    expect(await store.read('model.bin', { offset: 0, length: 700 })).toEqual(content.slice(0, 700)); // not yet known
    await expect(store.read('model.bin')).rejects.toThrow(
      '"model.bin" arrived with another SHA-256 than the server states: it was damaged on its way, or there. Download it again.',
    );
    stated = content;
    log.length = 0;
    expect(await store.read('model.bin')).toEqual(content);
    expect(log).toHaveLength(5); // all of it
  });

  it('is stated by a hub where it redirects; the tags of the place that it leads to do not matter', async () => {
    let [tag, stated] = [0, content];
    const log: string[] = [];
    const place = await serve(stating(() => ({ ETag: `"${tag++}"` }), content, log));
    const hub = await serve((_, response) => {
      response.writeHead(302, {
        Location: `${place}model.bin?signature=secret`,
        'X-Linked-ETag': `"${hash(stated).digest('hex')}"`,
      });
      response.end();
    });
    const cache = memoryStore();
    expect(await cachedStore(hub, cache, quick).read('model.bin')).toEqual(content);
    log.length = 0;
    expect(await cachedStore(hub, cache, quick).read('model.bin')).toEqual(content);
    expect(log).toHaveLength(1); // whether it changed
    stated = other;
    await expect(cachedStore(hub, cache, quick).read('model.bin')).rejects.toThrow('another SHA-256');
    for (const path of await cache.list('files')) {
      expect(new TextDecoder().decode(await cache.read(path))).not.toContain('secret');
    }
  });
});

describe('a server that', () => {
  it('dates its files in place of tagging them is believed', async () => {
    let date = 'Sun, 01 Jun 2025 10:00:00 GMT';
    const log: string[] = [];
    const url = await serve(stating(() => ({ 'Last-Modified': date }), content, log));
    const cache = memoryStore();
    for (const requests of [5, 1]) {
      log.length = 0;
      expect(await cachedStore(url, cache, quick).read('model.bin')).toEqual(content);
      expect(log).toHaveLength(requests);
    }
    date = 'Sun, 01 Jun 2025 10:00:01 GMT';
    log.length = 0;
    await cachedStore(url, cache, quick).read('model.bin');
    expect(log).toHaveLength(5);
  });

  it('neither tags nor dates them is asked for all of it each time', async () => {
    const log: string[] = [];
    const url = await serve(stating(() => ({}), content, log));
    const cache = memoryStore();
    for (let i = 1; i <= 2; i++) {
      await cachedStore(url, cache, quick).read('model.bin');
      expect(log).toHaveLength(5 * i);
    }
  });

  it('knows neither spans nor sizes is read under a limit', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200);
      response.write(content.subarray(0, 300));
      response.end(content.subarray(300));
    });
    expect(await cachedStore(url, memoryStore(), quick).read('model.bin')).toEqual(content);
    await expect(cachedStore(url, memoryStore(), { ...quick, maxFileBytes: 999 }).size('model.bin')).rejects.toThrow(
      'the server sends more of "model.bin" than the 999 bytes that are taken, and not its size.',
    );
  });

  it('sends the whole, and breaks in it, loses nothing of what arrived', async () => {
    let breaks = 1;
    const url = await serve((_, response) => {
      response.writeHead(200, { ETag: '"1"', 'Content-Length': 1000 });
      if (breaks-- > 0 || breaks < -1) return void response.end(content);
      response.write(content.subarray(0, 700), () => response.destroy());
    });
    const cache = memoryStore();
    expect(await cachedStore(url, cache, quick).read('model.bin')).toEqual(content);
    expect(await cache.list('parts')).toHaveLength(4);
  });

  it('takes a request and never answers is asked again', async () => {
    let count = 0;
    const answer = serveFiles(files(), () => ({ ranges: true, tag: '"1"' }));
    const url = await serve((request, response) => {
      if (count++ > 0) answer(request, response);
    });
    expect(await cachedStore(url, memoryStore(), quick).read('model.bin')).toEqual(content);
    const silent = await serve(() => {});
    await expect(cachedStore(silent, memoryStore(), { ...quick, attempts: 2 }).read('model.bin')).rejects.toThrow(
      '"model.bin" could not be read in 2 attempts: the server sent nothing for 0.2 s.',
    );
  });
});

it('a connection that is reset is tried again, the first one too; where there is no server, that is said at once', async () => {
  const answer = serveFiles(files(), () => ({ ranges: true, tag: '"1"' }));
  let count = 0;
  const url = await serve((request, response) => {
    if (count++ < 2) request.socket.destroy();
    else answer(request, response);
  });
  expect(await cachedStore(url, memoryStore(), quick).read('model.bin')).toEqual(content);
  const ask = vi.fn(globalThis.fetch);
  const nobody = cachedStore('http://127.0.0.1:1/', memoryStore(), { ...quick, fetch: ask });
  await expect(nobody.read('model.bin')).rejects.toThrow('could not be fetched from http://127.0.0.1:1/');
  expect(ask).toHaveBeenCalledTimes(1);
});

it.each([0, 1.5, Number.NaN, -256])('parts of %d bytes are refused', (partBytes) => {
  expect(() => cachedStore('https://example.org/', memoryStore(), { partBytes })).toThrow(
    `[cachedStore] partBytes is ${partBytes}. Give a whole number from 1 on.`,
  );
});

it('progress counts bytes as they arrive, and says the time that is left once it is known', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const large = new Uint8Array(3_000_000).fill(1);
    const url = await serve((request, response) => {
      const [, start, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range!)!.map(Number);
      response.writeHead(206, { ETag: '"1"', 'Content-Range': `bytes ${start}-${last}/${large.length}` });
      response.end(large.subarray(start, last! + 1));
    });
    const seen: DownloadProgress[] = [];
    const onProgress = (each: DownloadProgress) => {
      seen.push(each);
      vi.advanceTimersByTime(500);
    };
    await cachedStore(url, memoryStore(), { partBytes: 1_000_000, onProgress }).read('model.bin');
    const loaded = seen.map(({ loadedBytes }) => loadedBytes);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(loaded.length).toBeGreaterThan(4); // within parts, too
    expect(seen[0]).toMatchObject({ path: 'model.bin', totalBytes: 3_000_000, secondsLeft: undefined });
    expect(seen.at(-1)).toMatchObject({ loadedBytes: 3_000_000, secondsLeft: 0 });
    expect(seen.find(({ secondsLeft }) => secondsLeft)!.secondsLeft).toBeGreaterThan(0);
  } finally {
    vi.useRealTimers();
  }
});

it('two that share a cache fetch each part once', async () => {
  const log: string[] = [];
  const answer = serveFiles(files(), () => ({ ranges: true, tag: '"1"' }), log);
  const url = await serve((request, response) => setTimeout(() => answer(request, response), 30));
  const patient = { ...quick, stallMs: 20_000 }; // a slow machine is no stalled server
  const read = () => cachedStore(url, nodeStore(join(folder, 'shared')), patient).read('model.bin');
  await cachedStore(url, nodeStore(join(folder, 'shared')), patient).size('model.bin');
  expect(await Promise.all([read(), read(), read()])).toEqual([content, content, content]);
  const spans = log.filter((line) => !line.endsWith('bytes=0-0')).sort();
  expect(spans).toEqual(['0-255', '256-511', '512-767', '768-999'].map((span) => `GET /model.bin bytes=${span}`));
});

it('a lock whose holder brings nothing is not waited for', async () => {
  const url = await serve(serveFiles(files(), () => ({ ranges: true, tag: '"1"' })));
  const cache = memoryStore();
  await cachedStore(url, cache, quick).size('model.bin');
  const [record] = await cache.list('files');
  await cache.lock(record!.replace('/record.json', ''));
  expect(await cachedStore(url, cache, quick).read('model.bin')).toEqual(content);
});
