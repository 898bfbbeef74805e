// A third expert joins a model of two, and one leaves it: the bytes of the others stay, and so does what the router knew.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeImages, readPartition, statisticsEncoder } from '@paris/clustering';
import { dit } from '@paris/dit';
import { type FileSource, type FileStore, folderStore, memoryStore, sha256 } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { parseSafetensors } from '@paris/files/safetensors';
import { buildVocabulary, encodeCaptions, expertFolder, type ModelIndex } from '@paris/model';
import { routerTransformer } from '@paris/router';
import { loadPipeline } from '@paris/sampler';
import { type Device, hostUniform, key, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readLabelled, writeManifestFolder } from '../data/files.js';
import type { Manifest } from '../data/formats.js';
import { imageStream } from '../data/images.js';
import { listItems } from '../data/items.js';
import { pickRows } from '../data/rows.js';
import { partitionData } from '../partition/partition.js';
import { handOverClusters } from '../prepare/hand-over.js';
import { joinData } from '../prepare/join.js';
import { toySize, toyTraining } from '../testing/toy.js';
import { ditConfig, routerConfig } from '../train/configs.js';
import { trainExpert } from '../train/expert.js';
import { type RouterStart, trainRouter } from '../train/router.js';
import { assemble } from './assemble.js';
import { isPicked, whoSaw, withdrawExperts } from './withdraw.js';

let device: Device | undefined;
const [old, more, all, oldRuns, model] = Array.from({ length: 5 }, () => memoryStore()) as FileStore[] & {
  length: 5;
};
let before: ModelIndex;
const captions = ['red', 'green', 'blue'].map((colour) => `${colour} square`);
const vocabulary = buildVocabulary(captions, 20);

/** Pictures of 8 px, each of one colour a little brighter or darker. */
async function writePictures(store: FileStore, colours: readonly number[], from: number): Promise<void> {
  const draws = hostUniform(key(from), colours.length);
  const pixels = new Uint8Array(colours.length * 192).fill(20);
  colours.forEach((colour, i) => {
    pixels.fill(120 + Math.floor(100 * draws[i]!), (3 * i + colour) * 64, (3 * i + colour + 1) * 64);
  });
  const words = colours.map((colour) => captions[colour]!);
  const manifest: Manifest = {
    version: 1,
    ...{ size: 8, channels: 3, maxTokens: 4, vocabulary, normalization: { scale: 127.5, offset: -1 } },
    count: colours.length,
    holdout: { fraction: 0.1, seed: 0, by: 'group' },
    items: words.map((caption, i) => ({
      ...{ id: `${from + i}.png`, caption, group: `${from + i}`, licence: colours[i] === 0 ? 'CC0-1.0' : 'CC-BY-4.0' },
      ...{
        source: colours[i] === 0 ? 'museum' : 'archive',
        split: i % 8 === 7 ? ('test' as const) : ('train' as const),
      },
    })),
    skipped: [],
  };
  await writeManifestFolder(store, manifest, { images: pixels, tokens: encodeCaptions(words, vocabulary, 4) });
}

const expert = (data: FileSource, cluster: number, runs: FileStore) =>
  trainExpert({
    ...{ device: device!, data, cluster, runs, architecture: dit },
    ...{ config: ditConfig(toySize), training: { ...toyTraining, steps: 3 } },
  });
const router = (data: FileSource, runs: FileStore, from?: RouterStart, training = {}) =>
  trainRouter({
    ...{ device: device!, data, runs, architecture: routerTransformer, config: routerConfig(toySize, 'words'), from },
    training: { ...toyTraining, steps: 6, ...training },
  });
const weightsOf = async (runs: FileSource) => parseSafetensors(await runs.read('router/model.safetensors'));
const hashes = (index: ModelIndex, folder: string) => index.files.filter(({ path }) => path.startsWith(`${folder}/`));

beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
  if (!device) return;
  await writePictures(
    old!,
    Array.from({ length: 32 }, (_, i) => i % 2),
    0,
  );
  await partitionData({ device, data: old!, clusters: 2 });
  for (const cluster of [0, 1]) await expert(old!, cluster, oldRuns!);
  await router(old!, oldRuns!);
  before = await assemble({ runs: oldRuns!, out: model! });
  await writePictures(
    more!,
    Array.from({ length: 16 }, () => 2),
    100,
  );
  await partitionData({ device, data: more!, like: old!, add: 1 });
  await joinData({ data: [old!, more!], out: all! });
}, 120_000);
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

describe('data of a new cluster', () => {
  it('is joined to the old: every picture in its cluster, and those of old experts as they were', async () => {
    const { manifest, labels } = await readLabelled(all!, 'router');
    expect(manifest).toMatchObject({ clusters: 3, count: 42 });
    expect(labels.filter((label) => label === 2)).toHaveLength(14);
    expect(new Set(labels)).toEqual(new Set([0, 1, 2]));
    for (const k of ['clusters/00', 'clusters/01']) {
      for (const file of ['cluster.json', 'images.safetensors']) {
        expect(await all!.read(`${k}/${file}`)).toEqual(await old!.read(`${k}/${file}`));
      }
    }
    expect(await joinData({ data: [all!], out: memoryStore() })).toMatchObject({ untouched: [0, 1, 2], left: 0 });
  });

  it('is written in files of a bounded size, of the same pictures', async () => {
    const out = memoryStore();
    await joinData({ data: [old!, more!], out, shardBytes: 5000 });
    const [whole, { manifest, rows, items }] = await Promise.all([
      readLabelled(all!, 'router'),
      readLabelled(out, 'router'),
    ]);
    expect(manifest.shards!.length).toBeGreaterThan(1);
    expect(Math.max(...manifest.shards!.map(({ bytes }) => bytes))).toBeLessThan(6000);
    expect(manifest).toMatchObject({ version: 3 });
    expect(await listItems(items)).toEqual(whole.manifest.items);
    expect(await rows.read(0, rows.count)).toEqual(await whole.rows.read(0, whole.rows.count));
  });

  it('is refused where it does not belong', async () => {
    const other = memoryStore();
    await writePictures(
      other,
      Array.from({ length: 16 }, (_, i) => i % 3),
      200,
    );
    await partitionData({ device: device!, data: other, clusters: 2 });
    const others = 'the output folder has clusters of another partition, which would be removed. Give another folder.';
    await expect(joinData({ data: [old!, more!], out: other })).rejects.toThrow(others);
    expect((await readLabelled(other, 'router')).manifest.clusters).toBe(2);
    const bare = memoryStore();
    await writePictures(
      bare,
      Array.from({ length: 16 }, (_, i) => i % 3),
      200,
    );
    const none =
      'is not partitioned: there is no partition/partition.json. Run paris partition DATA --clusters N first.';
    await expect(joinData({ data: [old!, bare], out: memoryStore() })).rejects.toThrow(`[join] data folder 2 ${none}`);
    const like = partitionData({ device: device!, data: other, like: bare });
    await expect(like).rejects.toThrow(`[partition] the folder whose partition is to be taken ${none}`);
    await expect(joinData({ data: [old!, other], out: memoryStore() })).rejects.toThrow(
      '[join] data folder 2 has another partition than the others. Partition it like them: paris partition FOLDER --like',
    );
    await expect(partitionData({ device: device!, data: other, clusters: 2, add: 1 })).rejects.toThrow(
      'add is given without like',
    );
  });
});

