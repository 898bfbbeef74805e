import { layerNorm as normalise, type Tensor } from '../index.js';
import { ones, zeros } from './initialisers.js';
import type { ParameterTable } from './parameters.js';

export interface LayerNormParams {
  /** [d] */
  readonly weight: Tensor;
  /** [d] */
  readonly bias: Tensor;
}

/** Layer normalisation over the last axis with learned scale and shift, [..., d] → [..., d]. https://arxiv.org/abs/1607.06450 */
export function layerNorm(params: LayerNormParams, x: Tensor, { eps = 1e-5 } = {}): Tensor {
  return normalise(x, { weight: params.weight, bias: params.bias, eps });
}

/** The parameters of a layer norm under `name`: it starts without effect. */
export function layerNormParameters(name: string, d: number): ParameterTable {
  return { [`${name}.weight`]: { shape: [d], initialise: ones }, [`${name}.bias`]: { shape: [d], initialise: zeros } };
}
