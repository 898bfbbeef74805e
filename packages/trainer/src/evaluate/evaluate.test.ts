// From runs to a model to its evaluation, on a real device at toy size.
import { dit } from '@paris/dit';
import { type FileStore, memoryStore } from '@paris/files';
import { readHeader } from '@paris/files/safetensors';
import { writeModelIndex } from '@paris/model';
import { routerTransformer } from '@paris/router';
import { full, loadModel, loadPipeline } from '@paris/sampler';
import { type Device, key, normal, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assemble } from '../assemble/assemble.js';
import { columnOf } from '../data/columns.js';
import { readLabelled, writeLabelled } from '../data/files.js';
import { normalise } from '../data/rows.js';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig, routerConfig } from '../train/configs.js';
import { trainExpert } from '../train/expert.js';
import { trainRouter } from '../train/router.js';
import { evaluate } from './evaluate.js';
import { measure, modelCondition } from './measure.js';
import { evaluatePictures } from './pictures.js';
import { formatPictures } from './pictures-table.js';

let device: Device;
const [data, runs, model] = [memoryStore(), memoryStore(), memoryStore()] as [FileStore, FileStore, FileStore];
const training = { ...toyTraining, steps: 60 };

beforeAll(async () => {
  const opened = await openDevice().catch(() => undefined);
  if (!opened) return;
  device = opened;
  await writeToyData(data);
  for (const cluster of [0, 1, 2]) {
    await trainExpert({ device, data, cluster, runs, architecture: dit, config: ditConfig(toySize), training });
  }
  const config = routerConfig(toySize);
  await trainRouter({
    device,
    data,
    runs,
    architecture: routerTransformer,
    config,
    training: { ...training, steps: 80 },
  });
}, 300_000);
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

