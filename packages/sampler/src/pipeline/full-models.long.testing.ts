// Whole models at full size with random weights, as somebody uses them, against PyTorch on the weights that q4 means:
//
//   PARIS_ADAPTER=cpu npm run test:long -- full-models -t Paris      eight experts of XL/2, router, autoencoder and CLIP
//   PARIS_ADAPTER=cpu npm run test:long -- full-models -t DiT        one guided step of DiT-XL/2, in f16 and in q4
//
// Weights are drawn as their files are read, as tools/fixtures/full_models.py draws them. Paris takes 6 TFLOP and 3 GB of disk.
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ditParameterShapes, ditPresets, facebookLayout, parseDiTConfig } from '@paris/dit';
import {
  type AutoencoderKLParams,
  autoencoderKLParameterShapes,
  createAutoencoderKL,
  parseAutoencoderKLConfig,
} from '@paris/encoders/autoencoder';
import { clipTextParameterShapes, parseClipTextConfig } from '@paris/encoders/clip';
import { encodeJson, type FileSource } from '@paris/files';
import { openCheckpoint } from '@paris/files/checkpoint';
import { nodeStore } from '@paris/files/node';
import type { HostTensor } from '@paris/files/safetensors';
import { parseRouterConfig, routerParameterShapes } from '@paris/router';
import { type Device, openDevice, type Tensor, unflattenTree } from '@paris/tensor';
import { drawnExponent, drawnNumbers, relativeError, type StoredTensor } from '@paris/tensor/testing';
import { requireCapability } from '@paris/test-tools';
import { afterEach, expect, it } from 'vitest';
import { drawnModel } from '../foreign/drawn-model.testing.js';
import { importModel } from '../foreign/import.js';
import { toRgbImages } from '../images/image.js';
import { type LoadOptions, loadPipeline } from '../index.js';
import type { GenerateOptions, StepEvent } from './options.js';

const GiB = 2 ** 30;
const ERROR = 5e-3;
/** Of device memory, for weights: five of eight experts. */
const BUDGET = 2.5 * GiB;
const clipFiles = new URL('../../../../../shared/data/clip/', import.meta.url);

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

interface ParisFixture {
  readonly prompts: readonly string[];
  readonly seed: number;
  readonly guidance: number;
  readonly steps: number;
  /** By expert that was asked: a packed matrix, and the sum of the numbers that it means. */
  readonly sums: Readonly<Record<string, readonly [name: string, sum: number]>>;
  readonly vae: object;
  readonly clip: object;
  readonly routerBias: StoredTensor;
  readonly weights: StoredTensor;
  readonly latents: StoredTensor;
  /** Every eighth row and column. */
  readonly pictures: StoredTensor;
  readonly gain: number;
}

