/** Prompts → pictures. */

import { checkName, sha256 } from '@paris/files';
import {
  type Codec,
  type Condition,
  disposeCondition,
  type LabelSet,
  type ModelIndex,
  type NoisePath,
  type PromptEncoder,
  type Vocabulary,
} from '@paris/model';
import { parseRoutingPolicy, type RoutingPolicy } from '@paris/router';
import { type Device, hostNormal, type Key, key, scalar, type Tensor, ValueError } from '@paris/tensor';
import { DEFAULT_GUIDANCE } from '../guidance/default.js';
import { guidanceOf, isGuided, type SettledGuidance } from '../guidance/guidance.js';
import { type RgbImage, toRgbImages } from '../images/image.js';
import type { Made } from '../images/made.js';
import type { ExpertShelf, Residency } from '../residency/shelf.js';
import type { Mixture, MixtureRun, RoutingRecord } from '../routing/mixture.js';
import { pictureNoise } from '../samplers/noise.js';
import type { Sampler } from '../samplers/sampler.js';
import { samplerOption, scheduleOption } from './named.js';
import type { Generated, GenerateOptions, PictureSeed, StepEvent, WeakerModel } from './options.js';

/** What a pipeline is made of. @internal */
export interface Parts {
  readonly device: Device;
  readonly index: ModelIndex;
  /** SHA-256 over the model's files. */
  readonly modelHash: string;
  readonly codec: Codec;
  readonly encode: (pictures: Tensor) => Promise<Tensor>;
  readonly path: NoisePath;
  readonly decode: (latents: Tensor) => Promise<Tensor>;
  readonly model: Mixture;
  readonly shelf: ExpertShelf;
  readonly promptEncoder: PromptEncoder | undefined;
  readonly vocabulary: Vocabulary | undefined;
  readonly labels: LabelSet | undefined;
  readonly close: () => Promise<void>;
}

