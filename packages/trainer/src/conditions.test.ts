// Every condition in pixel and latent space, from pictures on disk to pictures that a model draws, at toy size.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dit } from '@paris/dit';
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { routerTransformer } from '@paris/router';
import { loadPipeline } from '@paris/sampler';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { decode } from 'fast-png';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  assemble,
  type ConditionName,
  ditConfig,
  evaluate,
  InterruptedError,
  loadCodec,
  loadTextEncoder,
  partitionData,
  readManifest,
  readMetrics,
  routerConfig,
  type TrainExpertOptions,
  type TrainingOptions,
  trainExpert,
  trainRouter,
} from './index.js';
import { prepare } from './node/index.js';
import { toyCodec, toyText, writeToyPictures } from './testing/parts.testing.js';

const size = { patch: 2, width: 16, depth: 1, heads: 2 };
const few: Partial<TrainingOptions> = { steps: 3, batchSize: 4, learningRate: 3e-3, warmupSteps: 1 };
const many: Partial<TrainingOptions> = { ...few, steps: 60, warmupSteps: 2, learningRate: 1e-2 };

let device: Device;
let folder: string;
let parts: { codec: Awaited<ReturnType<typeof toyCodec>>; text: Awaited<ReturnType<typeof toyText>> };
const data: { [space: string]: FileStore } = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-conditions-'));
  await writeToyPictures(folder);
  const opened = await openDevice().catch(() => undefined);
  if (!opened) return;
  device = opened;
  parts = { codec: await toyCodec(device), text: await toyText(device) };
  for (const space of ['pixels', 'latents']) data[space] = await prepared(space);
}, 300_000);
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(async () => {
  await device?.close();
  await rm(folder, { recursive: true });
});

/** The pictures with everything that can be learned of them, in two clusters. */
async function prepared(space: string): Promise<FileStore> {
  const out = memoryStore();
  const text = await loadTextEncoder(device, parts.text);
  const codec = space === 'latents' ? await loadCodec(device, parts.codec) : undefined;
  const source = { source: folder, captions: join(folder, 'captions.csv'), size: 8, holdout: 0.3, nearCopies: false };
  await prepare({ ...source, out, text, codec, thumbnail: codec && 4, classes: 'categories' });
  for (const part of [text, codec]) part?.release();
  await partitionData({ device, data: out, clusters: 2 });
  return out;
}

const expert = (space: string, condition: ConditionName, change: Partial<TrainExpertOptions> = {}) =>
  trainExpert({
    ...{ device, data: data[space]!, cluster: 0, runs: memoryStore(), architecture: dit },
    ...{ config: ditConfig(size, undefined, condition), training: few },
    ...change,
  });

const weights = (runs: FileStore) => runs.read('expert-00/model.safetensors');
const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

describe.each(['pixels', 'latents'])('%s', (space) => {
  it.each(['words', 'text', 'label', 'none'] as const)(
    'learned by %s are drawn',
    async (condition) => {
      const runs = memoryStore();
      await expert(space, condition, { runs, training: many });
      const losses = (await readMetrics(folderStore(runs, 'expert-00'))).map(({ loss }) => loss);
      expect(mean(losses.slice(-15))).toBeLessThan(0.85 * mean(losses.slice(0, 5)));
      await expert(space, condition, { runs, cluster: 1 });
      const router = { architecture: routerTransformer, config: routerConfig(size, condition), training: few };
      await trainRouter({ device, data: data[space]!, runs, conditionDropout: 0.1, ...router });

      const model = memoryStore();
      const needed = {
        ...(space === 'latents' && { codec: parts.codec }),
        ...(condition === 'text' && { text: parts.text }),
      };
      const index = await assemble({ runs, out: model, data: data[space]!, ...needed });
      expect(index.codec).toBe(space === 'latents' ? 'autoencoder-kl' : 'identity');
      expect(index.latent).toEqual(
        space === 'latents' ? { channels: 4, height: 4, width: 4 } : { channels: 3, height: 8, width: 8 },
      );
      const card = new TextDecoder().decode(await model.read('README.md'));
      expect(card.includes('It knows the words of its captions')).toBe(condition === 'words');
      expect(card.includes('It draws the classes that it learned')).toBe(condition === 'label');
      const pipeline = await loadPipeline(model, { device });
      const draw = async (subject: string) => {
        const named =
          condition === 'label' ? { label: subject } : { prompt: condition === 'none' ? '' : `a ${subject} cat` };
        const [image] = (await pipeline.generate({ ...named, steps: 2, seed: 3 })).images;
        return image!;
      };
      const red = await draw('red');
      expect([red.width, red.height]).toEqual([8, 8]);
      if (condition !== 'none') expect((await draw('blue')).data).not.toEqual(red.data);
      else await expect(pipeline.generate({ prompt: 'red' })).rejects.toThrow('this model has no text side');
      await pipeline.close();
      const measured = await evaluate({ device, model, data: data[space]!, timeCount: 2 });
      expect(measured.losses.experts).toHaveLength(2);
    },
    300_000,
  );

  it.each(['text', 'label'] as const)(
    'resumes to the same bytes, by %s',
    async (condition) => {
      const [whole, runs] = [memoryStore(), memoryStore()];
      const training = { ...few, steps: 8 };
      await expert(space, condition, { runs: whole, training });
      const stop = new AbortController();
      const onEvent: TrainExpertOptions['onEvent'] = (event) => {
        if (event.type === 'checkpoint' && event.step >= 3) stop.abort();
      };
      const first = expert(space, condition, { runs, training, checkpointEvery: 3, signal: stop.signal, onEvent });
      await expect(first).rejects.toThrow(InterruptedError);
      await expert(space, condition, { runs, training });
      expect(await weights(runs)).toEqual(await weights(whole));
      const none = memoryStore();
      await expert(space, condition, { runs: none, training, conditionDropout: 1 });
      expect(await weights(none)).not.toEqual(await weights(whole));
    },
    300_000,
  );
});

