// What `generate` takes and gives.
import type { ModelIndex } from '@paris/model';
import type { RoutingPolicy } from '@paris/router';
import type { Device, Tensor } from '@paris/tensor';
import type { Guidance } from '../guidance/guidance.js';
import type { RgbImage } from '../images/image.js';
import type { MixtureRequest, MixtureRun, RoutingRecord } from '../routing/mixture.js';
import type { Sampler } from '../samplers/sampler.js';
import type { Schedule } from '../schedules/named.js';

/** Which noise a picture starts from: that of the `picture`-th picture of a seed. */
export interface PictureSeed {
  readonly seed: number;
  /** 0 for the first. */
  readonly picture: number;
}

/** A step of noise towards that of a picture of a seed. */
export interface Move extends PictureSeed {
  /** How far, from 0 to 1, along the great circle (slerp). */
  readonly strength: number;
}

/** The noise that a picture starts from: a seed's, or where it has been moved since. */
export interface Origin extends PictureSeed {
  /** One after the other: the noise of a variation, and of a variation of that. Default: none. */
  readonly moves?: readonly Move[];
}

/** Which pixels are drawn again: one byte a pixel, or three as an {@link RgbImage} has them. */
export interface MaskImage {
  readonly width: number;
  readonly height: number;
  /** 128 or more, in any channel: drawn again. Less: kept. */
  readonly data: Uint8Array;
}

/** Noise between that of `seed` and another one's. */
export interface Variation {
  /** Picture i moves towards picture i of this seed, or all towards the one that is named. A list has an entry for each picture. */
  readonly seed: number | PictureSeed | readonly (number | PictureSeed)[];
  /** How far, from 0 to 1, along the great circle (slerp). */
  readonly strength: number;
}

/** What the pictures lead to, one step after the other. */
export interface Interpolation {
  /** From `prompt` to this one: predictions of both are mixed, at twice the cost. */
  readonly prompt?: string;
  /** From the noise of `seed` to that of this one, along the great circle (slerp). */
  readonly seed?: number | PictureSeed;
  /** How far each picture is, from 0 to 1. Default: in even steps, both ends included. */
  readonly amounts?: readonly number[];
}

/** A model to lead away from: a `Pipeline`. */
export interface WeakerModel {
  readonly index: ModelIndex;
  readonly modelHash: string;
  readonly device: Device;
  /** @internal A batch without guidance. What it holds is added to `owned`. */
  startUnguided(
    prompts: readonly string[],
    request: Pick<MixtureRequest, 'key' | 'firstImage' | 'signal'>,
    owned: { dispose(): void }[],
  ): Promise<MixtureRun>;
}

/**
 * Leads away from the mistakes that a weaker model makes more of (arXiv 2406.02507, eq. 3): weaker + scale · (model − weaker), for
 * the same prompt, at each evaluation. Quality rises without the loss of variety that guidance by a prompt has.
 */
export interface Autoguidance {
  /**
   * An earlier checkpoint of the same experts, or smaller or worse trained ones; it needs no more than the same latents, path and
   * device: `loadPipeline(folder, { device: pipeline.device })`. It routes by itself.
   */
  readonly weaker: WeakerModel;
  /** 1 is the model alone; 2 or so is usual. */
  readonly scale: number;
}

