import { DTypeError, ShapeError } from '../../errors.js';
import { zeroOf } from '../../graph/dtype.js';
import { showShape } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';
import { scatterAdd } from './scatter-add.js';

const op = pointwise({
  name: 'embedding',
  cost: 1,
  infer([table, ids]) {
    if (ids!.dtype !== 'u32')
      throw new DTypeError('embedding', `ids have dtype ${ids!.dtype}, not u32. Use cast('u32').`);
    if (table!.shape.length !== 2) {
      const got = showShape(table!.shape);
      throw new ShapeError('embedding', `the table is ${got} and must be [rows, width]. Reshape it.`);
    }
    return [{ shape: [...ids!.shape, table!.shape[1]!], dtype: table!.dtype }];
  },
  indices: ([table]) => ({ input: 1, below: table!.shape[0]! }),
  // An id beyond the table reads zeros, since a shader cannot throw: so the gradient, which drops it, is exact.
  emit({ read, position, inputs, output, name }) {
    const [table, ids] = inputs;
    const [count = 0] = table!.shape;
    const c = position.coordinates;
    if (count === 0) return zeroOf(output.dtype);
    const id = read(1, position.moved(ids!.shape, c.slice(0, -1)));
    const row = name(`min(${id}, ${count - 1}u)`);
    const value = read(0, position.moved(table!.shape, [row, c[c.length - 1]!]));
    return `select(${zeroOf(output.dtype)}, ${value}, ${id} < ${count}u)`;
  },
  vjp: ({ inputs: [table, ids], cotangent }) => [scatterAdd(cotangent, ids!, table!.shape[0]!), undefined],
});

/**
 * Rows of a table: table [V, D], ids u32 […] → […, D]. An id from V up gives zeros and gets no gradient; under
 * `device.debug` it is an IndexError.
 * @throws DTypeError if the ids are not u32; ShapeError if the table has not two axes
 */
export const embedding: WithOp<(table: Tensor, ids: Tensor) => Tensor> = withOp(op, (table, ids) =>
  applyOp(op, [table, ids]),
);
