/**
 * The routed mixture as one `Denoiser`: Σ_k w_k(x_t, t) · v_k(x_t, t), eq. 7 of Decentralized Diffusion Models
 * (arXiv 2501.05450). At each evaluation: router → probabilities to the host → policy → weights → the chosen experts on
 * the pictures that need them → weighted sum. Guidance is inside, expert by expert: its two sides share the weights, so
 * that is the same as guiding the mixture. (A router that reads prompts is asked with the prompt, once.)
 */
import type { Condition, NoisePath } from '@paris/model';
import type { RoutingPolicy, RoutingStep } from '@paris/router';
import { type Device, scalar, stack, type Tensor, ValueError } from '@paris/tensor';
import {
  type Guidance,
  type GuidanceTerms,
  guidanceOf,
  guidesAt,
  isGuided,
  type SettledGuidance,
  scaleAt,
} from '../guidance/guidance.js';
import { type ExpertLoad, type ExpertShelf, type LoadedExpert, residentShelf } from '../residency/shelf.js';
import { keyOfPicture, type PictureKeys } from '../samplers/noise.js';
import type { Denoised, Denoiser } from '../samplers/sampler.js';
import { assignBatch, checkWeights, type ExpertBatch } from './assignment.js';
import { type LoadedRouter, MixtureNetworks } from './networks.js';
import type { RoutingTelemetry, telemetryMeter } from './telemetry.js';

/** What was decided for one picture at one model evaluation. */
export interface RoutingRecord {
  readonly step: number;
  /** Which evaluation of the step, from 0. */
  readonly evaluation: number;
  readonly time: number;
  /** The router's answer, [K]; that of a single expert is 1. */
  readonly probabilities: Float32Array;
  /** The policy's answer, [K]. */
  readonly weights: Float32Array;
  /** Where it was asked for. */
  readonly telemetry?: RoutingTelemetry;
}

/** What one batch asks of the mixture: policy, randomness, condition and guidance. */
export interface MixtureRequest {
  readonly routing: RoutingPolicy;
  readonly key: PictureKeys;
  /** One row for each picture of the batch, on the device. Left out for experts without one. */
  readonly condition?: Condition | undefined;
  /** As many rows; needed for guidance other than 1. */
  readonly unconditional?: Condition | undefined;
  /** Default 1: the conditional prediction alone, at half the cost. A scale may be a list for the steps, and no function. */
  readonly guidance?: number | Guidance | undefined;
  /** Index of the batch's first picture, for policies and keys. Default 0. */
  readonly firstImage?: number | undefined;
  /**
   * Adds {@link RoutingTelemetry} to each record: a product of the experts' velocities and one more wait for the device
   * at each evaluation. Default false.
   */
  readonly telemetry?: boolean | undefined;
  /** Ends waiting for an expert's weights, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** One batch being sampled. */
export interface MixtureRun {
  readonly denoiser: Denoiser;
  /** Says which step the evaluations from now on belong to. */
  startStep(step: number): void;
  /** By picture of the batch, then by evaluation. */
  readonly records: readonly RoutingRecord[][];
  /** How many pictures each expert has run (without padding; guidance counts once), [K]. */
  readonly expertPictures: readonly number[];
}

/** A mixture that is ready to sample: its compiled functions are kept from one run to the next. */
export interface Mixture {
  /**
   * Begins a batch of so many pictures; nothing runs before the denoiser is called.
   * @throws ValueError for guidance other than 1 without both conditions.
   */
  start(batch: number, request: MixtureRequest): MixtureRun;
}

/**
 * Experts and router as one model.
 * @param options.experts - with their weights, or a shelf that brings those when they are wanted. The pictures are the same.
 * @param options.path - the path that is sampled on and that the router was trained on; experts of other paths are
 *   asked at the time of equal log-SNR
 * @throws ValueError if there is no expert, several without a router, or a router of another K; for an unknown path
 */
export function mixture(options: {
  readonly device: Device;
  readonly experts: readonly LoadedExpert[] | ExpertShelf;
  readonly router?: LoadedRouter | undefined;
  readonly path: NoisePath;
  readonly paths?: readonly NoisePath[];
}): Mixture {
  const { device, router, path, paths = [] } = options;
  const shelf = 'acquire' in options.experts ? options.experts : residentShelf(options.experts);
  const networks = new MixtureNetworks(device, shelf.experts, router, path, paths);
  let meter: Promise<Meter> | undefined;
  const meterOf = () => (meter ??= import('./telemetry.js').then((chunk) => chunk.telemetryMeter(device, stack)));
  return { start: (batch, request) => new Run({ device, shelf, networks, meterOf }, batch, request) };
}

type Meter = ReturnType<typeof telemetryMeter>;

/** What all runs of a mixture share. */
interface Parts {
  readonly device: Device;
  readonly shelf: ExpertShelf;
  readonly networks: MixtureNetworks;
  /** The code that measures is loaded when it is first asked for. */
  meterOf(): Promise<Meter>;
}

/** What was decided for one picture, and where. */
interface Decision {
  readonly probabilities: Float32Array;
  readonly weights: Float32Array;
  readonly at: RoutingStep;
}

class Run implements MixtureRun {
  readonly records: RoutingRecord[][];
  readonly expertPictures: number[];
  private readonly guidance: SettledGuidance;
  private step = 0;
  private evaluation = 0;