/** What few pages ask for, in a file of its own. */
const extras = () => import('../controls/extras.js');

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

  /** The classes that `label` chooses among, where the model takes classes. */
  get labels(): LabelSet | undefined {
    return this.#parts.labels;
  }

  /**
   * SHA-256 of the list of the model's files, which pictures name. A model in somebody else's form has no such list: that of its
   * index, in which its source and its networks are.
   */
  get modelHash(): string {
    return this.#parts.modelHash;
  }

  /** Where the weights are: yours, or the one that loading opened and `close()` closes. */
  get device(): Device {
    return this.#parts.device;
  }

  /** Which experts' weights are on the device now: all, unless the model was loaded with a memory budget. */
  get resident(): ReadonlySet<number> {
    return this.#parts.shelf.resident;
  }

  /** How experts came and went so far, where the model was loaded with a memory budget. */
  get residency(): Residency | undefined {
    return this.#parts.shelf.residency;
  }

  /**
   * Brings an expert's weights to the device, if they are not there, as sampling does when the router asks for them. With
   * `among(pipeline.resident, top(2))` as routing pictures can be drawn before all experts have come.
   * @throws ValueError if there is no such expert, or the pipeline was closed; what loading throws; the signal's reason
   */
  async preload(expert: number, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closed) throw new ValueError('preload', 'the pipeline was closed. Load the model again.');
    return (await extras()).preload(this.#parts, expert, signal, ValueError);
  }

  /**
   * Pictures for prompts. The same options give the same pictures on the same device.
   * @throws ValueError for options that mean nothing; the signal's reason when it is aborted
   */
  async generate(options: GenerateOptions = {}): Promise<Generated> {
    const steps = this.steps(options);
    try {
      for (;;) {
        const { done, value } = await steps.next();
        if (done) return value;
        await options.onStep?.(value);
      }
    } finally {
      await steps.return(undefined as never); // where onStep threw, what the batch holds is released
    }
  }

  /**
   * The same step by step: `for await (const { step, preview, finished } of pipeline.steps(options))`. The next step begins when
   * the next event is asked for; leaving the loop ends the work. `onStep` is not called.
   * @throws as {@link Pipeline.generate}
   */
  async *steps(options: GenerateOptions = {}): AsyncGenerator<StepEvent, Generated, undefined> {
    if (this.#closed) refuse('the pipeline was closed. Load the model again');
    const { labels } = this.#parts;
    const takesLabels = labels ?? options.label ?? options.labels;
    const prompts =
      takesLabels === undefined ? promptsOf(options) : (await classes()).subjectsOf(options, labels, refuse);
    const settings = await this.#settings(options, prompts);
    const { batchSize } = settings;
    const images: RgbImage[] = [];
    const records: (readonly RoutingRecord[])[] = [];
    const expertPictures = new Array<number>(this.#parts.index.clusters).fill(0);
    for (let from = 0; from < prompts.length; from += batchSize) {
      const batch = yield* this.#batch(prompts.slice(from, from + batchSize), from, settings);
      images.push(...batch.images);
      records.push(...batch.records);
      for (const counts of batch.expertPictures) for (const [k, count] of counts.entries()) expertPictures[k]! += count;
    }
    return { images, prompts, routing: records, expertPictures };
  }

  /** The size of its pictures. */
  async pictureSize(): Promise<{ readonly width: number; readonly height: number }> {
    const { codec, index } = this.#parts;
    return (await extras()).pictureSize(codec, index.latent, refuse);
  }

  /** @internal See `WeakerModel`. */
  async startUnguided(...[prompts, request, owned]: Parameters<WeakerModel['startUnguided']>): Promise<MixtureRun> {
    if (this.#closed) refuse('autoguidance.weaker was closed. Load that model again');
    const { model, index } = this.#parts;
    const conditions = await this.#encode(prompts, undefined);
    for (const each of Object.values(conditions)) owned.push({ dispose: () => disposeCondition(each) });
    return model.start(prompts.length, { ...request, ...conditions, routing: parseRoutingPolicy(index.routing) });
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
  async #settings(options: GenerateOptions, prompts: readonly string[]): Promise<Settings> {
    const { index, path, promptEncoder, labels } = this.#parts;
    const { batchSize = 16, telemetry = false, signal, steps = 30, sampler = 'euler' } = options;
    positive('batchSize', batchSize);
    const { schedule = 'uniform', routing = index.routing, times: given, shift, autoguidance } = options;
    const ownShift = typeof schedule === 'string' ? index.shift : undefined; // a function says it all
    const times = given ?? (await scheduleOption(schedule, shift ?? ownShift))(steps, path);
    const usual = autoguidance === undefined && (promptEncoder || labels) ? DEFAULT_GUIDANCE : 1;
    const guidance = guidanceOf('generate', options.guidance ?? usual, times);
    const { negativePrompt = '', seed = 0, image, strength, mask, variation, interpolate } = options;
    const named = [given, autoguidance, image, strength, mask, variation, interpolate];
    const rare = named.some((each) => each !== undefined);
    const more = rare || typeof seed === 'object' || typeof negativePrompt === 'object' ? await extras() : undefined;
    const negatives = more?.negativesOf(options, prompts, refuse) ?? prompts.map(() => negativePrompt as string);
    if (!isGuided(guidance) && negatives.some((text) => text !== '')) {
      refuse('guidance 1 looks at no negative prompt. Give more guidance, or leave negativePrompt out');
    }
    const origins =
      more?.originsOf(options, prompts, refuse) ?? prompts.map((_, picture) => ({ seed: seed as number, picture }));
    const keys = origins.map(keysOf);
    const noise = (of: PictureSeed) => hostNormal(keysOf(of)[0]!, sizeOf(index.latent));
    const plain: Settings = {
      times,
      sampler: await samplerOption(sampler),
      routing: typeof routing === 'string' ? parseRoutingPolicy(routing) : routing,
      made: (i) => ({
        ...{ prompt: prompts[i]!, negativePrompt: negatives[i]!, ...origins[i]!, guidance, sampler, routing },
        steps: given ? given.length - 1 : steps,
        schedule: given ?? schedule,
        ...(shift !== undefined && { shift }),
        model: this.#parts.modelHash,
      }),
      initial: (i) => noise(origins[i]!),
      routingKey: (i) => keys[i]![1]!,
      samplerKey: (i) => keys[i]![2]!,
      ...{ batchSize, guidance, negatives, telemetry, signal },
    };
    return more?.controlled(this.#parts, plain, options, origins, { noise, scalar, sha256, refuse }) ?? plain;
  }

  /** One batch, step by step. */
  async *#batch(prompts: readonly string[], firstImage: number, settings: Settings) {
    const { device, path, index } = this.#parts;
    const { times, signal, samplerKey } = settings;
    const shape = [prompts.length, index.latent.channels, index.latent.height, index.latent.width];
    const values = new Float32Array(prompts.length * sizeOf(index.latent));
    for (let i = 0; i < prompts.length; i++) values.set(settings.initial(firstImage + i), i * sizeOf(index.latent));
    const owned: { dispose(): void }[] = [];
    try {
      const expertPictures: (readonly number[])[] = []; // of each run: with another prompt there are two
      const start = async (texts: readonly string[]) => {
        const run = await this.#start(texts, firstImage, settings, owned);
        expertPictures.push(run.expertPictures);
        return run;
      };
      const run = await start(prompts);
      const { denoiser, startStep } = (await settings.around?.(run, { firstImage, prompts, start, owned })) ?? run;
      const initial = device.tensor(values, { shape });
      owned.push(initial);
      let images: RgbImage[] = [];
      startStep(0);
      for await (const { step, time, latents, sample } of settings.sampler(denoiser, initial, {
        times,
        path,
        noise: pictureNoise(device, { shape, key: samplerKey, firstImage }),
        signal,
      })) {
        const last = step === times.length - 2;
        if (last) {
          const drawn = await this.#toImages(latents);
          images = drawn.map((image, i) => ({
            ...(settings.finish?.(image, firstImage + i) ?? image),
            made: settings.made(firstImage + i),
          }));
        }
        yield {
          ...{ step, steps: times.length - 1, time, firstImage, images: prompts.length },
          routing: run.records.map((records) => records.filter((record) => record.step === step)),
          ...(last && { finished: images }),
          preview: async (tier = 'full') => {
            if (typeof tier === 'string') checkName('preview', 'the tier', tier, ['full', 'projection']);
            const exact = () => this.#toImages(sample, typeof tier === 'function' ? tier : undefined);
            return tier === 'projection' ? (await extras()).projected(this, sample, exact) : exact();
          },
        } satisfies StepEvent as StepEvent;
        startStep(step + 1);
      }
      if (images.length === 0) refuse('the sampler ended early. Let it yield each step');
      return { images, records: run.records, expertPictures };
    } finally {
      for (const each of owned) each.dispose();
    }
  }

  /** The mixture on a batch of prompts. What it holds is added to `owned`. */
  async #start(prompts: readonly string[], firstImage: number, settings: Settings, owned: { dispose(): void }[]) {
    const { guidance, routing, telemetry, routingKey, signal } = settings;
    const negatives = settings.negatives.slice(firstImage, firstImage + prompts.length);
    const conditions = await this.#encode(prompts, isGuided(guidance) ? negatives : undefined);
    for (const each of Object.values(conditions)) owned.push({ dispose: () => disposeCondition(each) });
    const request = { routing, telemetry, key: routingKey, guidance, firstImage, signal };
    return this.#parts.model.start(prompts.length, { ...request, ...conditions });
  }

  async #encode(
    prompts: readonly string[],
    negatives: readonly string[] | undefined,
  ): Promise<{ condition?: Condition; unconditional?: Condition }> {
    const { promptEncoder, labels, device } = this.#parts;
    if (labels) return (await classes()).encodeLabels(device, labels, prompts, negatives, refuse);
    if (!promptEncoder) {
      if ([...prompts, ...(negatives ?? [])].every((prompt) => prompt === '')) return {};
      refuse('prompts: this model has no text side. Leave them out, or load it with a promptEncoder');
    }
    const condition = await promptEncoder.encode(prompts);
    if (negatives === undefined) return { condition };
    return { condition, unconditional: await promptEncoder.encode(negatives) };
  }

  async #toImages(latents: Tensor, decode = this.#parts.decode): Promise<RgbImage[]> {
    const pictures = await decode(latents);
    try {
      return toRgbImages((await pictures.read()) as Float32Array, pictures.shape);
    } finally {
      if (pictures !== latents) pictures.dispose(); // in pixel space they are the same tensor
    }
  }
}

