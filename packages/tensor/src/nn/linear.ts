// A linear layer, with the shapes and initialisers of its weights. Everything else in this folder uses it.

import { ShapeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { type Initialiser, xavierUniform, zeros } from './initialisers.js';
import type { ParameterTable } from './parameters.js';

/** weight [outputs, inputs] and bias [outputs], as in torch. */
export interface LinearParams {
  /** [out, in], as in PyTorch. */
  readonly weight: Tensor;
  /** [out] */
  readonly bias?: Tensor;
}

/**
 * x · weightᵀ + bias over the last axis.
 * @param x - [..., in]; leading axes are flattened, so that it is one matrix product
 * @returns [..., out]
 * @throws ShapeError if the last axis of x is not the weight's second
 */
export function linear(params: LinearParams, x: Tensor): Tensor {
  const { weight, bias } = params;
  const width = x.shape.at(-1);
  if (width === undefined || weight.rank !== 2 || width !== weight.shape[1]) {
    const got = `x is [${x.shape}], the weight [${weight.shape}]`;
    throw new ShapeError('linear', `the weight is [out, in] and in must be the last size of x: ${got}.`);
  }
  const rows = x.reshape([-1, width]).matmul(weight.transpose()); // [rows, out]
  return (bias ? rows.add(bias) : rows).reshape([...x.shape.slice(0, -1), weight.shape[0]!]);
}

/** The parameters of a linear layer under `name`: by default Xavier weights and a zero bias. */
export function linearParameters(
  name: string,
  inputs: number,
  outputs: number,
  weight: Initialiser = xavierUniform,
): ParameterTable {
  return {
    [`${name}.weight`]: { shape: [outputs, inputs], initialise: weight },
    [`${name}.bias`]: { shape: [outputs], initialise: zeros },
  };
}
