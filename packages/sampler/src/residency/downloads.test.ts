// A model on a server draws with the experts that have come, while another is still on its way.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ditParameterShapes, parseDiTConfig } from '@paris/dit';
import { encodeJson, type FileStore, memoryStore } from '@paris/files';
import { writeSafetensors } from '@paris/files/safetensors';
import { writeModelIndex } from '@paris/model';
import { parseRouterConfig, routerParameterShapes } from '@paris/router';
import { type Device, openDevice } from '@paris/tensor';
import type { ParameterShapes } from '@paris/tensor/nn';
import { drawnExponent, drawnNumbers } from '@paris/tensor/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serveFiles } from '../../../files/src/stores/serve-files.testing.js';
import { among, type GenerateOptions, loadPipeline, top } from '../index.js';
import { expertConfig, latent, routerConfig } from '../pipeline/model.testing.js';

/** Files are downloaded, and their hashes checked, in pieces of this size. */
const pieceBytes = 2 ** 24;
/** So many that the table of them makes an expert a little larger than a piece. */
const classes = 280_000;

let device: Device;
let model: FileStore;
beforeAll(async () => {
  device = await openDevice();
  model = memoryStore();
  const expert = { ...expertConfig, condition: { kind: 'label', classes } };
  const shapes = ditParameterShapes(parseDiTConfig(expert));
  for (let k = 0; k < 2; k++) await write(`experts/0${k}`, expert, shapes);
  const router = { ...routerConfig, clusters: 2 };
  await write('router', router, routerParameterShapes(parseRouterConfig(router)));
  await writeModelIndex(model, { clusters: 2, latent, licence: 'MIT' });
});
afterAll(() => device.close());

async function write(folder: string, config: object, shapes: ParameterShapes): Promise<void> {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const data = drawnNumbers(`${folder}/${name}`, shape, drawnExponent(name, shape));
    return [name, { data, shape, dtype: 'f32' }] as const;
  });
  await model.write(`${folder}/config.json`, encodeJson(config));
  await model.write(`${folder}/model.safetensors`, writeSafetensors(Object.fromEntries(tensors)));
}

const options: GenerateOptions = { label: 7, count: 4, seed: 3, steps: 2 };

it('draws among the experts that are there before all have been downloaded', async () => {
  const files = new Map<string, Uint8Array>();
  for (const path of await model.list()) files.set(`/m/${path}`, await model.read(path));
  const isLater = (url: string, range = '') =>
    /experts\/01\/model/.test(url) && Number(/bytes=(\d+)/.exec(range)?.[1]) >= pieceBytes;
  const waiting: (() => void)[] = [];
  let isOpen = false;
  let sent = 0; // spans of what is held back
  const answer = serveFiles(files, () => ({ ranges: true, tag: '"1"' }));
  const server = createServer((request, response) => {
    if (!isLater(request.url!, request.headers.range)) return answer(request, response);
    const send = () => {
      sent++;
      answer(request, response);
    };
    if (isOpen) send();
    else waiting.push(send);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/m`;
  const whole = await loadPipeline(model, { device });
  const pipeline = await loadPipeline(url, { device, cache: memoryStore(), memoryBudgetBytes: 2 ** 30 });
  try {
    expect(files.get('/m/experts/00/model.safetensors')!.length).toBeGreaterThan(pieceBytes);
    await pipeline.preload(0);
    const rest = pipeline.preload(1);
    rest.catch(() => undefined); // awaited below
    await expect.poll(() => waiting.length, { timeout: 60_000 }).toBeGreaterThan(0);

    const early = await pipeline.generate({ ...options, routing: among(pipeline.resident, top(2)) });
    expect([...pipeline.resident]).toEqual([0]);
    expect(sent).toBe(0);
    expect(early.expertPictures).toEqual([8, 0]);
    const alone = await whole.generate({ ...options, routing: among(new Set([0]), top(2)) });
    expect(early.images.map(({ data }) => data)).toEqual(alone.images.map(({ data }) => data));

    isOpen = true;
    for (const send of waiting) send();
    await rest;
    expect(sent).toBeGreaterThan(0);
    expect([...pipeline.resident].sort()).toEqual([0, 1]);
    const [late, all] = [await pipeline.generate(options), await whole.generate(options)];
    expect(late.images.map(({ data }) => data)).toEqual(all.images.map(({ data }) => data));
    expect(late.images[0]!.data).not.toEqual(early.images[0]!.data);
  } finally {
    server.closeAllConnections();
    server.close();
    await pipeline.close();
    await whole.close();
  }
});
