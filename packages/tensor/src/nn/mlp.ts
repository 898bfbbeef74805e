import { gelu } from '../ops/activation/activations.js';
import type { Tensor } from '../tensor.js';
import { type LinearParams, linear, linearParameters } from './linear.js';
import type { ParameterTable } from './parameters.js';

/** The keys of torch's Sequential(Linear, GELU, Linear): an activation at place 1 has no parameters. */
export interface MlpParams {
  readonly 0: LinearParams;
  readonly 2: LinearParams;
}

/** linear → activation → linear, [..., d] → [..., d]. The activation is GELU (tanh form) unless another one is given. */
export function mlp(params: MlpParams, x: Tensor, activation: (x: Tensor) => Tensor = gelu): Tensor {
  return linear(params[2], activation(linear(params[0], x)));
}

/** The parameters of an MLP with one hidden layer under `name`. */
export function mlpParameters(name: string, d: number, hidden: number): ParameterTable {
  return { ...linearParameters(`${name}.0`, d, hidden), ...linearParameters(`${name}.2`, hidden, d) };
}
