// How a network is conditioned on the time: sines and cosines of it, then a small MLP.
import { arange, concat, cos, exp, floor, hostLog, silu, sin, type Tensor } from '@paris/tensor';
import type { ParameterTable } from '@paris/tensor/nn';
import { linearParameters, type MlpParams, mlp, normal } from '@paris/tensor/nn';

/** Width of the sinusoidal features in front of the MLP, in DiT and in the released checkpoints. */
const FEATURES = 256;

/**
 * Cosines, then sines, of t · 10000^(−i / (dimension / 2)). https://arxiv.org/abs/1706.03762, §3.5
 * Angles are f32: at t = 1000 they, and with them the result, are good to about 2e-4.
 * @param t - f32 [B], usually up to 1000
 * @param dimension - width of the result; even
 * @returns [B, dimension]
 */
export function timestepEmbedding(t: Tensor, dimension: number = FEATURES): Tensor {
  const half = dimension / 2;
  const frequencies = exp(arange(half, 'f32').mul(-hostLog(10_000) / half)); // [dimension / 2]
  const angles = t.reshape([-1, 1]).mul(frequencies); // [B, dimension / 2]
  return concat([cos(angles), sin(angles)], -1);
}

/** How a time in [0, 1] becomes the number that the network takes. */
export interface TimeScaling {
  /** The network sees timeScale · t for t in [0, 1]. The released checkpoints: 1000. */
  readonly timeScale: number;
  /** 'nearest' rounds to whole steps; with timeScale 999 that is the HDDM paper's round(999 t). */
  readonly timeRounding: 'none' | 'nearest';
}

/** Time in [0, 1] → the steps that a network was trained on, [B] → [B]. */
export function timeSteps(time: Tensor, { timeScale, timeRounding }: TimeScaling): Tensor {
  const steps = time.mul(timeScale);
  return timeRounding === 'nearest' ? floor(steps.add(0.5)) : steps;
}

/** Two linear layers with SiLU between them. */
export interface TimeEmbedParams {
  readonly mlp: MlpParams;
}

/** Sinusoidal features → linear → SiLU → linear, steps f32 [B] → f32 [B, d], also with weights in f16. */
export function timeEmbed(params: TimeEmbedParams, steps: Tensor): Tensor {
  return mlp(params.mlp, timestepEmbedding(steps), silu);
}

/** The parameters of a time embedding under `name`, drawn with deviation 0.02 as in DiT. */
export function timeEmbedParameters(name: string, d: number): ParameterTable {
  return {
    ...linearParameters(`${name}.mlp.0`, FEATURES, d, normal(0.02)),
    ...linearParameters(`${name}.mlp.2`, d, d, normal(0.02)),
  };
}
