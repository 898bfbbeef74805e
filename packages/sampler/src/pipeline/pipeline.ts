/** Prompts → pictures. */

import {
  type Condition,
  disposeCondition,
  type ModelIndex,
  type NoisePath,
  type PromptEncoder,
  type Vocabulary,
} from '@paris/model';
import { parseRoutingPolicy, type RoutingPolicy } from '@paris/router';
import { type Device, hostNormal, type Key, key, type Tensor, ValueError } from '@paris/tensor';
import { DEFAULT_GUIDANCE, type Guidance, guidanceOf } from '../guidance/guidance.js';
import { type RgbImage, toRgbImages } from '../images/image.js';
import type { Mixture, RoutingRecord } from '../routing/mixture.js';
import { pictureNoise } from '../samplers/noise.js';
import type { Sampler } from '../samplers/sampler.js';
import type { Schedule } from '../schedules/named.js';
import { samplerOption, scheduleOption } from './named.js';

/** What to draw, how many, and how. */
export interface GenerateOptions {
  readonly prompt?: string;
  /** What pictures are guided away from: in place of the empty prompt. Needs guidance other than 1. */
  readonly negativePrompt?: string;
  /** Several prompts at once, instead of `prompt`. */
  readonly prompts?: readonly string[];
  /** Pictures for each prompt. Default 1. */
  readonly count?: number;
  /** Default 0. Picture i starts from the same noise whatever else is asked for. */
  readonly seed?: number;
  /** Default 30. */
  readonly steps?: number;
  /** How the steps lie between noise and data: `karras`, `beta`, … Default `uniform`. */
  readonly schedule?: Schedule | string;
  /** Instead of `steps` and `schedule`: the times to visit, see `uniformTimes` and `shiftLogSnr`. */
  readonly times?: Float64Array;
  /**
   * 1 follows the prompt as trained; more exaggerates it, at twice the cost. Default {@link DEFAULT_GUIDANCE} where the
   * model reads prompts, else 1.
   */
  readonly guidance?: number | Guidance;
  /** Default `euler`. */
  readonly sampler?: Sampler | string;
  /** Default: what the model's index says. */
  readonly routing?: RoutingPolicy | string;
  /** Adds entropy, near-ties, the experts' disagreement and milliseconds to `routing`; costs a little. Default false. */
  readonly telemetry?: boolean;
  /** Pictures at once. Default 16. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** After each step of each batch; a promise is waited for. */
  readonly onStep?: (event: StepEvent) => void | Promise<void>;
}

/** What is known after a step of a batch. */
export interface StepEvent {
  /** 0 for the first step. */
  readonly step: number;
  readonly steps: number;
  /** Where the latents stand now: 1 is noise, 0 data. */
  readonly time: number;
  /** Index of the first picture of this batch, and how many there are in it. */
  readonly firstImage: number;
  readonly images: number;
  /** By picture of the batch: what was decided for this step. */
  readonly routing: readonly (readonly RoutingRecord[])[];
  /** x̂₀ as pictures; only until this callback is done. */
  preview(): Promise<RgbImage[]>;
}

/** Pictures, and who drew them. */
export interface Generated {
  /** All pictures of the first prompt, then of the second, … */
  readonly images: readonly RgbImage[];
  /** The prompt of each picture. */
  readonly prompts: readonly string[];
  /** By picture, then by model evaluation: probabilities and weights. */
  readonly routing: readonly (readonly RoutingRecord[])[];
  /** How many times each expert has run a picture, [K]. Guidance runs each twice and counts once. */
  readonly expertPictures: readonly number[];
}

interface Parts {
  readonly device: Device;
  readonly index: ModelIndex;
  readonly path: NoisePath;
  readonly decode: (latents: Tensor) => Promise<Tensor>;
  readonly model: Mixture;
  readonly promptEncoder: PromptEncoder | undefined;
  readonly vocabulary: Vocabulary | undefined;
  readonly close: () => Promise<void>;
}

/** A loaded model; see `loadPipeline`. */
export class Pipeline {
  readonly #parts: Parts;
  #closed = false;

  /** @internal */
  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What the model says of itself: clusters, licence, provenance, … */
  get index(): ModelIndex {
    return this.#parts.index;
  }

  /**
   * The words that prompts are made of, where the model's own word list reads them; `promptWords` of `@paris/model` says
   * which words of a prompt are among them. Words that are not all look the same to the model.
   */
  get vocabulary(): Vocabulary | undefined {
    return this.#parts.vocabulary;
  }

  /** Where the weights are: yours, or the one that loading opened and `close()` closes. */
  get device(): Device {
    return this.#parts.device;
  }

