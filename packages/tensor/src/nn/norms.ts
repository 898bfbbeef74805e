// The norms with learned scales and shifts. They start without effect.
import { groupNorm as groups, layerNorm as layer, type NormOptions, rmsNorm as rms } from '../ops/normalize/norms.js';
import type { Tensor } from '../tensor.js';
import { ones, zeros } from './initialisers.js';
import type { ParameterTable } from './parameters.js';

/** weight [d] and bias [d]. */
export interface LayerNormParams {
  /** [d] */
  readonly weight: Tensor;
  /** [d] */
  readonly bias: Tensor;
}
/** weight [d]; there is no bias. */
export type RmsNormParams = Pick<LayerNormParams, 'weight'>;
/** [C] each. */
export type GroupNormParams = LayerNormParams;

/** Layer normalisation over the last axis, [..., d] → [..., d]. https://arxiv.org/abs/1607.06450 */
export function layerNorm(params: LayerNormParams, x: Tensor, { eps }: Pick<NormOptions, 'eps'> = {}): Tensor {
  return layer(x, { weight: params.weight, bias: params.bias, eps });
}

/** Root mean square normalisation over the last axis, [..., d] → [..., d]. https://arxiv.org/abs/1910.07467 */
export function rmsNorm({ weight }: RmsNormParams, x: Tensor, { eps }: Pick<NormOptions, 'eps'> = {}): Tensor {
  return rms(x, { weight, eps });
}

/** Group normalisation of pictures, [B, C, …] → [B, C, …]. https://arxiv.org/abs/1803.08494 */
export function groupNorm(
  { weight, bias }: GroupNormParams,
  x: Tensor,
  { groups: count, eps }: { readonly groups: number; readonly eps?: number },
): Tensor {
  return groups(x, count, { weight, bias, eps });
}

/** The parameters of a layer norm under `name`. */
export function layerNormParameters(name: string, d: number): ParameterTable {
  return { ...rmsNormParameters(name, d), [`${name}.bias`]: { shape: [d], initialise: zeros } };
}

/** The parameters of an RMS norm under `name`. */
export function rmsNormParameters(name: string, d: number): ParameterTable {
  return { [`${name}.weight`]: { shape: [d], initialise: ones } };
}

/** The parameters of a group norm of so many channels under `name`. */
export const groupNormParameters: typeof layerNormParameters = layerNormParameters;