/** What is settled before the first batch; `controlled` changes some of it. @internal */
export interface Settings {
  readonly batchSize: number;
  readonly times: Float64Array;
  readonly guidance: SettledGuidance;
  /** For each picture. */
  readonly negatives: readonly string[];
  readonly sampler: Sampler;
  readonly routing: RoutingPolicy;
  readonly telemetry: boolean;
  readonly routingKey: (picture: number) => Key;
  readonly samplerKey: (picture: number) => Key;
  readonly signal: AbortSignal | undefined;
  /** A picture's latents at times[0], [C, H, W]. */
  readonly initial: (picture: number) => Float32Array;
  /** What becomes of a picture that is drawn. */
  readonly finish?: (image: RgbImage, picture: number) => RgbImage;
  readonly made: (picture: number) => Made;
  readonly around?: ((run: Steered, batch: BatchAround) => Promise<Steered>) | undefined;
}

/** A denoiser that is said which step it serves. @internal */
export type Steered = Pick<MixtureRun, 'denoiser' | 'startStep'>;

/** The batch that a denoiser serves. @internal */
export interface BatchAround {
  readonly firstImage: number;
  readonly prompts: readonly string[];
  /** The mixture on other prompts. */
  readonly start: (prompts: readonly string[]) => Promise<Steered>;
  /** Disposed of after the batch. */
  readonly owned: { dispose(): void }[];
}

/** What models that take classes need. */
const classes = () => import('./labels.js');

/** At t = 1 a path is pure noise of unit variance. */
function sizeOf({ channels, height, width }: ModelIndex['latent']): number {
  return channels * height * width;
}

function promptsOf({ prompt, prompts, count = 1 }: GenerateOptions): string[] {
  if (prompt !== undefined && prompts !== undefined) {
    refuse('both prompt and prompts are given. Give one of them');
  }
  positive('count', count);
  if (prompts?.length === 0) {
    refuse('prompts is an empty list. Give a prompt at least, or leave prompts out');
  }
  return (prompts ?? [prompt ?? '']).flatMap((text) => new Array<string>(count).fill(text));
}

/** Of noise, routing and sampler. */
function keysOf({ seed, picture }: PictureSeed): Key[] {
  return key(seed)
    .split(3)
    .map((each) => each.foldIn(picture));
}

function positive(name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  refuse(`${name} is ${value}. Give a whole number from 1 on`);
}

function refuse(what: string): never {
  throw new ValueError('generate', `${what}.`);
}
