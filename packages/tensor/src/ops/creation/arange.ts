import { computeType, type DType, numeric, requireDType } from '../../graph/dtype.js';
import { checkShape } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp } from '../define/apply.js';
import { zeroGradient } from '../define/gradient.js';
import { pointwise } from '../define/kinds.js';

const op = pointwise<{ length: number; dtype: DType }>({
  name: 'arange',
  cost: 0,
  infer(_, { length, dtype }) {
    checkShape('arange', [length]);
    requireDType('arange', dtype, numeric);
    return [{ shape: [length], dtype }];
  },
  emit: ({ position, output }) => `${computeType(output.dtype)}(${position.linear})`,
  vjp: zeroGradient('arange has no inputs'),
});

/** 0, 1, …, length − 1. */
export const arange: WithOp<(length: number, dtype?: DType) => Tensor> = withOp(op, (length, dtype = 'i32') =>
  applyOp(op, [], { length, dtype }),
);
