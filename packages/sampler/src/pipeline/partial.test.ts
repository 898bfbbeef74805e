// A model with some of its experts draws what the whole one draws among those.
import { type FileStore, memoryStore } from '@paris/files';
import { expertFolder, writeModelIndex } from '@paris/model';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { among, full, type GenerateOptions, loadPipeline, type RoutingPolicy } from '../index.js';
import { latent, modelFolder } from './model.testing.js';

let device: Device;
let whole: FileStore;
beforeAll(async () => {
  device = await openDevice();
  whole = await modelFolder(device, 5);
});
afterAll(() => device.close());

async function without(absent: readonly number[]): Promise<FileStore> {
  const store = memoryStore();
  for (const path of await whole.list()) await store.write(path, await whole.read(path));
  for (const k of absent) await store.remove(expertFolder(k));
  await writeModelIndex(store, { clusters: 5, absent, latent, licence: 'MIT' });
  return store;
}

async function draw(store: FileStore, routing: RoutingPolicy | string, more: object = {}) {
  const pipeline = await loadPipeline(store, { device, ...more });
  const options: GenerateOptions = { prompt: 'red circle', count: 3, seed: 3, steps: 3, routing };
  try {
    return await pipeline.generate(options);
  } finally {
    await pipeline.close();
  }
}

const most = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);

describe.each([[[0]], [[1, 3]], [[0, 1, 2, 4]]])('without %j', (absent) => {
  const present = [0, 1, 2, 3, 4].filter((k) => !absent.includes(k));

  it('renormalises the probabilities of the others, and draws what the whole model draws among those', async () => {
    const store = await without(absent);
    const [part, all] = [await draw(store, full()), await draw(whole, among(present, full()))];
    for (const [i, image] of part.images.entries())
      expect(most(image.data, all.images[i]!.data)).toBeLessThanOrEqual(1);
    for (const [i, records] of part.routing.entries()) {
      for (const [j, { probabilities, weights }] of records.entries()) {
        for (const k of absent) expect([probabilities[k], weights[k]]).toEqual([0, 0]);
        expect(most(probabilities, all.routing[i]![j]!.weights)).toBeLessThan(1e-5);
      }
    }
    expect(part.expertPictures.map((count) => count > 0)).toEqual([0, 1, 2, 3, 4].map((k) => present.includes(k)));
  });

  it('works with named policies and within a memory budget, with the same pictures', async () => {
    const store = await without(absent);
    const failure = await draw(store, 'top2', { memoryBudgetBytes: 1 }).catch(String);
    const least = Number(/Give (\d+)/.exec(String(failure))![1]);
    const [all, budget] = [await draw(store, 'top2'), await draw(store, 'top2', { memoryBudgetBytes: least })];
    expect(budget.images.map(({ data }) => data)).toEqual(all.images.map(({ data }) => data));
  });
});

it('refuses an absent expert that a policy chooses, by name', async () => {
  const store = await without([1, 3]);
  const onlyThree: RoutingPolicy = () => Float32Array.of(0, 0, 0, 1, 0);
  await expect(draw(store, onlyThree)).rejects.toThrow(
    '[routing] expert 3 is absent from this model. Choose among 0, 2, 4.',
  );
  const pipeline = await loadPipeline(store, { device });
  await expect(pipeline.preload(1)).rejects.toThrow('expert 1 is absent from this model');
  expect([...pipeline.resident]).toEqual([0, 2, 4]);
  await pipeline.close();
});

it('refuses an index by which no expert is there, and one that lists an expert that is not', async () => {
  const store = await without([1]);
  const index = JSON.parse(new TextDecoder().decode(await store.read('model_index.json')));
  const changed = async (absent: number[]) => {
    await store.write('model_index.json', new TextEncoder().encode(JSON.stringify({ ...index, absent })));
    return loadPipeline(store, { device });
  };
  await expect(changed([0, 1, 2, 3, 4])).rejects.toThrow('names 0 experts and this many files');
  await expect(changed([])).rejects.toThrow('experts/01/config.json is not listed');
  await expect(changed([1.5])).rejects.toThrow('absent');
});

it('frees what it made', async () => {
  const store = await without([1, 3]);
  await (await loadPipeline(store, { device })).close();
  const before = device.counters.bytesAllocated;
  await (await loadPipeline(store, { device })).close();
  expect(device.counters.bytesAllocated).toBe(before);
});