  /**
   * Pictures for prompts. The same options give the same pictures on the same device.
   * @throws ValueError for options that mean nothing; the signal's reason when it is aborted
   */
  async generate(options: GenerateOptions = {}): Promise<Generated> {
    if (this.#closed) throw new ValueError('generate', 'the pipeline was closed. Load the model again.');
    const prompts = promptsOf(options);
    const settings = await this.#settings(options);
    const { batchSize } = settings;
    const images: RgbImage[] = [];
    const records: (readonly RoutingRecord[])[] = [];
    const expertPictures = new Array<number>(this.#parts.index.clusters).fill(0);
    for (let from = 0; from < prompts.length; from += batchSize) {
      const batch = await this.#generateBatch(prompts.slice(from, from + batchSize), from, settings);
      images.push(...batch.images);
      records.push(...batch.records);
      for (const [k, count] of batch.expertPictures.entries()) expertPictures[k]! += count;
    }
    return { images, prompts, routing: records, expertPictures };
  }

  /** Releases the weights, and the device if the pipeline opened it. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#parts.close();
  }

  /** `await using pipeline = …` closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The options with their defaults, checked. */
  async #settings(options: GenerateOptions): Promise<Settings> {
    const { index, path, promptEncoder } = this.#parts;
    const { seed = 0, batchSize = 16, negativePrompt = '', telemetry = false, signal, onStep } = options;
    positive('batchSize', batchSize);
    const guidance = guidanceOf('generate', options.guidance ?? (promptEncoder ? DEFAULT_GUIDANCE : 1));
    if (negativePrompt !== '' && guidance.scale === 1) {
      const fix = 'Give more guidance, or leave negativePrompt out.';
      throw new ValueError('generate', `guidance 1 looks at no negative prompt. ${fix}`);
    }
    const schedule = await scheduleOption(options.schedule);
    const routing = options.routing ?? index.routing;
    const [noiseKey, routingKey, samplerKey] = key(seed).split(3) as [Key, Key, Key];
    return {
      times: options.times ?? schedule(options.steps ?? 30, path),
      sampler: await samplerOption(options.sampler),
      routing: typeof routing === 'string' ? parseRoutingPolicy(routing) : routing,
      ...{ batchSize, guidance, negativePrompt, telemetry, noiseKey, routingKey, samplerKey, signal, onStep },
    };
  }

  async #generateBatch(prompts: readonly string[], firstImage: number, settings: Settings) {
    const { device, model, path } = this.#parts;
    const { times, guidance, routing, telemetry, routingKey, samplerKey, signal, onStep } = settings;
    const conditions = await this.#encode(prompts, guidance.scale !== 1 ? settings.negativePrompt : undefined);
    const initial = this.#noise(prompts.length, firstImage, settings.noiseKey);
    try {
      const request = { routing, telemetry, key: routingKey, guidance, firstImage };
      const run = model.start(prompts.length, { ...request, ...conditions });
      let images: RgbImage[] = [];
      run.startStep(0);
      for await (const { step, time, latents, sample } of settings.sampler(run.denoiser, initial, {
        times,
        path,
        noise: pictureNoise(device, { shape: initial.shape, key: samplerKey, firstImage }),
        signal,
      })) {
        await onStep?.({
          step,
          steps: times.length - 1,
          time,
          firstImage,
          images: prompts.length,
          routing: run.records.map((records) => records.filter((record) => record.step === step)),
          preview: () => this.#toImages(sample),
        });
        if (step === times.length - 2) images = await this.#toImages(latents);
        run.startStep(step + 1);
      }
      return { images, records: run.records, expertPictures: run.expertPictures };
    } finally {
      initial.dispose();
      for (const condition of [conditions.condition, conditions.unconditional])
        if (condition) disposeCondition(condition);
    }
  }

  /** ε for each picture, drawn on the host: [B, C, H, W]. At t = 1 a path is pure noise of unit variance. */
  #noise(count: number, firstImage: number, noiseKey: Key): Tensor {
    const { channels, height, width } = this.#parts.index.latent;
    const size = channels * height * width;
    const noise = new Float32Array(count * size);
    for (let i = 0; i < count; i++) noise.set(hostNormal(noiseKey.foldIn(firstImage + i), size), i * size);
    return this.#parts.device.tensor(noise, { shape: [count, channels, height, width] });
  }

  async #encode(
    prompts: readonly string[],
    negativePrompt: string | undefined,
  ): Promise<{ condition?: Condition; unconditional?: Condition }> {
    const { promptEncoder } = this.#parts;
    if (!promptEncoder) {
      if (prompts.every((prompt) => prompt === '') && !negativePrompt) return {};
      throw new ValueError(
        'generate',
        'this model has no text side. Leave prompts out, or load it with a promptEncoder.',
      );
    }
    const condition = await promptEncoder.encode(prompts);
    if (negativePrompt === undefined) return { condition };
    return { condition, unconditional: await promptEncoder.encode(prompts.map(() => negativePrompt)) };
  }

  async #toImages(latents: Tensor): Promise<RgbImage[]> {
    const pictures = await this.#parts.decode(latents);
    try {
      return toRgbImages((await pictures.read()) as Float32Array, pictures.shape);
    } finally {
      if (pictures !== latents) pictures.dispose(); // in pixel space they are the same tensor
    }
  }
}

interface Settings {
  readonly batchSize: number;
  readonly times: Float64Array;
  readonly guidance: Required<Guidance>;
  readonly negativePrompt: string;
  readonly sampler: Sampler;
  readonly routing: RoutingPolicy;
  readonly telemetry: boolean;
  readonly noiseKey: Key;
  readonly routingKey: Key;
  readonly samplerKey: Key;
  readonly signal: AbortSignal | undefined;
  readonly onStep: GenerateOptions['onStep'];
}

function promptsOf({ prompt, prompts, count = 1 }: GenerateOptions): string[] {
  if (prompt !== undefined && prompts !== undefined) {
    throw new ValueError('generate', 'both prompt and prompts are given. Give one of them.');
  }
  positive('count', count);
  if (prompts?.length === 0) {
    throw new ValueError('generate', 'prompts is an empty list. Give a prompt at least, or leave prompts out.');
  }
  return (prompts ?? [prompt ?? '']).flatMap((text) => new Array<string>(count).fill(text));
}

function positive(name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw new ValueError('generate', `${name} is ${value}. Give a whole number from 1 on.`);
}