it('the whole of Paris draws what PyTorch does, in 4 GiB of device memory and a process of 12 GiB', {
  timeout: 7_200_000,
}, async (context) => {
  requireCapability(context, 'data', existsSync(clipFiles), 'CLIP’s vocabulary is not there');
  const fixture = fixtureOf<ParisFixture>('paris');
  const memories = watchWasmMemories();
  const folder = await mkdtemp(join(tmpdir(), 'paris-full-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const store = nodeStore(folder);
  const released = report('import');
  const index = await importModel(releasedParis(fixture), store, { weights: 'q4', onNotice: console.log });
  released();
  expect(index).toMatchObject({ clusters: 8, weights: 'q4', codec: 'autoencoder-kl', routing: 'top2' });
  expect(index.files.map(({ path }) => path)).toContain('text/config.json');
  for (const [k, [name, sum]] of Object.entries(fixture.sums)) expect(await sumOf(store, k, name)).toBe(sum);

  const device = await opened(context);
  const loaded = report('load');
  const pipeline = await loadPipeline(folder, { device, weights: 'f16', memoryBudgetBytes: BUDGET });
  loaded();
  const { prompts, seed, guidance, steps } = fixture;
  const sampled = report('sample');
  const { latents, images, weights, peakBytes } = await watch(
    pipeline.steps({ prompts, seed, guidance, steps }),
    device,
  );
  sampled();
  const errors = {
    weights: relativeError(weights, fixture.weights),
    latents: relativeError(latents, fixture.latents),
    levels: mostLevels(images, fixture.pictures, 8),
    ofCodec: mostLevels(await decoded(device, fixture.vae, fixture.latents), fixture.pictures, 8),
  };
  const { budgetBytes, loads, evictions, peakBytes: expertBytes, loadMilliseconds } = pipeline.residency!;
  const wasmBytes = memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  const processBytes = process.resourceUsage().maxRSS * 2 ** 10;
  console.log(
    `${device.info.fingerprint}: weights off by ${errors.weights.toExponential(2)}, latents by ` +
      `${errors.latents.toExponential(2)} of the largest, pictures by ${errors.levels.toFixed(2)} levels, those of PyTorch's ` +
      `latents by ${errors.ofCodec.toFixed(2)}; experts at most ` +
      `${gib(expertBytes)} of ${gib(budgetBytes)}, ${loads} loads and ${evictions} evictions in ` +
      `${(loadMilliseconds / 1000).toFixed(1)} s; buffers ${gib(peakBytes)}, WebAssembly ${gib(wasmBytes)}, process ` +
      `${gib(processBytes)}`,
  );
  expect(errors.weights).toBeLessThan(ERROR);
  expect(errors.latents).toBeLessThan(ERROR);
  expect(errors.ofCodec).toBeLessThan(sameLatents);
  expect(errors.levels).toBeLessThan(levelsFor(latents, fixture.latents, fixture.gain));
  expect(new Set(Object.keys(fixture.sums)).size).toBeGreaterThan(4);
  expect(loads).toBeGreaterThanOrEqual(Object.keys(fixture.sums).length);
  expect(expertBytes).toBeLessThanOrEqual(budgetBytes);
  expect(Math.max(wasmBytes, peakBytes)).toBeLessThanOrEqual(4 * GiB);
  expect(processBytes).toBeLessThan(12 * GiB);
  await pipeline.close();
  await device.close();
});

interface DiTFixture {
  readonly seed: number;
  readonly label: number;
  readonly guidance: number;
  /** Of a thousand. */
  readonly steps: readonly number[];
  readonly vae: object;
  /** x̂₀, and where the step ends. */
  readonly sample: StoredTensor;
  readonly latents: StoredTensor;
  readonly pictures: StoredTensor;
  readonly gain: number;
}

it.each(['f16', 'q4'] as const)(
  'one guided step of DiT-XL/2 in %s is what PyTorch says',
  {
    timeout: 3_600_000,
  },
  async (weights) => {
    const fixture = fixtureOf<DiTFixture>(`dit-${weights}`);
    const device = await openDevice();
    const options: LoadOptions = { device, weights, foreign: { codec: codecFolder(fixture.vae), heads: 16 } };
    const loaded = report(`load in ${weights}`);
    const pipeline = await loadPipeline(facebookDiT(), { ...options, foreign: { ...options.foreign } });
    loaded();
    const weightBytes = device.counters.bytesAllocated;
    const { seed, label, guidance } = fixture;
    const times = Float64Array.from(fixture.steps, (step) => step / 999);
    const request: GenerateOptions = { label, seed, guidance, times, sampler: 'ddim' };
    const sampled = report('step');
    const { latents, images, peakBytes } = await watch(pipeline.steps(request), device);
    sampled();
    const error = relativeError(latents, fixture.sample);
    const levels = mostLevels(images, fixture.pictures, 1);
    const ofCodec = mostLevels(await decoded(device, fixture.vae, fixture.latents), fixture.pictures, 1);
    const allowed = levelsFor(latents, fixture.sample, fixture.gain);
    console.log(
      `${device.info.fingerprint}: x̂₀ off by ${error.toExponential(2)} of the largest, pictures by ${levels.toFixed(2)} levels ` +
        `(allowed: ${allowed.toFixed(2)}), those of PyTorch's latents by ${ofCodec.toFixed(2)}; ` +
        `weights ${gib(weightBytes)}, with all else ${gib(peakBytes)}, process ${gib(process.resourceUsage().maxRSS * 2 ** 10)}`,
    );
    expect(error).toBeLessThan(ERROR);
    expect(ofCodec).toBeLessThan(sameLatents);
    expect(levels).toBeLessThan(allowed);
    await pipeline.close();
    await device.close();
  },
);

const fixtureOf = <F>(name: string): F =>
  JSON.parse(readFileSync(new URL(`../../fixtures/full/${name}.json`, import.meta.url), 'utf8')) as F;

const gib = (bytes: number) => `${(bytes / GiB).toFixed(3)} GiB`;

/** The files of the released Paris. */
function releasedParis({ vae, clip, routerBias }: ParisFixture): FileSource {
  const expert = ditParameterShapes(ditPresets['dit-xl-2']);
  const sizes = { inputSize: 32, channels: 4, patchSize: 2, hiddenSize: 768, depth: 12, heads: 12, clusters: 8 };
  return drawnModel({
    'README.md': new TextEncoder().encode('---\nlicense: mit\n---\n'),
    ...Object.fromEntries(
      Array.from({ length: 8 }, (_, k) => [
        [`expert_${k}/config.json`, encodeJson({ num_layers: 28 })],
        [`expert_${k}/diffusion_pytorch_model.safetensors`, { shapes: expert, prefix: `expert_${k}/` }],
      ]).flat(),
    ),
    'router/pytorch_model.safetensors': {
      shapes: routerParameterShapes(parseRouterConfig(sizes)),
      prefix: 'router/',
      given: { 'head.4.bias': routerBias.data },
    },
    ...codecFiles('vae/', vae),
    'text_encoder/config.json': encodeJson({ ...clip, architectures: ['CLIPTextModel'] }),
    'text_encoder/model.safetensors': { shapes: clipTextParameterShapes(parseClipTextConfig(clip)) },
    'tokenizer/vocab.json': readFileSync(new URL('vocab.json', clipFiles)),
    'tokenizer/merges.txt': readFileSync(new URL('merges.txt', clipFiles)),
  });
}

function codecFiles(at: string, vae: object) {
  const config = { _class_name: 'AutoencoderKL', ...vae };
  return {
    [`${at}config.json`]: encodeJson(config),
    [`${at}diffusion_pytorch_model.safetensors`]: {
      shapes: autoencoderKLParameterShapes(parseAutoencoderKLConfig(config)),
    },
  };
}

const codecFolder = (vae: object): FileSource => drawnModel(codecFiles('', vae));

/** DiT-XL/2 under the names of facebookresearch/DiT, in a folder that says how it was trained. */
function facebookDiT(): FileSource {
  const { textProjection: _, ...xl } = ditPresets['dit-xl-2'];
  const condition = { kind: 'label', classes: 1000 } as const;
  const shapes = ditParameterShapes(parseDiTConfig({ ...xl, modulation: 'zero', learnSigma: true, condition }));
  const theirs = Object.entries(shapes).map(([name, shape]) => [facebookLayout.pieces(name)[0]!.key, shape]);
  return drawnModel({
    'model_index.json': encodeJson({ _class_name: 'DiTPipeline' }),
    'transformer/config.json': encodeJson({ sample_size: 32, num_attention_heads: 16 }),
    'transformer/diffusion_pytorch_model.safetensors': { shapes: Object.fromEntries(theirs) },
    'scheduler/scheduler_config.json': encodeJson({ beta_schedule: 'linear', beta_start: 1e-4, beta_end: 0.02 }),
  });
}

/** Runs a generation: x̂₀ of its last step, its pictures, the weights of all experts at all steps, and the memory in between. */
async function watch(steps: AsyncGenerator<StepEvent, unknown>, device: Device) {
  let peakBytes = 0;
  let latents = new Float32Array();
  const weights: number[] = [];
  for await (const { routing, finished, preview } of steps) {
    weights.push(...routing.flatMap((records) => records.flatMap((record) => [...record.weights])));
    peakBytes = Math.max(peakBytes, device.counters.bytesAllocated);
    if (!finished) continue;
    await preview(async (sample: Tensor) => {
      latents = (await sample.read()) as Float32Array<ArrayBuffer>;
      return device.run(sample.slice([null, [0, 3], null, null]));
    });
    return { latents, weights, images: finished, peakBytes };
  }
  return expect.fail('no step finished the pictures');
}

/** The largest distance between levels from 0 to 255 and values from −1 to 1, of which every `stride`-th row and column is kept. */
function mostLevels(images: StepEvent['finished'], { data, shape }: StoredTensor, stride: number): number {
  const [count, channels, height, width] = shape as [number, number, number, number];
  let most = 0;
  for (let i = 0; i < data.length; i++) {
    const [image, channel] = [Math.floor(i / (channels * height * width)), Math.floor(i / (height * width)) % channels];
    const [row, column] = [Math.floor(i / width) % height, i % width];
    const picture = images![image]!;
    const level = picture.data[(row * stride * picture.width + column * stride) * 3 + channel]!;
    const expected = (Math.min(1, Math.max(-1, data[i]!)) / 2 + 0.5) * 255;
    most = Math.max(most, Math.abs(level - expected));
  }
  expect(images).toHaveLength(count);
  return most;
}

/** Levels by which pictures of the same latents may differ: rounding to levels, and 1e-3 of a picture's [−1, 1]. */
const sameLatents = 0.5 + (1e-3 * 255) / 2;

/**
 * Levels by which pictures may differ whose x̂₀ is as far from PyTorch's as it is: rounding, and what the decoder makes of that
 * distance. `gain` is measured on PyTorch's side: the most that a picture moves where x̂₀ moves everywhere by 1, up or down.
 */
function levelsFor(sample: Float32Array, expected: StoredTensor, gain: number): number {
  const distance = sample.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i]!)), 0);
  return 0.5 + (gain * distance * 255) / 2;
}