it('computes features in f16 where the training does, and in parts', async (context) => {
  requireCapability(context, 'f16', device.hasFeature('shader-f16'), 'the adapter has no f16');
  const runs = memoryStore();
  const training = { ...many, steps: 30, precision: 'mixed-f16' as const, accumulate: 2 };
  await expert('latents', 'text', { runs, training });
  const losses = (await readMetrics(folderStore(runs, 'expert-00'))).map(({ loss }) => loss);
  expect(mean(losses.slice(-10))).toBeLessThan(mean(losses.slice(0, 5)));
});

it('measures held-out latents and draws samples on the way, and neither changes a byte', async () => {
  const [runs, plain] = [memoryStore(), memoryStore()];
  await expert('latents', 'text', { runs: plain });
  const [codec, text] = [await loadCodec(device, parts.codec), await loadTextEncoder(device, parts.text)];
  const samples = { every: 3, codec, text, prompts: ['a red cat', ''], steps: 2 };
  const validation = { data: data.latents!, every: 3, levels: 2 };
  await expert('latents', 'text', { runs, samples, validation });
  expect(await weights(runs)).toEqual(await weights(plain));
  const lines = new TextDecoder()
    .decode(await runs.read('expert-00/validation.jsonl'))
    .trim()
    .split('\n');
  expect(lines.map((line) => JSON.parse(line).time)).toEqual([0.25, 0.75]);
  const { width, height } = decode(await runs.read('expert-00/samples/00000003.png'));
  expect([width, height]).toEqual([16, 8]);
  for (const condition of ['text', 'label', 'none'] as const) {
    const own = memoryStore();
    await expert('latents', condition, { runs: own, samples: { every: 3, codec, steps: 1 } });
    const { prompts } = JSON.parse(new TextDecoder().decode(await own.read('expert-00/samples.jsonl')));
    const wanted = { text: /^a (red|green|blue) cat$/, label: /^(red|green|blue)$/, none: /^$/ }[condition];
    for (const prompt of prompts) expect(prompt).toMatch(wanted);
  }
  for (const part of [codec, text]) part.release();
}, 300_000);

it('chooses the config by what the data has', async () => {
  const { latents, text, classes } = await readManifest(data.latents!);
  expect(latents).toMatchObject({ channels: 4, height: 4, width: 4, pictureSize: 8 });
  expect(text).toMatchObject({ length: 8, width: 8, masked: false });
  expect(classes).toEqual({ classes: 3, names: ['blue', 'green', 'red'] });
  const runs = memoryStore();
  await expert('latents', 'words', { runs, config: ditConfig(size) });
  const { config } = JSON.parse(new TextDecoder().decode(await runs.read('expert-00/run.json'))).options;
  expect(config).toMatchObject({ channels: 4, inputSize: 4, condition: { kind: 'embeddings', width: 8 } });
});
