import { embedding as rowsAt } from '../ops/index/indices.js';
import type { Tensor } from '../tensor.js';
import { type Initialiser, normal } from './initialisers.js';
import type { ParameterTable } from './parameters.js';

/** weight [rows, width]: a vector for each id. */
export interface EmbeddingParams {
  /** [count, d] */
  readonly weight: Tensor;
}

/** Rows of a learned table: ids u32 […] → […, d]. */
export function embedding(params: EmbeddingParams, ids: Tensor): Tensor {
  return rowsAt(params.weight, ids);
}

/** The parameters of an embedding under `name`, by default drawn with deviation 0.02 as in DiT. */
export function embeddingParameters(
  name: string,
  count: number,
  d: number,
  weight: Initialiser = normal(0.02),
): ParameterTable {
  return { [`${name}.weight`]: { shape: [count, d], initialise: weight } };
}
