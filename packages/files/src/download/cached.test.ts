// Downloads from servers as they are: they break, stall, lie, change files, are busy, and go away.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FileLockedError, FileNotFoundError, type FileStore, memoryStore, StoreError } from '../index.js';
import { type ServerBehaviour, serveFiles } from '../stores/serve-files.testing.js';
import { cachedStore, type DownloadProgress } from './index.js';

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

/** A server of one file; `before` may answer a request in its own way, and says whether it did. */
async function model(
  before: (...args: [...Parameters<RequestListener>, number]) => boolean = () => false,
  behaviour: Partial<ServerBehaviour> = {},
) {
  const files = new Map([['/model.bin', content]]);
  const log: string[] = [];
  const answer = serveFiles(files, () => ({ ranges: true, tag: '"one"', ...behaviour }), log);
  let count = 0;
  const { url, server } = await serve((request, response) => {
    if (!before(request, response, count++)) answer(request, response);
  });
  return { url, server, files, log, asked: () => count };
}

const quick = { partBytes: 256, maxFileBytes: 2 ** 26, retryMs: 1, maxRetryMs: 20, stallMs: 200 };
const read = (url: string, cache: FileStore, options: object = {}) =>
  cachedStore(url, cache, { ...quick, ...options }).read('model.bin');

describe('a download', () => {
  it('comes in parts, with progress, and then from what is kept, without a server as well', async () => {
    const { url, server, log } = await model();
    const cache = memoryStore();
    const seen: DownloadProgress[] = [];
    const patient = { stallMs: 60_000 }; // requests are counted: a busy machine is to be waited for
    const onProgress = (each: DownloadProgress) => seen.push(each);
    expect(await read(url, cache, { ...patient, onProgress })).toEqual(content);
    expect(seen.map(({ loadedBytes, totalBytes }) => [loadedBytes, totalBytes])).toEqual(
      [256, 512, 768, 1000].map((n) => [n, 1000]),
    );
    expect(log).toHaveLength(5); // how large it is, then four parts
    expect(await read(url, cache, patient)).toEqual(content);
    expect(log).toHaveLength(6); // whether it changed
    const store = cachedStore(url, cache, { ...quick, ...patient });
    expect(await store.exists('nothing.bin')).toBe(false);
    server.closeAllConnections();
    server.close();
    const offline = cachedStore(url, cache, { ...quick, attempts: 1 });
    expect(await offline.read('model.bin', { offset: 250, length: 300 })).toEqual(content.slice(250, 550));
    expect([
      await offline.exists('model.bin'),
      await offline.exists('nothing.bin'),
      await offline.size('model.bin'),
    ]).toEqual([true, false, 1000]);
    await expect(offline.exists('other.bin')).rejects.toThrow('could not be fetched from');
  });

  it('resumes where it ended', async () => {
    let broken = true;
    const { url, log } = await model((_, response, count) => {
      if (!broken || count < 3) return false;
      response.destroy(); // as if the process, or the connection, had died after two parts
      return true;
    });
    const cache = memoryStore();
    await expect(read(url, cache, { attempts: 2 })).rejects.toThrow(StoreError);
    broken = false;
    log.length = 0;
    expect(await read(url, cache)).toEqual(content);
    expect(log.filter((line) => !line.includes('bytes=0-0'))).toEqual([
      'GET /model.bin bytes=512-767',
      'GET /model.bin bytes=768-999',
    ]);
  });

  it('keeps equal parts once, and fetches a damaged one again', async () => {
    const { url, files } = await model();
    files.set('/model.bin', new Uint8Array(1024));
    const cache = memoryStore();
    await read(url, cache);
    const [part, ...others] = await cache.list('parts');
    expect(others).toEqual([]);
    await cache.write(part!, new Uint8Array(256).fill(1));
    expect(await read(url, cache)).toEqual(new Uint8Array(1024));
  });

  it('of two processes at once is one', async () => {
    const { url } = await model();
    const cache = memoryStore();
    const [a, b] = await Promise.all([read(url, cache), read(url, cache)]);
    expect([a, b]).toEqual([content, content]);
    expect(await cache.list('parts')).toHaveLength(4);
    expect(await cache.list('files')).toHaveLength(1);
  });

  it('waits once for a lock that a process has and does nothing under', async () => {
    const { url, log } = await model();
    const cache = memoryStore();
    cache.lock = async () => {
      log.push('lock');
      throw new FileLockedError('store', 'in use');
    };
    expect(await read(url, cache)).toEqual(content);
    const afterFirst = log.slice(log.indexOf('GET /model.bin bytes=0-255'));
    expect(afterFirst).toEqual(
      ['0-255', '256-511', '512-767', '768-999'].flatMap((span) => ['lock', `GET /model.bin bytes=${span}`]).slice(1),
    );
  });

  it('comes at once from a server that sends the whole for a span', async () => {
    const { url, log } = await model(undefined, { ranges: false });
    const cache = memoryStore();
    expect(await read(url, cache)).toEqual(content);
    expect(log).toHaveLength(2); // how large it is, then all four parts
    expect(await cachedStore(url, cache, quick).read('model.bin', { offset: 300, length: 10 })).toEqual(
      content.slice(300, 310),
    );
  });

  it('notices that a file changed in its middle, and takes the new one the next time', async () => {
    let tag = '"one"';
    const changed = content.map((byte) => byte ^ 1);
    const files = new Map([['/model.bin', content]]);
    const log: string[] = [];
    const { url } = await serve(serveFiles(files, () => ({ ranges: true, tag }), log));
    const cache = memoryStore();
    const store = cachedStore(url, cache, quick);
    await store.read('model.bin', { offset: 0, length: 300 });
    log.length = 0;
    tag = '"two"';
    files.set('/model.bin', changed);
    await expect(store.read('model.bin')).rejects.toThrow('"model.bin" changed on the server while it was read.');
    expect(log).toHaveLength(1); // asking again would not bring the old one back
    expect(await store.read('model.bin')).toEqual(changed);
  });
});

