import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type ServerBehaviour, serveFiles } from '../stores/serve-files.testing.js';
import { httpStore } from './store.js';

const files = new Map<string, Uint8Array>();
const log: string[] = [];
let behaviour: ServerBehaviour;
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/broken') {
      response.writeHead(500).end('oh');
      return;
    }
    serveFiles(files, () => behaviour, log)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  files.clear();
  files.set(
    '/f',
    Uint8Array.from({ length: 100 }, (_, i) => i),
  );
  log.length = 0;
  behaviour = { ranges: true, tag: '"v1"' };
});

it('asks for spans, and never for the whole', async () => {
  const store = httpStore(url);
  expect(await store.size('f')).toBe(100);
  expect([...(await store.read('f', { offset: 97, length: 3 }))]).toEqual([97, 98, 99]);
  expect(log).toEqual(['GET /f bytes=0-0', 'GET /f bytes=97-99']);
});

it('does not mix two versions of a file: a strong tag', async () => {
  const store = httpStore(url);
  await store.read('f', { offset: 0, length: 4 });
  behaviour = { ranges: true, tag: '"v2"' };
  await expect(store.read('f', { offset: 4, length: 4 })).rejects.toThrow(/^\[store\] "f" changed on the server/);
  // Then it starts again, with the new version.
  expect((await store.read('f', { offset: 4, length: 4 }))[0]).toBe(4);
});

it('does not mix two versions of a file: a weak tag', async () => {
  behaviour = { ranges: true, tag: 'W/"v1"' };
  const store = httpStore(url);
  await store.read('f', { offset: 0, length: 4 });
  behaviour = { ranges: true, tag: 'W/"v2"' };
  await expect(store.read('f', { offset: 4, length: 4 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

it('downloads a file once from a server without ranges', async () => {
  behaviour = { ranges: false, tag: undefined };
  const store = httpStore(url);
  for (let offset = 0; offset < 100; offset += 10) {
    expect((await store.read('f', { offset, length: 10 }))[9]).toBe(offset + 9);
  }
  expect(await store.size('f')).toBe(100);
  expect(log).toEqual(['GET /f bytes=0-9']);
});

it('reads the whole where the server keeps the size to itself, also when its methods are taken apart', async () => {
  const silent: typeof fetch = async (_, init) =>
    new Headers(init?.headers).has('range')
      ? new Response(new Uint8Array(1), { status: 206, headers: { 'Content-Range': 'bytes 0-0/*' } })
      : new Response(new Uint8Array(7));
  const { size, read } = httpStore(url, { fetch: silent });
  expect(await size('f')).toBe(7);
  expect(await read('f')).toHaveLength(7);
});

it('says what the server answered', async () => {
  const store = httpStore(url);
  for (const ask of [() => store.read('broken'), () => store.size('broken'), () => store.exists('broken')]) {
    await expect(ask()).rejects.toThrow('[store] the server answered 500 to "broken". Check the address and access.');
  }
});

it('refuses a span other than the one it asked for', async () => {
  const lying: typeof fetch = async () =>
    new Response(new Uint8Array(4), { status: 206, headers: { 'Content-Range': 'bytes 50-53/100' } });
  const store = httpStore(url, { fetch: lying });
  await expect(store.read('f', { offset: 0, length: 4 })).rejects.toThrow('the server sent "bytes 50-53/100" of "f"');
});

it('refuses fewer bytes than it asked for', async () => {
  const short: typeof fetch = async () =>
    new Response(new Uint8Array(3), { status: 206, headers: { 'Content-Range': 'bytes 0-3/100' } });
  const store = httpStore(url, { fetch: short });
  await expect(store.read('f', { offset: 0, length: 4 })).rejects.toThrow('the server sent 3 bytes of "f" for 4');
});

it('says that nobody answers, keeps the cause, and stops when aborted', async () => {
  const store = httpStore('http://127.0.0.1:9/');
  await expect(store.read('f')).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: expect.any(Error) });
  const controller = new AbortController();
  controller.abort(new Error('enough'));
  await expect(httpStore(url, { signal: controller.signal }).read('f')).rejects.toThrow('enough');
});

it('sends headers and keeps a query', async () => {
  const seen: string[] = [];
  const store = httpStore(`${url}/folder?key=1`, {
    headers: { authorization: 'Bearer x' },
    fetch: async (target, init) => {
      seen.push(String(target), String(new Headers(init?.headers).get('authorization')));
      return new Response('hi');
    },
  });
  await store.read('a b/c');
  expect(seen).toEqual([`${url}/folder/a%20b/c?key=1`, 'Bearer x']);
});

it('refuses what is no URL', () => {
  expect(() => httpStore('models/here')).toThrow('[httpStore] "models/here" is no URL.');
});