/** What the autoencoder makes of latents, with its weights in f16 as pipelines here hold them. */
async function decoded(device: Device, vae: object, { data, shape }: StoredTensor): Promise<StepEvent['finished']> {
  const config = parseAutoencoderKLConfig(vae);
  const params = unflattenTree(
    Object.entries(autoencoderKLParameterShapes(config)).map(([path, shape]) => {
      const numbers = drawnNumbers(path, shape, drawnExponent(path, shape));
      return { path, value: device.tensor(numbers, { shape, dtype: 'f16' }) as Tensor };
    }),
  ) as unknown as AutoencoderKLParams;
  const decode = device.compile((params: AutoencoderKLParams, latents: Tensor) =>
    createAutoencoderKL(config).decode(params, latents),
  );
  const pictures = await decode(params, device.tensor(Float32Array.from(data), { shape }) as Tensor);
  return toRgbImages((await pictures.read()) as Float32Array, pictures.shape);
}

/** The sum of what a packed matrix of an expert means. */
async function sumOf(store: FileSource, expert: string, name: string): Promise<number> {
  const checkpoint = await openCheckpoint(store, `experts/0${expert}/model.safetensors`);
  const found: Record<string, HostTensor> = {};
  const wanted = [`${name}.q4`, `${name}.scale`];
  for await (const [path, tensor] of checkpoint.stream((path) => wanted.includes(path))) found[path] = tensor;
  const [words, scales] = wanted.map((path) => found[path]!.data) as [Uint32Array, Float32Array];
  let sum = 0;
  for (let i = 0; i < words.length * 8; i++) {
    sum += ((words[i >> 3]! << (28 - 4 * (i & 7))) >> 28) * scales[i >> 5]!;
  }
  return sum;
}

async function opened(context: Parameters<typeof requireCapability>[0]): Promise<Device> {
  const device = await openDevice();
  requireCapability(context, 'f16', device.hasFeature('shader-f16'), 'the adapter has no shader-f16');
  return device;
}

/** The memories that the CPU device makes from now on; they never shrink. */
function watchWasmMemories(): WebAssembly.Memory[] {
  const memories: WebAssembly.Memory[] = [];
  const { Memory } = WebAssembly;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(this);
    }
  };
  cleanups.push(async () => {
    WebAssembly.Memory = Memory;
  });
  return memories;
}

/** Says what a part took, when it is over. */
function report(what: string): () => void {
  const [start, before] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(
      `${what}: ${seconds} s, ${((user + system) / 1e6).toFixed(0)} processor-seconds; process ` +
        `${gib(process.resourceUsage().maxRSS * 2 ** 10)} at most so far`,
    );
  };
}