describe.each(['row', 'head', 'all'] as const)('a router that grows by its %s', (learns) => {
  it.each(['run', 'model'])('from a %s: the rest keeps its bits, and the model has one expert more', async (kind) => {
    const from = kind === 'run' ? folderStore(oldRuns!, 'router') : model!;
    const runs = memoryStore();
    for (const path of await oldRuns!.list())
      if (path.startsWith('expert')) await runs.write(path, await oldRuns!.read(path));
    await expert(all!, 2, runs);
    await router(all!, runs, { store: from, learns });
    const [was, is] = [await weightsOf(oldRuns!), await weightsOf(runs)];
    for (const [name, { data }] of Object.entries(was)) {
      const now = is[name]!.data.subarray(0, data.length);
      const isFree = learns === 'all' || (learns === 'head' && name.startsWith('head.'));
      if (isFree) expect([...now], name).not.toEqual([...data]);
      else expect(now, name).toEqual(data);
    }
    const out = memoryStore();
    const index = await assemble({ runs, out, data: all! });
    expect(index).toMatchObject({ clusters: 3 });
    for (const k of [0, 1]) expect(hashes(index, expertFolder(k))).toEqual(hashes(before, expertFolder(k)));
    const pipeline = await loadPipeline(out, { device: device! });
    const { expertPictures } = await pipeline.generate({ prompt: 'blue square', steps: 1, routing: 'full' });
    expect(expertPictures).toEqual([1, 1, 1]);
    await pipeline.close();
  });
});

it('a prior and a format of weights that there are not are refused', async () => {
  const options = {
    device: device!,
    data: old!,
    architecture: routerTransformer,
    config: routerConfig(toySize, 'words'),
  };
  await expect(trainRouter({ ...options, runs: memoryStore(), prior: 'uniform' as 'natural' })).rejects.toThrow(
    '[train] prior is "uniform". Give "natural" or "balanced".',
  );
  const out = memoryStore();
  await expect(assemble({ runs: oldRuns!, out, weights: 'q3' as 'q4' })).rejects.toThrow(
    '[assemble] weights is "q3". Give "f32" or "f16" or "q8" or "q4".',
  );
  expect(await out.list()).toEqual([]);
});

it('a router that may not grow says why', async () => {
  const store = folderStore(oldRuns!, 'router');
  const grow = (data: FileSource, from: RouterStart, training = {}) => router(data, memoryStore(), from, training);
  await expect(grow(old!, { store, learns: 'row' })).rejects.toThrow('there is no new cluster, so no new row to train');
  await expect(grow(all!, { store, learns: 'rows' as 'row' })).rejects.toThrow(
    '[train] learns is "rows". Give "row" or "head" or "all".',
  );
  await expect(grow(all!, { store }, { weightDecay: 0.1 })).rejects.toThrow('weightDecay 0.1 would change what is not');
  await expect(grow(all!, { store: folderStore(oldRuns!, 'expert-00') })).rejects.toThrow(
    "that of an expert. Give a router's",
  );
  await expect(grow(all!, { store: memoryStore() })).rejects.toThrow('there is no router to start from');
  await expect(grow(more!, { store })).rejects.toThrow('pictures of new clusters alone, and the router would forget');
  for (const from of [store, model!]) {
    const others = memoryStore();
    for (const path of await from.list()) await others.write(path, await from.read(path));
    const list = new TextDecoder().decode(await from.read('text/vocabulary.json'));
    await others.write('text/vocabulary.json', new TextEncoder().encode(list.replace('square', 'circle')));
    await expect(grow(all!, { store: others })).rejects.toThrow('the old router reads 6 words, the data has others');
  }
});

