import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FileStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { type Device, openDevice } from '@paris/tensor';
import { decode } from 'fast-png';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { savePng } from '../node/index.js';
import { loadPipeline } from './load.js';
import { modelFolder } from './model.testing.js';

let device: Device;
let model: FileStore;
let folder: string;
beforeAll(async () => {
  device = await openDevice();
  model = await modelFolder(device);
  folder = await mkdtemp(join(tmpdir(), 'paris-model-'));
  const files = nodeStore(folder);
  for (const path of await model.list()) await files.write(path, await model.read(path));
});
afterAll(async () => {
  await device.close();
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

it('saves a picture as PNG', async () => {
  const path = join(folder, 'picture.png');
  await savePng(path, { width: 1, height: 2, data: Uint8Array.of(9, 8, 7, 6, 5, 4) });
  expect([...decode(await readFile(path)).data]).toEqual([9, 8, 7, 6, 5, 4]);
});
