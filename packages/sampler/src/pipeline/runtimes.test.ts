// What every runtime must draw: a small model's pictures and routes, as PyTorch has them in float64
// (tools/fixtures/mixture.py), together and one by one.

import { type FileStore, memoryStore } from '@paris/files';
import { writeSafetensors } from '@paris/files/safetensors';
import { writeModelIndex, writeVocabulary } from '@paris/model';
import type { Device } from '@paris/tensor';
import { hostTensor, type StoredTensor } from '@paris/tensor/testing';
import { declareSuite, type SuiteContext } from '../../../tensor/src/testing/suite.js';
import { clampDisplay } from '../images/image.js';
import { euler } from '../samplers/euler.js';
import type { Sampler } from '../samplers/sampler.js';
import { loadPipeline } from './load.js';
import type { Generated, GenerateOptions } from './options.js';
import type { Pipeline } from './pipeline.js';

interface Fixture {
  readonly words: readonly string[];
  readonly prompts: readonly string[];
  readonly guidance: number;
  readonly steps: number;
  /** [N, C, S, S] at t = 1. */
  readonly latents: StoredTensor;
  readonly expert: { readonly condition: { readonly maxTokens: number } };
  readonly router: object;
  /** Of the experts and, last, of the router. */
  readonly params: readonly Record<string, StoredTensor>[];
  /** By policy: weights [N, steps, K], and what they lead to, [N, C, S, S]. */
  readonly routed: Readonly<Record<string, { readonly weights: StoredTensor; readonly pictures: StoredTensor }>>;
}

/** Levels of 255. */
const TOLERANCE = 2;

declareSuite({
  name: 'a routed mixture',
  cases: ['top1', 'top2', 'full'].map((routing) => ({
    name: `${routing}: the experts and pictures of the reference, in a batch and one by one`,
    run: (context) => drawsAsTheReference(context, routing),
  })),
});

async function drawsAsTheReference({ device, fixture: read }: SuiteContext, routing: string) {
  const fixture = read<Fixture>('../../sampler/fixtures/mixture');
  const { prompts } = fixture;
  const pipeline = await loadPipeline(await modelOf(fixture), { device });
  try {
    const together = await draw(device, pipeline, fixture, routing, [...prompts.keys()]);
    let compared = compareWithReference(fixture, routing, together);
    for (const i of prompts.keys()) {
      const alone = await draw(device, pipeline, fixture, routing, [i]);
      same(`picture ${i} alone`, expertsOf(alone)[0]!, expertsOf(together)[i]!);
      compared += close(`picture ${i} alone`, alone.images[0]!.data, together.images[i]!.data);
    }
    return { compared };
  } finally {
    await pipeline.close();
  }
}

/** Some of the fixture's pictures, from its noise in place of a seed's. */
async function draw(device: Device, pipeline: Pipeline, fixture: Fixture, routing: string, pictures: number[]) {
  const { latents, prompts, steps, guidance } = fixture;
  const shape = [pictures.length, ...latents.shape.slice(1)];
  const size = latents.data.length / prompts.length;
  using noise = device.tensor(
    Float32Array.from(pictures.flatMap((i) => latents.data.slice(i * size, (i + 1) * size))),
    { shape },
  );
  const sampler: Sampler = (denoiser, initial, options) => euler(denoiser, noise as unknown as typeof initial, options);
  const options: GenerateOptions = { steps, guidance, routing, sampler, telemetry: true };
  return await pipeline.generate({ ...options, prompts: pictures.map((i) => prompts[i]!) });
}

function compareWithReference(fixture: Fixture, routing: string, { images, routing: routes }: Generated): number {
  const { weights, pictures } = fixture.routed[routing]!;
  const K = weights.shape[2]!;
  const expected = (i: number, step: number) =>
    weights.data.slice((i * fixture.steps + step) * K, (i * fixture.steps + step + 1) * K);
  for (const [i, records] of routes.entries()) {
    for (const [step, { weights: got, telemetry }] of records.entries()) {
      const at = `picture ${i}, step ${step}`;
      same(at, expertsIn(got), expertsIn(expected(i, step)));
      for (const [k, weight] of expected(i, step).entries()) {
        if (!(Math.abs(got[k]! - weight) < 1e-3))
          throw new Error(`${at}: expert ${k} weighs ${got[k]}, not ${weight}.`);
      }
      if (telemetry!.nearTie) throw new Error(`${at} is a near-tie: the fixture was to have none.`);
    }
  }
  const [, channels, height, width] = pictures.shape as [number, number, number, number];
  const plane = height * width;
  return images.reduce((sum, { data }, i) => {
    const levels = Array.from({ length: channels * plane }, (_, at) => {
      const [pixel, channel] = [Math.floor(at / channels), at % channels]; // RGB, interleaved
      return clampDisplay(pictures.data[(i * channels + channel) * plane + pixel]!);
    });
    return sum + close(`picture ${i}`, data, levels);
  }, weights.data.length);
}

/** By picture: which experts ran at each step. */
function expertsOf({ routing }: Generated): string[] {
  return routing.map((records) => records.map(({ weights }) => expertsIn(weights)).join('; '));
}

function expertsIn(weights: ArrayLike<number>): string {
  return Array.from(weights)
    .flatMap((weight, k) => (weight > 0 ? [k] : []))
    .join(' and ');
}

function same(what: string, actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`${what}: experts ${actual} ran, not ${expected}.`);
}

function close(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} values, not ${expected.length}.`);
  for (let i = 0; i < expected.length; i++) {
    const [got, wanted] = [actual[i]!, expected[i]!];
    if (!(Math.abs(got - wanted) <= TOLERANCE)) throw new Error(`${what}: value ${i} is ${got}, not ${wanted}.`);
  }
  return expected.length;
}

/** The fixture's networks as a model folder. */
async function modelOf({ words, expert, router, params, latents }: Fixture): Promise<FileStore> {
  const store = memoryStore();
  const clusters = params.length - 1;
  for (const [k, tensors] of params.entries()) {
    const folder = k < clusters ? `experts/0${k}` : 'router';
    const config = JSON.stringify(k < clusters ? expert : router);
    const entries = Object.entries(tensors).map(([name, stored]) => [name, hostTensor({ ...stored, dtype: 'f32' })]);
    await store.write(`${folder}/config.json`, new TextEncoder().encode(config));
    await store.write(`${folder}/model.safetensors`, writeSafetensors(Object.fromEntries(entries)));
  }
  await writeVocabulary(store, words, expert.condition.maxTokens);
  const [, channels, height, width] = latents.shape as [number, number, number, number];
  await writeModelIndex(store, { clusters, latent: { channels, height, width }, licence: 'MIT' });
  return store;
}