describe('withdrawal', () => {
  const onDisk = async (): Promise<FileStore> => {
    const folder = await mkdtemp(join(tmpdir(), 'paris-withdraw-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const store = nodeStore(folder);
    for (const path of await model!.list()) await store.write(path, await model!.read(path));
    return store;
  };
  const stays = async (store: FileStore) => {
    const index = JSON.parse(new TextDecoder().decode(await store.read('model_index.json'))) as ModelIndex;
    for (const { path, sha256: hash } of index.files) expect(await sha256(await store.read(path)), path).toBe(hash);
    return index;
  };

  it('says which networks saw a source or a licence, from the index and from the records', async () => {
    const kinds = [{ source: 'museum' }, { licence: 'CC0-1.0' }];
    for (const pick of kinds) {
      const seen = await whoSaw(model!, pick);
      expect(seen).toEqual(await whoSaw(model!, pick, old!));
      expect(seen.router).toBe(16);
      expect([...seen.experts.values()].reduce((sum, count) => sum + count, 0)).toBe(16);
    }
    await expect(whoSaw(model!, { source: 'musuem' })).rejects.toThrow(
      '[withdraw] no network saw the source "musuem". Their sources are: archive, museum.',
    );
    const silent = memoryStore();
    for (const path of await model!.list()) await silent.write(path, await model!.read(path));
    const { learnedFrom: _, ...index } = await stays(silent);
    await silent.write('model_index.json', new TextEncoder().encode(JSON.stringify(index)));
    await expect(whoSaw(silent, { source: 'museum' })).rejects.toThrow(
      'does not list the sources of experts/00. Give the data',
    );
    expect((await whoSaw(silent, { source: 'museum' }, old!)).router).toBe(16);
  });

  it('takes an expert out in place: the others keep their bytes, and what is not ours stays', async () => {
    const store = await onDisk();
    await store.write('notes.txt', new TextEncoder().encode('mine'));
    const index = await withdrawExperts({ model: store, experts: [0] });
    expect(index).toEqual(await stays(store));
    expect(index).toMatchObject({ clusters: 2, absent: [0] });
    expect(Object.keys(index.learnedFrom!)).toEqual(['experts/01', 'router']);
    const others = before.files.filter(({ path }) => !path.startsWith('experts/00') && path !== 'README.md');
    for (const file of others) expect(index.files).toContainEqual(file);
    expect(await store.list()).toEqual(
      [...index.files.map(({ path }) => path), 'model_index.json', 'notes.txt'].sort(),
    );
    expect(new TextDecoder().decode(await store.read('README.md'))).toContain('| expert 0 | absent |');
    const pipeline = await loadPipeline(store, { device: device! });
    const { expertPictures } = await pipeline.generate({ prompt: 'red square', steps: 1 });
    expect(expertPictures).toEqual([0, 1]);
    await pipeline.close();
    await expect(withdrawExperts({ model: store, experts: [1] })).rejects.toThrow('the only expert would leave');
    await expect(withdrawExperts({ model: store, experts: [0] })).rejects.toThrow(
      'there is no expert 0. Name some of 1.',
    );
    await assemble({ runs: oldRuns!, out: store }); // and back again
    expect((await stays(store)).absent).toBeUndefined();
  });

  it('writes a model without an expert elsewhere, and leaves the old one', async () => {
    const out = memoryStore();
    const index = await withdrawExperts({ model: model!, experts: [1], out });
    expect(index).toEqual(await stays(out));
    expect(index.absent).toEqual([1]);
    expect(await stays(model!)).toEqual(before);
    const damaged = memoryStore();
    for (const path of await model!.list()) await damaged.write(path, await model!.read(path));
    await damaged.write('experts/00/config.json', new TextEncoder().encode('{}'));
    await expect(withdrawExperts({ model: damaged, experts: [1], out: memoryStore() })).rejects.toThrow(
      'experts/00/config.json',
    );
  });

  it('refuses to touch what somebody put into the folder of an expert', async () => {
    const store = await onDisk();
    await store.write('experts/00/mine.txt', new TextEncoder().encode('mine'));
    await expect(withdrawExperts({ model: store, experts: [0] })).rejects.toThrow(
      '"experts/00/mine.txt" in the output folder',
    );
    expect(await stays(store)).toEqual(before);
  });

  it('leaves a model that works or no index at every touch of a file', async () => {
    const deaths = 14;
    for (let n = 0; n < deaths; n++) {
      const store = memoryStore();
      for (const path of await model!.list()) await store.write(path, await model!.read(path));
      let touches = 0;
      const guard = () => {
        if (touches++ === n) throw new Error('died');
      };
      const dying: FileStore = {
        ...store,
        write: async (path, bytes) => {
          guard();
          await store.write(path, bytes);
        },
        remove: async (path) => {
          guard();
          await store.remove(path);
        },
        move: async (from, to) => {
          guard();
          await store.move(from, to);
        },
      };
      await withdrawExperts({ model: dying, experts: [0] }).catch(() => undefined);
      if (await store.exists('model_index.json')) await stays(store);
      await withdrawExperts({ model: store, experts: [0] }).catch((error: Error) => {
        expect(error.message).toContain('there is no expert 0'); // the first call had done it
      });
      expect((await stays(store)).absent).toEqual([0]);
    }
  });

  it('writes the data without the source: clusters that had none keep their bytes', async () => {
    const out = memoryStore();
    const joined = await joinData({ data: [all!], out, keep: (item) => !isPicked(item, { source: 'museum' }) });
    expect(joined).toMatchObject({ pictures: 32, left: 16, clusters: 3 });
    expect(joined.untouched).toContain(2);
    for (const name of ['cluster.json', 'images.safetensors']) {
      expect(await out.read(`clusters/02/${name}`)).toEqual(await all!.read(`clusters/02/${name}`));
    }
    const { manifest } = await readLabelled(out, 'router');
    expect(manifest.items!.filter(({ source }) => source === 'museum')).toEqual([]);
    expect(manifest.count).toBe(26);
  });

  it('hands the pictures of a cluster over to the nearest that are left: those keep their bytes', async () => {
    const out = memoryStore();
    const handed = await handOverClusters({ device: device!, data: all!, out, clusters: [0] });
    expect(handed.untouched).toEqual([1, 2]);
    const [was, is] = [await readLabelled(all!, 'router'), await readLabelled(out, 'router')];
    expect(is.manifest.items!.map(({ id }) => id)).toEqual(was.manifest.items!.map(({ id }) => id));
    const mine = [...was.labels.keys()].filter((row) => was.labels[row] === 0);
    expect(mine.length).toBeGreaterThan(3);
    expect(handed.to).toEqual([0, 1, 2].map((k) => mine.filter((row) => is.labels[row] === k).length));
    expect(handed.to[0]).toBe(0);
    for (const row of was.labels.keys()) if (was.labels[row] !== 0) expect(is.labels[row]).toBe(was.labels[row]);
    // By the definition of a partition: what is nearest without the centroid of cluster 0.
    const { centroids, encoder, metric } = await readPartition(out, 'partition');
    expect(metric).toBe('spherical');
    const features = await encodeImages(
      statisticsEncoder(),
      imageStream(pickRows(was.rows, was.manifest, mine), was.manifest),
    );
    const { dimensions: D } = encoder;
    for (const [i, row] of mine.entries()) {
      const cosine = (k: number) => {
        let [dot, norm] = [0, 0];
        for (let d = 0; d < D; d++) {
          dot += features[i * D + d]! * centroids[k * D + d]!;
          norm += centroids[k * D + d]! ** 2;
        }
        return dot / Math.sqrt(norm);
      };
      expect(is.labels[row]).toBe(cosine(1) >= cosine(2) ? 1 : 2);
    }
    expect((await readLabelled(out, 'test')).manifest.items!.some(({ cluster }) => cluster === 0)).toBe(false);

    const runs = memoryStore();
    await trainRouter({
      ...{ device: device!, data: out, runs, architecture: routerTransformer, config: routerConfig(toySize) },
      ...{ from: { store: model!, learns: 'head' }, training: { ...toyTraining, steps: 2 } },
    });
    for (const path of await oldRuns!.list()) {
      if (path.startsWith('expert-01/')) await runs.write(path, await oldRuns!.read(path));
    }
    const index = await assemble({ runs, out: memoryStore(), data: out });
    expect(index.absent).toEqual([0, 2]);
  });

  it.each([
    [[7], 'there is no cluster 7. Name some of 0 to 2.'],
    [[0, 1, 2], 'no cluster is left to take the pictures.'],
  ])('hands nothing over from %j', async (clusters, message) => {
    const out = memoryStore();
    await expect(handOverClusters({ device: device!, data: all!, out, clusters })).rejects.toThrow(message);
    expect(await out.list()).toEqual([]);
  });
});
