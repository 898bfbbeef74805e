import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpStore } from '../http/store.js';
import { nodeStore } from '../node/node-store.js';
import { type Make, sourceCases, storeCases } from './conformance.testing.js';
import { memoryStore } from './memory.js';
import { serveFiles } from './serve-files.testing.js';
import type { FileSource, FileStore } from './store.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const makers: Record<string, Make<FileStore>> = {
  memoryStore: async (files) => memoryStore(files),
  nodeStore: async (files) => {
    const folder = await mkdtemp(join(tmpdir(), 'store-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    return fill(nodeStore(folder), files);
  },
};

describe.each(Object.entries(makers))('%s', (_, make) => {
  for (const { name, run } of storeCases) it(name, () => run(make));
});

it('memoryStore keeps bytes of its own, also of a Buffer, whose slice() is a view', async () => {
  const bytes = Buffer.from('before');
  const store = memoryStore({ given: bytes });
  await store.write('written', bytes);
  bytes.fill('x');
  for (const path of ['given', 'written']) expect(new TextDecoder().decode(await store.read(path))).toBe('before');
});

// Ranges and strong tags, weak tags, no ranges at all.
describe.each([
  ['ranges', { ranges: true, tag: '"v1"' }],
  ['weak tags', { ranges: true, tag: 'W/"v1"' }],
  ['whole files only', { ranges: false, tag: undefined }],
] as const)('httpStore, server with %s', (_, behaviour) => {
  let server: Server;
  const served = new Map<string, Uint8Array>();
  let url = '';
  beforeAll(async () => {
    server = createServer(serveFiles(served, () => behaviour));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/some%20folder`;
  });
  afterAll(() => server.close());
  const make: Make<FileSource> = async (files) => {
    served.clear();
    for (const [path, value] of Object.entries(files)) {
      served.set(`/some folder/${path}`, typeof value === 'string' ? new TextEncoder().encode(value) : value);
    }
    return httpStore(url);
  };

  for (const { name, run } of sourceCases) it(name, () => run(make));
});

async function fill(store: FileStore, files: Record<string, Uint8Array | string>): Promise<FileStore> {
  for (const [path, value] of Object.entries(files)) {
    await store.write(path, typeof value === 'string' ? new TextEncoder().encode(value) : value);
  }
  return store;
}
