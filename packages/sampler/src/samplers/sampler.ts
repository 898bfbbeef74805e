/**
 * The contract between a sampler and what it samples from. Three things stay orthogonal: the path, the schedule (which
 * times) and the sampler (how to step). A sampler sees a `Denoiser` only; routing and guidance are inside it.
 */
import type { Key, Tensor } from '@paris/tensor';
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

/** What is known at one time: x̂₀, the data as far as it can be told, and dx/dt along the path. The caller owns both. */
export interface Denoised<L = Tensor> {
  readonly sample: L;
  readonly velocity: L;
}

/** A model of the whole mixture: routed and guided already. It leaves `latents` to the caller. */
export type Denoiser<L = Tensor> = (latents: L, time: number) => Promise<Denoised<L>>;

/** Which times to visit, and where randomness comes from. */
export interface SamplerOptions {
  /** Decreasing, from 1 (noise) to 0 (data): see `uniformTimes`. */
  readonly times: Float64Array;
  /** For samplers that add noise; the deterministic ones leave it unused. */
  readonly key: Key;
  readonly signal?: AbortSignal | undefined;
}

/** After one step. `latents` and `sample` live until the next `next()`; `clone()` keeps them. */
export interface SamplerStep<L = Tensor> {
  /** 0 for the first step. */
  readonly step: number;
  /** Where `latents` stand now: times[step + 1]. */
  readonly time: number;
  readonly latents: L;
  /** x̂₀ as it was told at the beginning of the step: a preview. */
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
  options: SamplerOptions,
) => AsyncGenerator<SamplerStep<L>, void, undefined>;

/** One step of a method: from `latents` at `time` to `nextTime`. What it returns is computed and owned by the caller. */
export type StepRule = <L extends Latents<L>>(
  evaluate: (latents: L, time: number) => Promise<Denoised<L>>,
  latents: L,
  time: number,
  nextTime: number,
) => Promise<{ latents: L; sample: L }>;

/** A sampler from its step: times, abort, counting and ownership are the same for all. */
export function samplerOf(name: string, rule: StepRule): Sampler {
  return async function* <L extends Latents<L>>(denoiser: Denoiser<L>, initial: L, options: SamplerOptions) {
    const { times, signal } = options;
    checkTimes(name, times);
    let held: { latents: L; sample: L } | undefined;
    const release = () => {
      held?.latents.dispose();
      held?.sample.dispose();
      held = undefined;
    };
    try {
      for (let step = 0; step + 1 < times.length; step++) {
        let evaluations = 0;
        const scope: Denoised<L>[] = [];
        const evaluate = async (latents: L, time: number) => {
          signal?.throwIfAborted();
          const denoised = await denoiser(latents, time);
          scope.push(denoised);
          evaluations += 1;
          return denoised;
        };
        const next = await inScope(scope, () =>
          rule(evaluate, held?.latents ?? initial, times[step]!, times[step + 1]!),
        );
        release();
        held = next;
        signal?.throwIfAborted();
        yield { step, time: times[step + 1]!, ...held, evaluations };
      }
    } finally {
      release();
    }
  };
}

/** Computes what is lazy. */
export async function realise<L extends Latents<L>>(latents: L): Promise<L> {
  await latents.device?.run(latents);
  return latents;
}

/** Runs one step and then disposes of the evaluations it made, except for what it hands on. */
async function inScope<L extends Latents<L>>(
  scope: readonly Denoised<L>[],
  body: () => Promise<{ latents: L; sample: L }>,
): Promise<{ latents: L; sample: L }> {
  let kept: { latents: L; sample: L } | undefined;
  try {
    kept = await body();
    return kept;
  } finally {
    for (const { sample, velocity } of scope) {
      velocity.dispose();
      if (sample !== kept?.sample) sample.dispose();
    }
  }
}
