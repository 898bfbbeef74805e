import { arange, concat, cos, exp, hostLog, ShapeError, sin, type Tensor } from '@paris/tensor';

/**
 * Fixed two-dimensional positions as in MAE and DiT (`get_2d_sincos_pos_embed`): of each token's d numbers the first
 * half encodes the column, the second the row; each half is sines, then cosines, of position · 10000^(−i / (d/4)).
 * @returns [height · width, d]
 * @throws ShapeError if d is not a multiple of 4
 */
export function sinCosPositions2d(d: number, height: number, width: number): Tensor {
  if (d % 4 !== 0) throw new ShapeError('sinCosPositions2d', `the width must be a multiple of 4, got ${d}.`);
  const columns = encode(width, d / 4)
    .reshape([1, width, d / 2])
    .expand([height, width, d / 2]);
  const rows = encode(height, d / 4)
    .reshape([height, 1, d / 2])
    .expand([height, width, d / 2]);
  return concat([columns, rows], -1).reshape([height * width, d]);
}

/** Positions 0 … n−1 → [n, 2 · waves]. */
function encode(n: number, waves: number): Tensor {
  const frequencies = exp(arange(waves, 'f32').mul(-hostLog(10_000) / waves)); // [waves]
  const angles = arange(n, 'f32').reshape([n, 1]).mul(frequencies); // [n, waves]
  return concat([sin(angles), cos(angles)], -1);
}