describe('a server that', () => {
  it('breaks in the middle of every part once is asked again', async () => {
    const broken = new Set<string>();
    const { url } = await model((request, response) => {
      const range = request.headers.range ?? '';
      if (broken.has(range)) return false;
      broken.add(range);
      response.writeHead(206, {
        ETag: '"one"',
        'Content-Range': `${range.replace('=', ' ')}/1000`,
        'Content-Length': 256,
      });
      response.write(content.subarray(0, 10), () => response.destroy());
      return true;
    });
    expect(await read(url, memoryStore())).toEqual(content);
    expect(broken.size).toBe(5);
  });

  it('stalls is given up and asked again', async () => {
    const { url } = await model((request, response, count) => {
      if (count !== 1) return false;
      response.writeHead(206, { ETag: '"one"', 'Content-Range': 'bytes 0-255/1000', 'Content-Length': 256 });
      response.write(content.subarray(0, 10));
      return request.url !== '';
    });
    expect(await read(url, memoryStore())).toEqual(content);
  });

  it('is busy is waited for as long as it says', async () => {
    const { url, asked } = await model((_, response, count) => {
      if (count % 2 === 0) response.writeHead(429, { 'Retry-After': '7' }).end();
      return count % 2 === 0;
    });
    const began = performance.now();
    expect(await read(url, memoryStore())).toEqual(content); // maxRetryMs cuts 7 s down to 20 ms
    expect(performance.now() - began).toBeGreaterThan(5 * 19);
    expect(asked()).toBe(10);
  });

  it('fails without end is left after five attempts', async () => {
    const { url, asked } = await model((_, response) => response.writeHead(503).end() !== undefined);
    await expect(read(url, memoryStore())).rejects.toThrow(
      '"model.bin" could not be read in 5 attempts: the server answered 503.',
    );
    expect(asked()).toBe(5);
  });

  it.each([
    [401, 'Give a token that may read it: HF_TOKEN for a hub, else headers.'],
    [403, 'Give a token that may read it: HF_TOKEN for a hub, else headers.'],
    [400, 'Check the address.'],
  ])('answers %i is asked once', async (status, fix) => {
    const { url, asked } = await model((_, response) => response.writeHead(status).end() !== undefined);
    const reading = read(url, memoryStore(), { headers: { authorization: 'Bearer secret' } });
    const failure = await reading.then(String, (error) => error);
    expect(failure).toBeInstanceOf(StoreError);
    expect(failure.message).toBe(`[store] the server answered ${status} to "model.bin". ${fix}`);
    expect(asked()).toBe(1);
  });

  it('has no such file says so', async () => {
    const { url } = await model((_, response) => response.writeHead(404).end() !== undefined);
    await expect(read(url, memoryStore())).rejects.toThrow(FileNotFoundError);
  });

  it('lies about the length is refused in a sentence', async () => {
    const short = await model((request, response) => {
      const range = request.headers.range ?? '';
      response
        .writeHead(206, { ETag: '"one"', 'Content-Range': `${range.replace('=', ' ')}/1000` })
        .end(content.subarray(0, 1));
      return true;
    });
    await expect(read(short.url, memoryStore())).rejects.toThrow('the connection ended after 1 of 256 bytes');
    const other = await model(
      (_, response) => response.writeHead(206, { 'Content-Range': 'bytes 5-9/1000' }).end('12345') !== undefined,
    );
    await expect(read(other.url, memoryStore())).rejects.toThrow(
      'the server sent "bytes 5-9/1000" of "model.bin" for bytes from 0.',
    );
    const claims = async (bytes: number) => {
      const { url } = await model((_, response) => {
        response.writeHead(206, { 'Content-Range': `bytes 0-0/${bytes}` }).end('1');
        return true;
      });
      return read(url, memoryStore());
    };
    await expect(claims(2 ** 60)).rejects.toThrow('for bytes from 0');
    await expect(claims(2 ** 50)).rejects.toThrow(
      'the server claims 1125899906842624 bytes of "model.bin", which is not believed.',
    );
    await expect(claims(2 ** 27)).rejects.toThrow(
      '"model.bin" has 134217728 bytes, more than the 67108864 that are taken',
    );
  });

  it('redirects to another host gets no token there', async () => {
    const seen: (string | undefined)[] = [];
    const target = await model((request) => {
      seen.push(request.headers.authorization);
      return false;
    });
    const { url } = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { Location: `${target.url.replace('127.0.0.1', 'localhost')}model.bin` }).end();
    });
    const cache = memoryStore();
    // localhost may be another address than the server's: then nobody answers, and no token went anywhere either.
    await read(url, cache, { headers: { authorization: 'Bearer secret' }, attempts: 1 }).catch(() => undefined);
    expect(seen[0]).toBe('Bearer secret');
    expect(seen.filter((value, i) => value !== undefined && i % 2 === 1)).toEqual([]);
    for (const path of await cache.list())
      expect(new TextDecoder().decode(await cache.read(path))).not.toContain('secret');
  });

  it('is slow can be left', async () => {
    const { url } = await model((_, response) => response.writeHead(503, { 'Retry-After': '60' }).end() !== undefined);
    const controller = new AbortController();
    const reading = read(url, memoryStore(), { maxRetryMs: 60_000, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(reading).rejects.toThrow('enough');
  });
});

it('a record that is damaged is none', async () => {
  const { url } = await model();
  const cache = memoryStore();
  await read(url, cache);
  const [record] = await cache.list('files');
  for (const text of [
    '',
    '{',
    '{"path":"model.bin","tag":"\\"one\\"","sizeBytes":1000,"partBytes":256,"parts":["../../x"]}',
  ]) {
    await cache.write(record!, new TextEncoder().encode(text));
    expect(await read(url, cache)).toEqual(content);
  }
});
