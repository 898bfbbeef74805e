import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type FileStore, memoryStore } from '@paris/files';
import type { DownloadProgress } from '@paris/files/download';
import { nodeStore } from '@paris/files/node';
import { type Device, openDevice } from '@paris/tensor';
import { decode } from 'fast-png';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { serveFiles } from '../../../files/src/stores/serve-files.testing.js';
import { savePng } from '../node/index.js';
import { type LoadOptions, type LoadProgress, loadPipeline } from './load.js';
import { modelFolder } from './model.testing.js';

let device: Device;
let model: FileStore;
let folder: string;
beforeAll(async () => {
  device = await openDevice();
  model = await modelFolder(device);
  folder = await mkdtemp(join(tmpdir(), 'paris-model-'));
  const files = nodeStore(folder);
  vi.stubEnv('PARIS_CACHE', join(folder, 'cache'));
  for (const path of await model.list()) await files.write(path, await model.read(path));
});
afterAll(async () => {
  await device.close();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

it('loads a model from a folder, by path and by file URL', async () => {
  for (const source of [folder, pathToFileURL(folder), pathToFileURL(folder).href]) {
    const pipeline = await loadPipeline(source, { device });
    expect(pipeline.index.clusters).toBe(3);
    await pipeline.close();
  }
});

it('loads a model from a server', async () => {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(request.url!.slice('/models/'.length));
    asked.push(path);
    if (!(await model.exists(path))) return void response.writeHead(404).end();
    response.writeHead(200).end(await model.read(path)); // knows nothing of ranges
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const pipeline = await loadPipeline(`http://127.0.0.1:${port}/models`, { device });
    expect(asked).toContain('experts/02/model.safetensors');
    await pipeline.close();
  } finally {
    server.close();
  }
});

it('resumes a model that was broken off, and needs no server once it is whole', async () => {
  const asked: string[] = [];
  let breaks = true;
  const files = new Map<string, Uint8Array>();
  for (const path of await model.list()) files.set(`/m/${path}`, await model.read(path));
  const answer = serveFiles(files, () => ({ ranges: true, tag: '"1"' }), asked);
  const server = createServer((request, response) => {
    seen.add(request.headers.authorization);
    if (breaks && request.url!.includes('experts/01/model')) response.destroy();
    else answer(request, response);
  });
  const seen = new Set<string | undefined>();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/m`;
  const headers = { authorization: 'Bearer mine' };
  const cache = memoryStore();
  const load = (more: LoadOptions = {}) => loadPipeline(url, { device, headers, cache, ...more });
  const began = performance.now();
  await expect(load({ signal: AbortSignal.timeout(800) })).rejects.toThrow();
  expect(performance.now() - began).toBeLessThan(5000);
  breaks = false;
  asked.length = 0;
  const downloads: DownloadProgress[] = [];
  const progress: LoadProgress[] = [];
  const whole = await load({ onDownload: (each) => downloads.push(each), onProgress: (each) => progress.push(each) });
  const expected = await whole.generate({ prompt: 'red', steps: 1 });
  await whole.close();
  expect(downloads.map(({ path }) => path)).toContain('experts/01/model.safetensors');
  expect(downloads.map(({ path }) => path)).not.toContain('experts/00/config.json');
  expect(progress.at(-1)!.loadedBytes).toBe(progress.at(-1)!.totalBytes);
  expect(asked.some((line) => /experts\/00\/config.json bytes=0-(?!0$)/.test(line))).toBe(false);
  expect([...seen]).toEqual(['Bearer mine']);
  server.closeAllConnections();
  server.close();
  const offline = await load();
  const again = await offline.generate({ prompt: 'red', steps: 1 });
  expect(again.images[0]!.data).toEqual(expected.images[0]!.data);
  await offline.close();
  await expect(load({ cache: false })).rejects.toThrow('could not be fetched');
});

it('loads from a server where nothing can be kept', async () => {
  const files = new Map<string, Uint8Array>();
  for (const path of await model.list()) files.set(`/${path}`, await model.read(path));
  const server = createServer(serveFiles(files, () => ({ ranges: true, tag: '"1"' })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const kept = process.env.PARIS_CACHE!;
  vi.stubEnv('PARIS_CACHE', join(folder, 'model_index.json', 'cache')); // a file has no folders, for root neither
  try {
    const pipeline = await loadPipeline(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { device });
    expect(pipeline.index.clusters).toBe(3);
    await pipeline.close();
  } finally {
    vi.stubEnv('PARIS_CACHE', kept);
    server.close();
  }
});

it('shows no secret of an address in errors', async () => {
  const server = createServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const source of [`http://me:secret@${host}/m?token=secret`, new URL(`http://me:secret@${host}/m?secret`)]) {
      await expect(loadPipeline(source, { device })).rejects.toThrow(
        `[loadPipeline] there is no model_index.json in http://${host}/m. Give the folder that holds it.`,
      );
    }
  } finally {
    server.close();
  }
});

it('saves a picture as PNG', async () => {
  const path = join(folder, 'picture.png');
  await savePng(path, { width: 1, height: 2, data: Uint8Array.of(9, 8, 7, 6, 5, 4) });
  expect([...decode(await readFile(path)).data]).toEqual([9, 8, 7, 6, 5, 4]);
});