  constructor(
    private readonly parts: Parts,
    batch: number,
    private readonly request: MixtureRequest,
  ) {
    const { condition, unconditional } = request;
    this.guidance = guidanceOf('guidance', request.guidance ?? 1);
    if (isGuided(this.guidance) && !(condition && unconditional)) {
      const what = `guidance ${this.guidance.scale} needs a prompt to be guided by`;
      throw new ValueError('guidance', `${what}. Give one, or guidance 1.`);
    }
    this.records = Array.from({ length: batch }, () => []);
    this.expertPictures = parts.shelf.experts.map(() => 0);
  }

  readonly startStep = (step: number): void => {
    [this.step, this.evaluation] = [step, 0];
  };

  readonly denoiser: Denoiser = async (latents, time) => {
    const began = performance.now();
    const { device, shelf, meterOf } = this.parts;
    const { routing, telemetry = false } = this.request;
    const terms = guidesAt(this.guidance, time, this.step) ? termsOf(this.guidance, this.step) : undefined;
    const decisions = await this.decide(latents, time);
    const batches = assignBatch(decisions.map(({ weights }) => weights));
    const parts: Denoised[] = []; // in the order of the experts, whatever the order in which they run
    const loads: ExpertLoad[] = [];
    let result: Denoised | undefined;
    try {
      for (const i of residentFirst(batches, shelf.resident)) {
        parts[i] = await this.ask(batches[i]!, latents, time, terms, loads);
      }
      result = await sum(device, parts);
      if (telemetry) {
        const swaps = shelf.residency && loads;
        const measured = await (await meterOf())({ routing, decisions, batches, parts, swaps, began });
        for (const [i, telemetry] of measured.entries()) {
          this.records[i]!.push({ ...this.records[i]!.pop()!, telemetry });
        }
      }
      return result;
    } finally {
      for (const part of Object.values(parts)) if (part !== result) release(part); // some may have not run
    }
  };

  /** Asks the router and the policy, and records what they said. */
  private async decide(latents: Tensor, time: number): Promise<Decision[]> {
    const { shelf, networks } = this.parts;
    const { routing, key, condition, firstImage = 0 } = this.request;
    const { step, evaluation } = this;
    const resident = shelf.residency && { resident: shelf.resident };
    const decisions = (await networks.probabilities(latents, time, condition)).map((probabilities, i) => {
      const imageIndex = firstImage + i;
      const previousWeights = this.records[i]!.at(-1)?.weights;
      const own = keyOfPicture(key, imageIndex).foldIn(step).foldIn(evaluation);
      const at = {
        ...{ imageIndex, step, evaluation, time, key: own },
        ...(previousWeights && { previousWeights }),
        ...resident,
      };
      // What a router answers to latents that are no numbers any more: its policy would be blamed for what an expert said.
      if (probabilities.some(Number.isNaN))
        throw new ValueError(
          'mixture',
          `picture ${imageIndex} is NaN in step ${step}. Give less guidance, or check the weights.`,
        );
      const weights = routing(probabilities, at);
      checkWeights(weights, shelf.experts.length, imageIndex);
      this.records[i]!.push({ step, evaluation, time, probabilities, weights });
      return { probabilities, weights, at };
    });
    this.evaluation += 1;
    return decisions;
  }

  /** Runs an expert on its pictures; if its weights had to be brought, `loads` says so. */
  private async ask(
    batch: ExpertBatch,
    latents: Tensor,
    time: number,
    guidance: GuidanceTerms | undefined,
    loads: ExpertLoad[],
  ): Promise<Denoised> {
    const { shelf, networks } = this.parts;
    const lease = await shelf.acquire(batch.expert, this.request.signal);
    if (lease.load) loads.push(lease.load);
    try {
      const part = await networks.predict(batch, lease.params, latents, time, this.request, guidance);
      this.expertPictures[batch.expert]! += batch.count;
      return part;
    } finally {
      lease.release();
    }
  }
}

/**
 * Places in the list, those of experts that are on the device first: the others would drive them out before their turn. All
 * pictures that an expert was brought for run at once.
 */
function residentFirst(batches: readonly ExpertBatch[], resident: ReadonlySet<number>): number[] {
  const isThere = (i: number) => Number(resident.has(batches[i]!.expert));
  return [...batches.keys()].sort((a, b) => isThere(b) - isThere(a)); // a stable sort
}

/** Guidance as inputs of a compiled function. */
function termsOf(guidance: SettledGuidance, step: number): GuidanceTerms {
  const { rescale, kind } = guidance;
  return { scale: scalar(scaleAt(guidance, step)), ...(rescale > 0 ? { rescale: scalar(rescale) } : {}), kind };
}

/** The parts' sum, computed; a single part is its own sum. */
async function sum(device: Device, parts: readonly Denoised[]): Promise<Denoised> {
  const total = parts.reduce((all, part) => ({
    sample: all.sample.add(part.sample),
    velocity: all.velocity.add(part.velocity),
  }));
  if (parts.length > 1) await device.run(total);
  return total;
}

function release({ sample, velocity }: Denoised): void {
  sample.dispose();
  velocity.dispose();
}
