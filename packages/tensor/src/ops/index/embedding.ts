import { DTypeError, ShapeError } from '../../errors.js';
import { showShape } from '../../graph/shape.js';
import type { Tensor } from '../../tensor.js';
import { applyOp, pointwise, type WithOp, withOp } from '../define/define.js';
import { scatterAdd } from './scatterAdd.js';

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
  // An id beyond the table reads its last row: a shader cannot throw.
  emit({ read, position, inputs, name }) {
    const [table, ids] = inputs;
    const c = position.coordinates;
    const id = read(1, position.moved(ids!.shape, c.slice(0, -1)));
    const row = name(`min(${id}, ${Math.max(0, table!.shape[0]! - 1)}u)`);
    return read(0, position.moved(table!.shape, [row, c[c.length - 1]!]));
  },
  vjp: ({ inputs: [table, ids], cotangent }) => [scatterAdd(cotangent, ids!, table!.shape[0]!), undefined],
});

/** Rows of a table: table [V, D], ids u32 […] → […, D]. Ids from V up read row V − 1. */
export const embedding: WithOp<(table: Tensor, ids: Tensor) => Tensor> = withOp(op, (table, ids) =>
  applyOp(op, [table, ids]),
);
