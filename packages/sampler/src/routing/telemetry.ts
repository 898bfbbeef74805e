/**
 * What can be watched while a mixture samples, in addition to probabilities and weights: how sure the router is, whether
 * rounding could have chosen other experts, and how far the chosen ones disagree (the angular disagreement of Expert-Data
 * Alignment, arXiv 2602.02685).
 */
import type { RoutingPolicy, RoutingStep } from '@paris/router';
import type { Device, stack, Tensor } from '@paris/tensor';
import type { ExpertLoad } from '../residency/shelf.js';
import type { ExpertBatch } from './assignment.js';

/** Of one picture at one model evaluation. */
export interface RoutingTelemetry {
  /** −Σ_k p_k ln p_k of the router's probabilities, in nats: 0 if it is sure, ln K if all experts are alike to it. */
  readonly entropy: number;
  /** Whether rounding could have chosen other experts: others would run if one logit of the router moved by 0.001. */
  readonly nearTie: boolean;
  /**
   * Cosines between the velocities of the experts that ran for this picture, guided and on the sampler's path: [K, K],
   * row by row. NaN where one of both did not run, or answered nothing but zeros.
   */
  readonly cosines: Float32Array;
  /**
   * From the call to the device's answer, for the whole batch: router, experts, and the telemetry itself. The first
   * evaluations also compile.
   */
  readonly milliseconds: number;
  /** Where experts come and go: what the evaluation brought to the device, for the whole batch. */
  readonly swaps?: Swaps | undefined;
}

/** Experts that had to be brought. */
export interface Swaps {
  readonly loads: number;
  /** How many experts left for them. */
  readonly evictions: number;
  /** Bytes that were uploaded. */
  readonly bytes: number;
  /** Time that it took, part of the evaluation's. */
  readonly milliseconds: number;
}

/**
 * A difference of logits that is taken for rounding: adapters sum in different orders, and weights stored as f16 move
 * logits by about as much.
 */
const tieMargin = 1e-3;

/** What the mixture did at one evaluation. */
export interface Evaluated {
  readonly routing: RoutingPolicy;
  /** By picture. */
  readonly decisions: readonly { probabilities: Float32Array; weights: Float32Array; at: RoutingStep }[];
  readonly batches: readonly ExpertBatch[];
  /** What each batch answered. */
  readonly parts: readonly { readonly velocity: Tensor }[];
  /** Experts that were brought, where they come and go. */
  readonly swaps: readonly ExpertLoad[] | undefined;
  /** By `performance.now()`. */
  readonly began: number;
}

/**
 * Measures evaluations: a record for each picture. Loaded where it is asked for: `stack` is handed over, so that bundlers need
 * no chunk for what this shares with the rest.
 */
export function telemetryMeter(
  device: Device,
  stackTensors: typeof stack,
): (evaluated: Evaluated) => Promise<RoutingTelemetry[]> {
  const measureCosines = cosineMeter(device, stackTensors);
  return async ({ routing, decisions, batches, parts, swaps, began }) => {
    const velocities = parts.map(({ velocity }) => velocity);
    const weights = decisions.map((decision) => decision.weights);
    const cosines = await measureCosines(velocities, batches, weights);
    const milliseconds = performance.now() - began;
    return decisions.map(({ probabilities, weights, at }, i) => ({
      entropy: entropyOf(probabilities),
      nearTie: isNearTie(routing, probabilities, at, weights),
      cosines: cosines[i]!,
      milliseconds,
      ...(swaps && { swaps: swapsOf(swaps) }),
    }));
  };
}

function swapsOf(loads: readonly ExpertLoad[]): Swaps {
  const total = (of: (load: ExpertLoad) => number) => loads.reduce((sum, load) => sum + of(load), 0);
  return {
    loads: loads.length,
    evictions: total(({ evictions }) => evictions),
    bytes: total(({ bytes }) => bytes),
    milliseconds: total(({ milliseconds }) => milliseconds),
  };
}

/** −Σ p ln p, in nats; 0 ln 0 = 0. */
export function entropyOf(probabilities: Float32Array): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}

/**
 * Whether another set of experts would run if the router's logit of any one expert were larger or smaller by `margin`.
 * Asks the policy 2 K times, so it holds for every policy that is a function of its arguments.
 * @param weights - what the policy answered for `probabilities`
 */
export function isNearTie(
  routing: RoutingPolicy,
  probabilities: Float32Array,
  at: RoutingStep,
  weights: Float32Array,
  margin: number = tieMargin,
): boolean {
  const differs = (expert: number, shift: number) =>
    routing(nudged(probabilities, expert, shift), at).some((weight, k) => weight > 0 !== weights[k]! > 0);
  return probabilities.some((_, expert) => differs(expert, margin) || differs(expert, -margin));
}

/** Probabilities with one logit shifted: its probability times e^shift, and all of them renormalised. */
function nudged(probabilities: Float32Array, expert: number, shift: number): Float32Array {
  const moved = probabilities[expert]! * Math.exp(shift);
  const total = 1 + moved - probabilities[expert]!;
  return probabilities.map((p, k) => (k === expert ? moved : p) / total);
}

/**
 * Pairwise cosines for each picture, [K, K], by one plan for each number of experts that ran: stack, scale, multiply.
 * @param velocities - weighted and in their places, [B, C, H, W], one for each of `batches`
 */
export type MeasureCosines = (
  velocities: readonly Tensor[],
  batches: readonly ExpertBatch[],
  weights: readonly Float32Array[],
) => Promise<Float32Array[]>;

export function cosineMeter(device: Device, stackTensors: typeof stack): MeasureCosines {
  const grams = device.compile((velocities: readonly Tensor[], scale: Tensor) => {
    const [B, n] = scale.shape as [number, number];
    const rows = stackTensors(
      velocities.map((velocity) => velocity.reshape([B, -1])),
      1,
    ); // [B, n, D]
    const unweighted = rows.mul(scale.reshape([B, n, 1])); // a weight of 1e-20 squared would be 0
    return unweighted.matmul(unweighted.transpose()); // [B, n, n]
  });
  return async (velocities, batches, weights) => {
    const [B, n, K] = [weights.length, batches.length, weights[0]!.length];
    const inverse = weights.flatMap((row) => batches.map(({ expert }) => (row[expert]! > 0 ? 1 / row[expert]! : 0)));
    const scale = device.tensor(Float32Array.from(inverse), { shape: [B, n] });
    const answer = await grams(velocities, scale).finally(() => scale.dispose());
    const all = (await answer.read().finally(() => answer.dispose())) as Float32Array;
    return weights.map((_, picture) => {
      const gram = all.subarray(picture * n * n, (picture + 1) * n * n);
      const cosines = new Float32Array(K * K).fill(Number.NaN);
      for (const [i, { expert: row }] of batches.entries()) {
        for (const [j, { expert: column }] of batches.entries()) {
          const lengths = Math.sqrt(gram[i * n + i]! * gram[j * n + j]!);
          if (lengths > 0) cosines[row * K + column] = Math.max(-1, Math.min(1, gram[i * n + j]! / lengths));
        }
      }
      return cosines;
    });
  };
}
