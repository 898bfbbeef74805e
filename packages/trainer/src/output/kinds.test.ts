// Data folders, models and runs: what of them is ours, and what is left alone.
import { writePartition } from '@paris/clustering';
import { type FileStore, memoryStore } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { readManifestFolder, writeManifestFolder } from '../data/files.js';
import { counter, steps } from '../run/counter.testing.js';
import { runTraining } from '../run/run.js';
import { writeToyData } from '../testing/toy.js';
import { claimOutput } from './claim.js';
import { dataFolder, modelFolder } from './kinds.js';

const bytes = (text: string) => new TextEncoder().encode(text);

async function dataStore(): Promise<FileStore> {
  const store = memoryStore();
  await prepareAs(store, 1);
  return store;
}

/** What `prepare` writes of one picture of one pixel. */
async function prepareAs(store: FileStore, pixel: number, how: object = { fresh: true }): Promise<void> {
  await writeManifestFolder(
    store,
    {
      version: 1,
      size: 1,
      channels: 1,
      maxTokens: 1,
      normalization: { scale: 127.5, offset: -1 },
      vocabulary: ['<pad>', '<unk>'],
      count: 1,
      holdout: { fraction: 0, seed: 0, by: 'group' },
      items: [{ id: 'a', caption: 'a', group: 'a', split: 'train' }],
      skipped: [],
    },
    { images: Uint8Array.of(pixel), tokens: Uint32Array.of(1) },
    how,
  );
}

describe('a data folder', () => {
  it('owns its pictures, and the folders whose own files say that they are clusters', async () => {
    const store = await dataStore();
    await writeToyData(store);
    await store.write('README.md', bytes('mine'));
    expect([...(await claimOutput(store, dataFolder, 'test'))].sort()).toEqual(
      (await store.list()).filter((path) => path !== 'README.md'),
    );
    const before = await store.list();
    await expect(prepareAs(store, 2, {})).rejects.toThrow('the output folder is partitioned, and other pictures would');
    expect(await store.list()).toEqual(before);
    await prepareAs(store, 2);
    expect(await store.list()).toEqual(['README.md', 'images.safetensors', 'manifest.json']);
    expect((await readManifestFolder(store)).columns.images).toEqual(Uint8Array.of(2));
  });

  it.each([
    ['test/holiday.png', 'a file in a folder of a part’s name'],
    ['test/images.safetensors', 'a file of a name of ours, without the file that says so'],
    ['clusters/00/cluster.json', 'a file that is no cluster'],
    ['clusters/notes.txt', 'a file among clusters'],
    ['partition/partition.json', 'a partition that is none'],
    ['router', 'a file where a folder goes'],
  ])('is not replaced while it holds %s, %s', async (path) => {
    const store = await dataStore();
    await store.write(path, bytes('mine'));
    const before = await store.list();
    await expect(prepareAs(store, 2)).rejects.toThrow(
      `[prepare] "${path}" in the output folder was not written by Paris, and would be in the way.`,
    );
    expect(await store.list()).toEqual(before);
  });

  it('is none without a manifest of ours', async () => {
    for (const manifest of [{ 'manifest.json': '{"name":"app"}' }, { 'clusters/00/cluster.json': '{}' }]) {
      await expect(prepareAs(memoryStore(manifest), 1)).rejects.toMatchObject({ code: 'OUTPUT' });
    }
  });

  it('whose centroids are there without their partition is not ours to partition', async () => {
    const store = await dataStore();
    const [encoder, sizes] = [{ name: 'toy', dimensions: 1, parameters: {} }, [1]];
    const how = { metric: 'spherical', assignment: 'nearest-centroid', balance: 'none' } as const;
    const rest = { version: 2, clusters: 1, seed: 0, ...how, encoder, stages: [], sizes } as const;
    await writePartition(store, 'partition', { ...rest, centroids: Float32Array.of(1) });
    expect((await claimOutput(store, dataFolder, 'test')).size).toBe(4);
    await store.remove('partition/partition.json');
    await expect(claimOutput(store, dataFolder, 'test')).rejects.toThrow('"partition/centroids.safetensors"');
  });
});

it('a model owns what its index lists', async () => {
  const files = [{ path: 'experts/00/config.json', sizeBytes: 1, sha256: '0'.repeat(64) }];
  const rest = { clusters: 1, latent: { channels: 1, height: 1, width: 1 }, path: 'linear', routing: 'top1' };
  const index = { format: 'paris-model', version: 1, ...rest, codec: 'identity', licence: '', provenance: {}, files };
  const store = memoryStore({
    'model_index.json': JSON.stringify(index),
    'experts/00/config.json': 'x',
    'my.png': 'x',
  });
  expect([...(await claimOutput(store, modelFolder, 'test'))]).toEqual(['model_index.json', 'experts/00/config.json']);
  await store.write('experts/01/config.json', bytes('mine'));
  await expect(claimOutput(store, modelFolder, 'test')).rejects.toThrow(
    '"experts/01/config.json" in the output folder',
  );
  const others = memoryStore({ 'model_index.json': '{"_class_name":"StableDiffusionPipeline"}' });
  await expect(claimOutput(others, modelFolder, 'test')).rejects.toThrow('is no model of Paris');
});

describe('a run', () => {
  const companions = { 'text/vocabulary.json': bytes('words'), 'data.json': bytes('{}') };
  const train = (runs: FileStore, fresh = false) =>
    runTraining(async () => counter(), {
      runs,
      name: 'router',
      identity: { kind: 'router', options: { steps }, data: { sha256: 'd', count: 5 } },
      versions: {},
      adapter: { fingerprint: 'f', name: 'test adapter' },
      companions,
      checkpointEvery: 3,
      fresh,
    });
  const contents = async (store: FileStore) =>
    Promise.all((await store.list()).map(async (path) => [path, new TextDecoder().decode(await store.read(path))]));

  it.each([
    ['images.safetensors', 'pictures of a data folder'],
    ['text/vocabulary.json', 'a file of a name of ours with another content'],
  ])('does not begin among files of others: %s, %s', async (path) => {
    const runs = memoryStore({ [`router/${path}`]: 'mine' });
    const before = await contents(runs);
    for (const fresh of [false, true]) {
      await expect(train(runs, fresh)).rejects.toThrow(
        `[train] the run's folder router holds ${JSON.stringify(path)} and no run.json: it is not ours. Give another --out.`,
      );
    }
    expect(await contents(runs)).toEqual(before);
    expect(await runs.lock('router')).toBeDefined();
  });

  it('begins where its process died before run.json was written', async () => {
    const runs = memoryStore({ 'router/text/vocabulary.json': 'words' });
    expect((await train(runs)).status).toBe('finished');
  });

  it('is not moved aside with files of others in it, and resumes with them in place', async () => {
    const runs = memoryStore();
    await train(runs);
    await runs.write('router/notes.txt', bytes('mine'));
    const before = await contents(runs);
    await expect(train(runs, true)).rejects.toThrow(
      '[train] "notes.txt" in router is not of the run, and would be moved aside with it. Move it elsewhere first.',
    );
    expect((await train(runs)).status).toBe('finished');
    expect(await contents(runs)).toEqual(before);
    await runs.remove('router/notes.txt');
    await train(runs, true);
    expect(await runs.exists('router.old/run.json')).toBe(true);
  });
});