describe('assemble', () => {
  it('makes a model that a pipeline loads and samples', async () => {
    const index = await assemble({ runs, out: model, data });
    expect(index).toMatchObject({
      clusters: 3,
      latent: { channels: 3, height: 8, width: 8 },
      routing: 'top2',
      licence: 'MIT',
    });
    expect(index.provenance.licences).toBe('MIT (36 pictures)');
    const pipeline = await loadPipeline(model, { device });
    const { images } = await pipeline.generate({ prompt: 'red square', steps: 2, seed: 1 });
    expect(images[0]).toMatchObject({ width: 8, height: 8 });
    await pipeline.close();
  });

  it('writes weights of half the size that sample the same pictures, nearly', async () => {
    const [whole, half] = [memoryStore(), memoryStore()];
    const sizes = [];
    for (const [out, weights] of [
      [whole, 'f32'],
      [half, 'f16'],
    ] as const) {
      const { files } = await assemble({ runs, out, weights });
      sizes.push(files.filter(({ path }) => path.endsWith('model.safetensors')).reduce((n, f) => n + f.sizeBytes, 0));
    }
    expect(sizes[1]! / sizes[0]!).toBeCloseTo(0.5, 1);
    expect(await whole.read('experts/00/model.safetensors')).toEqual(await runs.read('expert-00/model.safetensors'));
    const sampled = async (store: FileStore, weights: 'f32' | 'f16') => {
      const pipeline = await loadPipeline(store, { device: device!, weights });
      const { images } = await pipeline.generate({ prompt: 'red square', steps: 4, seed: 1, routing: full() });
      await pipeline.close();
      return images[0]!.data;
    };
    const expected = await sampled(whole, 'f32');
    const precisions = device!.hasFeature('shader-f16') ? (['f32', 'f16'] as const) : (['f32'] as const);
    for (const weights of precisions) {
      const got = await sampled(half, weights);
      expect(Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThanOrEqual(3);
    }
  });

  it.each([
    ['q8', 3],
    ['q4', 24],
  ] as const)('packs the experts in %s, and nothing else', async (weights, levels) => {
    const [whole, packed] = [memoryStore(), memoryStore()];
    await assemble({ runs, out: whole });
    const index = await assemble({ runs, out: packed, weights });
    expect(index.weights).toBe(weights);
    const dtypes = async (folder: string) =>
      new Set((await readHeader(packed, `${folder}/model.safetensors`)).entries.map(({ dtype }) => dtype));
    expect(await dtypes('experts/02')).toEqual(new Set(weights === 'q8' ? ['F16', 'F32', 'U32'] : ['F16', 'U32']));
    expect(await dtypes('router')).toEqual(new Set(['F16']));
    const sampled = async (store: FileStore) => {
      const pipeline = await loadPipeline(store, { device: device! });
      const { images } = await pipeline.generate({ prompt: 'red square', steps: 4, seed: 1, routing: full() });
      await pipeline.close();
      return images[0]!.data;
    };
    const [expected, got] = [await sampled(whole), await sampled(packed)];
    expect(Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThanOrEqual(levels);
  });

  it('refuses runs that do not belong together, are missing or unfinished', async () => {
    const copy = async (change: (path: string, text: string) => string | undefined) => {
      const store = memoryStore();
      for (const path of await runs.list()) {
        const bytes = await runs.read(path);
        const text = path.endsWith('.json') ? change(path, new TextDecoder().decode(bytes)) : undefined;
        await store.write(path, text === undefined ? bytes : new TextEncoder().encode(text));
      }
      return store;
    };
    const refused = async (store: FileStore, message: string) =>
      expect(assemble({ runs: store, out: memoryStore() })).rejects.toThrow(message);
    await refused(memoryStore(), 'there is no run of an expert');
    const none = await copy((path, text) =>
      path.startsWith('expert') ? text.replace('"finished"', '"running"') : undefined,
    );
    await refused(none, 'no expert is finished. expert-00 is not finished. Run the same train command to resume.');
    const beyond = await copy(() => undefined);
    await beyond.write('expert-03/run.json', await runs.read('expert-02/run.json'));
    await refused(beyond, 'expert-03 is there, and the router knows 3 clusters. Let it grow: paris train router');
    const other = (path: string, text: string) =>
      path === 'expert-02/data.json' ? text.replace(/"partition": "./, '"partition": "x') : undefined;
    await refused(await copy(other), 'expert-02 was trained with another partition than router');
    const half = (path: string, text: string) =>
      path === 'router/run.json' ? text.replace('"finished"', '"running"') : undefined;
    await refused(await copy(half), 'router is not finished');
    const words = (path: string, text: string) =>
      path === 'expert-01/text/vocabulary.json' ? text.replace('red', 'pink') : undefined;
    await refused(await copy(words), 'expert-01 was trained with another vocabulary');
  });

  it('notices that the data has changed since', async () => {
    const changed = memoryStore();
    await writeToyData(changed, 13);
    await expect(assemble({ runs, out: memoryStore(), data: changed })).rejects.toThrow(
      'expert-00 was trained on other data',
    );
  });
});

describe('evaluate', () => {
  it('finds what the toy data has: a router that knows, experts that fit their own cluster', async () => {
    const evaluation = await evaluate({ device, model, data, timeCount: 5, batchSize: 4 });
    const { router, losses, differences, semantics } = evaluation;
    expect(evaluation).toMatchObject({
      count: 36,
      clusters: 3,
      times: [0.1, 0.3, 0.5, 0.7, 0.9].map((t) => expect.closeTo(t, 9)),
    });
    expect(router.accuracy).toBeGreaterThan(0.6);
    expect(router.majorityShare).toBeCloseTo(1 / 3, 9);
    expect(losses.oracle.mean).toBeLessThan(losses.experts[losses.bestExpert]!.mean);
    expect(differences['top2 − permuted'].mean).toBeLessThan(0);
    expect(Object.keys(losses.policies)).toEqual(['top2', 'top1', 'full']);
    expect(semantics?.heldOut.nats).toBeCloseTo(Math.log(3), 6); // category and cluster are the same thing here
    expect(semantics?.heldOut.semantic).toBe(true);
    expect(await evaluate({ device, model, data, timeCount: 5, batchSize: 4 })).toEqual(evaluation);
  });

  it('measures what a direct computation gives', async () => {
    const test = await readLabelled(data, 'test');
    const networks = await loadModel(model, { device });
    const times = [0.3, 0.8];
    const m = await measure({
      ...{ device, model: networks, condition: modelCondition(networks) },
      ...{ data: test, times, noise: key(4), batchSize: 36 },
    });
    const { expert, params } = networks.experts[2]!;
    const columns = await test.rows.read(0, 36);
    const [pixels, tokens] = [columnOf(columns, 'images', 'u8'), columnOf(columns, 'tokens', 'u32')];
    const images = device.tensor(normalise(pixels, test.manifest.normalization), { shape: [36, 3, 8, 8] });
    const ids = device.tensor(tokens, { shape: [36, 8] });
    for (const [t, time] of times.entries()) {
      const epsilon = normal(key(4).foldIn(0).foldIn(t), [36, 3, 8, 8]);
      const latents = images.mul(1 - time).add(epsilon.mul(time));
      const at = device.tensor(new Float32Array(36).fill(time), { shape: [36] });
      const prediction = expert.apply(params, { latents, time: at, condition: { kind: 'tokens', ids } });
      const losses = await prediction.sub(epsilon.sub(images)).square().mean([1, 2, 3]).read();
      for (let n = 0; n < 36; n++) expect(m.gram[(t * 36 + n) * 9 + 8]).toBeCloseTo(losses[n]!, 4);
    }
    await networks.close();
  });

  it('refuses a model of an unknown architecture, by the list of known ones, and policies before it measures', async () => {
    const other = memoryStore();
    for (const path of await model.list()) await other.write(path, await model.read(path));
    const config = JSON.parse(new TextDecoder().decode(await other.read('experts/01/config.json')));
    const changed = JSON.stringify({ ...config, architecture: 'unet' });
    await other.write('experts/01/config.json', new TextEncoder().encode(changed));
    await writeModelIndex(other, { clusters: 3, latent: { channels: 3, height: 8, width: 8 }, licence: 'MIT' });
    await expect(evaluate({ device, model: other, data })).rejects.toThrow(
      '[loadPipeline] experts/01/config.json asks for the architecture "unet". Known: "dit". Give yours as architectures.',
    );
    await expect(evaluate({ device, model, data, compare: ['best'] })).rejects.toThrow('there is no policy "best".');
  });

  it('refuses the data of another model', async () => {
    const changed = memoryStore();
    await writeToyData(changed);
    const text = new TextDecoder().decode(await changed.read('test/test.json')).replace('"red"', '"rosy"');
    await changed.write('test/test.json', new TextEncoder().encode(text));
    await expect(evaluate({ device, model, data: changed })).rejects.toThrow('another vocabulary');
  });
});

describe('evaluatePictures', () => {
  it('draws, measures against held-out and training pictures, and names the nearest', async () => {
    const progress: number[] = [];
    const onProgress = (done: number) => progress.push(done);
    const { evaluation, images } = await evaluatePictures({ device, model, data, count: 12, steps: 3, onProgress });
    expect(images).toHaveLength(12);
    expect(progress.at(-1)).toBe(2 * 36); // of the model, then of the same without training
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(evaluation).toMatchObject({ count: 12, heldOut: 36, encoder: 'statistics', steps: 3, guidance: 2 });
    // The toy data holds out the training pictures themselves: nothing can be nearer than these are to themselves.
    expect(evaluation.floor.coverage).toBeGreaterThan(evaluation.model.coverage);
    expect(evaluation.floor.kernel.mean).toBeLessThan(evaluation.model.kernel.mean);
    // Without training the model draws its noise; a little of it knows the colours.
    expect(evaluation.ceiling.frechet).toBeGreaterThan(evaluation.model.frechet);
    for (const [name, [low, high]] of Object.entries(evaluation.intervals)) {
      const value = { ...evaluation.model, kernel: evaluation.model.kernel.mean }[name as 'density'];
      expect(low, name).toBeLessThanOrEqual(value + 1e-9);
      expect(high, name).toBeGreaterThanOrEqual(value - 1e-9);
    }
    expect(evaluation.condition).toMatchObject({ categories: 3, heldOut: 1 });
    expect(evaluation.condition!.majority).toBeLessThan(0.7); // all kinds are asked for, though they alternate in the folder
    expect(evaluation.cost).toMatchObject({ experts: 2 });
    const { copying } = evaluation;
    expect(copying.interval[0]).toBeLessThanOrEqual(copying.nearer);
    expect(evaluation.copying).toMatchObject({ nearer: 0 });
    expect(evaluation.copying.pValue).toBeGreaterThan(0.99);
    const { items } = (await readLabelled(data, 'router')).manifest;
    const distances = evaluation.copying.closest.map(({ distance }) => distance);
    expect(distances).toHaveLength(12);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
    for (const { row, nearest } of evaluation.copying.closest) expect(items![row]!.id).toBe(nearest);
    expect(formatPictures(evaluation)).toContain('12 drawn pictures against 36 held-out ones, by the features of');

    const again = await evaluatePictures({ device, model, data, count: 12, steps: 3 });
    expect({ ...again.evaluation, secondsPerPicture: 0 }).toEqual({ ...evaluation, secondsPerPicture: 0 });
  });

  it('refuses what cannot be measured', async () => {
    await expect(evaluatePictures({ device, model, data, count: 2 })).rejects.toThrow(
      '[evaluate] 2 pictures are too few to measure. Draw 3 or more.',
    );
    const smaller = memoryStore();
    for (const folder of ['router', 'test'] as const) {
      const { manifest, rows } = await readLabelled(data, folder);
      const { images, tokens } = await rows.read(0, manifest.count);
      const quarter = images!.subarray(0, images!.length / 4);
      await writeLabelled(smaller, folder, { ...manifest, size: 4 }, { images: quarter, tokens: tokens! });
    }
    await expect(evaluatePictures({ device, model, data: smaller, count: 3, steps: 1 })).rejects.toThrow(
      '[evaluate] the model draws pictures of 8×8, and those of the data are 4×4. Give the data that',
    );
    const encoder = { name: 'broken', dimensions: 2, parameters: {}, encode: async () => new Float32Array(3) };
    await expect(evaluatePictures({ device, model, data, count: 3, steps: 1, encoder })).rejects.toThrow(
      'gave 3 numbers, not 36 × 2.',
    );
  });
});
