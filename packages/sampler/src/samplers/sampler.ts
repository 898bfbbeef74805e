/**
 * The contract between a sampler and what it samples from. Three things stay orthogonal: the path, the schedule (which
 * times) and the sampler (how to step). A sampler sees a `Denoiser` only; routing and guidance are inside it.
 */
import type { NoisePath } from '@paris/model';
import { type Tensor, ValueError } from '@paris/tensor';
import { checkTimes } from '../schedules/schedules.js';

/**
 * What a sampler needs of latents. A `Tensor` has it, and so may a plain vector: samplers are checked in float64.
 * `device.run` computes what is still lazy; without a device nothing is lazy.
 */
export interface Latents<Self> {
  readonly device?:
    | {
        /** Computes what is still lazy. */
        run(tree: Self): Promise<unknown>;
      }
    | undefined;
  /** this + other, elementwise, as a new value. */
  add(other: Self): Self;
  /** this · factor, as a new value. */
  mul(factor: number): Self;
  /** Gives the memory back; a plain vector does nothing. */
  dispose(): void;
}

/** What is known at one time: x̂₀, the data as far as it can be predicted, and dx/dt along the path. The caller owns both. */
export interface Denoised<L = Tensor> {
  readonly sample: L;
  readonly velocity: L;
}

/** A model of the whole mixture: routed and guided already. It leaves `latents` to the caller. */
export type Denoiser<L = Tensor> = (latents: L, time: number) => Promise<Denoised<L>>;

/** Which times to visit, on which path, and where randomness comes from. */
export interface SamplerOptions<L = Tensor> {
  /** Decreasing, from 1 (noise) to 0 (data): see `uniformTimes`. */
  readonly times: Float64Array;
  /** The path that is sampled on: the one whose velocity the denoiser gives. */
  readonly path: NoisePath;
  /**
   * For samplers that add noise: the `draw`-th of a step, of the latents' shape and variance 1, as `pictureNoise` gives it. The
   * sampler disposes of it.
   */
  readonly noise?: ((step: number, draw: number) => L) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** After one step. `latents` and `sample` live until the next `next()`; `clone()` keeps them. */
export interface SamplerStep<L = Tensor> {
  /** 0 for the first step. */
  readonly step: number;
  /** Where `latents` are now: times[step + 1]. */
  readonly time: number;
  readonly latents: L;
  /** x̂₀ as it was predicted at the beginning of the step: a preview. */
  readonly sample: L;
  /** Model evaluations of this step. */
  readonly evaluations: number;
}

/**
 * Goes from noise to data, one step at each `next()`. The initial latents stay the caller's. Leaving the loop, an error,
 * and an abort release everything that the sampler holds.
 * @throws ValueError for times that do not go down inside [0, 1]; the signal's reason when it is aborted
 */
export type Sampler = <L extends Latents<L> = Tensor>(
  denoiser: Denoiser<L>,
  latents: L,
  options: SamplerOptions<L>,
) => AsyncGenerator<SamplerStep<L>, void, undefined>;

/** What an earlier step found at its beginning. */
export interface EarlierStep<L = Tensor> extends Denoised<L> {
  readonly time: number;
}

/** What a step is given. */
export interface StepContext<L> {
  /** Asks the model. What it gives is disposed of after the step, or later where the sampler has a history. */
  evaluate(latents: L, time: number): Promise<Denoised<L>>;
  /** x at `time`; the loop's own. */
  readonly latents: L;
  readonly time: number;
  /** Lower than `time`. 0 in the last step of most schedules. */
  readonly nextTime: number;
  readonly path: NoisePath;
  /** What the steps before found at their beginnings, the latest first: as many as the sampler asked for, or there were. */
  readonly earlier: readonly EarlierStep<L>[];
  /** Fresh normal noise of the latents' shape: a pure function of seed, picture, step and how often it was asked for. */
  noise(): L;
}

/**
 * One step of a method: from `latents` at `time` to `nextTime`. It begins with an evaluation at `time`, and what it returns is
 * computed (see `realise`); the loop owns it.
 */
export type StepRule = <L extends Latents<L>>(at: StepContext<L>) => Promise<{ latents: L; sample: L }>;

/** What a method needs beyond its current step. */
export interface SamplerNeeds {
  /** How many earlier steps it looks back at. Default 0. */
  readonly history?: number;
}

/** A sampler from its step: times, abort, counting, history and ownership are the same for all. */
export function samplerOf(name: string, { history = 0 }: SamplerNeeds, rule: StepRule): Sampler {
  return async function* <L extends Latents<L>>(denoiser: Denoiser<L>, initial: L, options: SamplerOptions<L>) {
    const { times, path, signal } = options;
    checkTimes(name, times);
    const owned = new Set<L>();
    const keep = (kept: readonly (L | undefined)[]) => {
      for (const value of owned) {
        if (kept.includes(value)) continue;
        owned.delete(value);
        value.dispose();
      }
    };
    let [latents, earlier]: [L, EarlierStep<L>[]] = [initial, []];
    try {
      for (let step = 0; step + 1 < times.length; step++) {
        const [time, nextTime] = [times[step]!, times[step + 1]!];
        const found: EarlierStep<L>[] = [];
        const evaluate = async (latents: L, time: number) => {
          signal?.throwIfAborted();
          const { sample, velocity } = await denoiser(latents, time);
          owned.add(sample).add(velocity);
          found.push({ time, sample, velocity });
          return { sample, velocity };
        };
        let draws = 0;
        const noise = () => {
          const drawn = options.noise?.(step, draws++);
          if (drawn === undefined)
            throw new ValueError(name, 'it adds noise. Give the option noise, see pictureNoise.');
          owned.add(drawn);
          return drawn;
        };
        const next = await rule({ evaluate, latents, time, nextTime, path, earlier, noise });
        for (const value of [next.latents, next.sample]) if (value !== initial) owned.add(value);
        earlier = [found[0], ...earlier].filter((each) => each !== undefined).slice(0, history);
        keep([next.latents, next.sample, ...earlier.flatMap(({ sample, velocity }) => [sample, velocity])]);
        latents = next.latents;
        signal?.throwIfAborted();
        yield { step, time: nextTime, latents, sample: next.sample, evaluations: found.length };
      }
    } finally {
      keep([]);
    }
  };
}

/** Computes what is lazy. */
export async function realise<L extends Latents<L>>(latents: L): Promise<L> {
  await latents.device?.run(latents);
  return latents;
}