/** What to draw, how many, and how. */
export interface GenerateOptions {
  readonly prompt?: string;
  /** What to draw, for models that take a class: its number, or as text its name where the model lists names, else its number. */
  readonly label?: number | string;
  /** Several classes at once, instead of `label`. */
  readonly labels?: readonly (number | string)[];
  /**
   * What pictures are guided away from: in place of the empty prompt. Needs guidance other than 1. A list has one for each
   * picture.
   */
  readonly negativePrompt?: string | readonly string[];
  /** Several prompts at once, instead of `prompt`. */
  readonly prompts?: readonly string[];
  /** Pictures for each prompt. Default 1. */
  readonly count?: number;
  /**
   * Picture i starts from the same noise whatever else is asked for. A list has a seed for each picture, which is then the
   * first picture of that seed unless the list names another; `moves` lead on from there. Default 0.
   */
  readonly seed?: number | readonly (number | Origin)[];
  /** Default 30. */
  readonly steps?: number;
  /** How the steps lie between noise and data: `karras`, `beta`, … Default `uniform`. */
  readonly schedule?: Schedule | string;
  /**
   * Moves the schedule's times towards noise, see `shifted`. 3 is usual for large pictures. Default: what the
   * model's index says if the schedule is a name, else 1: not at all.
   */
  readonly shift?: number;
  /** Instead of `steps`, `schedule` and `shift`: the times to visit, see `uniformTimes` and `shiftLogSnr`. */
  readonly times?: Float64Array;
  /**
   * 1 follows the prompt as trained; more exaggerates it, at twice the cost. Default {@link DEFAULT_GUIDANCE} where the
   * model reads prompts, else 1.
   */
  readonly guidance?: number | Guidance;
  /** Leads away from a weaker model, at its cost. Default of `guidance` is then 1; both together are possible. */
  readonly autoguidance?: Autoguidance;
  /** Default `euler`. */
  readonly sampler?: Sampler | string;
  /** Default: what the model's index says. */
  readonly routing?: RoutingPolicy | string;
  /** A picture to start from, of the model's size; a list has one for each picture. */
  readonly image?: RgbImage | readonly RgbImage[];
  /**
   * How much of `image` is drawn again: the share of the steps that is taken, at its end, one at least. More than 0, and less
   * than 1 unless there is a mask; of a single step none can be left out, so it needs a mask too. Default 0.8, with a mask 1.
   */
  readonly strength?: number;
  /** Which part of `image` is drawn again. The pixels of the other part are those of `image`, exactly. */
  readonly mask?: MaskImage;
  /** Pictures like picture 0 of the seed. */
  readonly variation?: Variation;
  /** Pictures on the way from one prompt, one seed, or both, to others. */
  readonly interpolate?: Interpolation;
  /** Adds entropy, near-ties, the experts' disagreement and milliseconds to `routing`; costs a little. Default false. */
  readonly telemetry?: boolean;
  /** Pictures at once. Default 16. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** After each step of each batch; a promise is waited for. */
  readonly onStep?: (event: StepEvent) => void | Promise<void>;
}

/**
 * How exact a preview is: `full` by the model's codec; `projection`, latents' colours by a linear map, a pixel for each; or by a
 * decoder of one's own, [B, C, h, w] → [B, 3, H, W] in [−1, 1], such as a tiny autoencoder's (see `pictureDecoder`).
 */
export type PreviewTier = 'full' | 'projection' | ((latents: Tensor) => Promise<Tensor>);

/** What is known after a step of a batch. */
export interface StepEvent {
  /** 0 for the first step. */
  readonly step: number;
  readonly steps: number;
  /** Where the latents are now: 1 is noise, 0 data. */
  readonly time: number;
  /** Index of the first picture of this batch, and how many there are in it. */
  readonly firstImage: number;
  readonly images: number;
  /** By picture of the batch: what was decided for this step. */
  readonly routing: readonly (readonly RoutingRecord[])[];
  /** After the last step: the batch's pictures. */
  readonly finished?: readonly RgbImage[];
  /**
   * x̂₀ as pictures; only until the next step begins. The first `projection` of a pipeline decodes once, to fit its map.
   * @throws ValueError for another tier
   */
  preview(tier?: PreviewTier): Promise<RgbImage[]>;
}

/** Pictures, and which experts drew them. */
export interface Generated {
  /** All pictures of the first prompt, then of the second, … Each knows how it was made. */
  readonly images: readonly RgbImage[];
  /** The prompt of each picture; of a model that takes classes, the class as it was asked for. */
  readonly prompts: readonly string[];
  /** By picture, then by model evaluation: probabilities and weights. With `interpolate.prompt` those of the first prompt. */
  readonly routing: readonly (readonly RoutingRecord[])[];
  /**
   * How many times each expert has run a picture, [K]. Guidance runs each twice and counts once; with `interpolate.prompt` both
   * prompts count.
   */
  readonly expertPictures: readonly number[];
}
