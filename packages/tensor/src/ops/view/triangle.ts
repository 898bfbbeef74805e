import { ShapeError, ValueError } from '../../errors.js';
import { showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { arange } from '../creation/constant.js';
import { requireTensor } from '../define/op.js';
import { where } from '../where.js';

/**
 * The lower triangle of matrices [..., R, C], zeros elsewhere: elements whose column is at most their row plus `diagonal`.
 * @throws ShapeError for fewer than two axes; ValueError if the diagonal is not a whole number
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  const [rows, columns] = placesOf('tril', x, diagonal);
  return where(columns.lessEqual(rows), x, 0);
}

/**
 * The upper triangle of matrices [..., R, C], zeros elsewhere: elements whose column is at least their row plus `diagonal`.
 * @throws ShapeError for fewer than two axes; ValueError if the diagonal is not a whole number
 */
export function triu(x: Tensor, diagonal = 0): Tensor {
  const [rows, columns] = placesOf('triu', x, diagonal);
  return where(columns.greaterEqual(rows), x, 0);
}

/** Rows plus the diagonal [R, 1], and columns [1, C]. */
function placesOf(name: string, x: Tensor, diagonal: number): [Tensor, Tensor] {
  if (requireTensor(name, x).rank < 2) {
    throw new ShapeError(name, `x must be [..., R, C], got ${showShape(x.shape)}. Reshape it.`);
  }
  if (!Number.isInteger(diagonal)) throw new ValueError(name, `the diagonal is ${diagonal}. Give a whole number.`);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return [arange(rows).reshape([rows, 1]).add(diagonal), arange(columns).reshape([1, columns])];
}
