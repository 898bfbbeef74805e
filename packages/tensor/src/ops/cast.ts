import { computeType, type DType, isFloat } from '../graph/dtype.js';
import type { Tensor } from '../tensor.js';
import { applyOp, pointwise, requireTensor, type WithOp, withOp } from './define/op.js';

const op = pointwise<{ readonly dtype: DType }>({
  name: 'cast',
  cost: 0,
  infer: ([x], { dtype }) => [{ shape: x!.shape, dtype }],
  // To bool: x ≠ 0. Narrowing to f16 happens when the element is stored.
  emit({ read, inputs, output }) {
    const from = computeType(inputs[0]!.dtype);
    const to = computeType(output.dtype);
    return from === to ? read(0) : `${to}(${read(0)})`;
  },
  relate: (relation) => relation,
  vjp: ({ inputs, cotangent }) => [isFloat(inputs[0]!.dtype) ? cotangent.cast(inputs[0]!.dtype) : undefined],
});

/**
 * The elements in another dtype. Floats become integers by dropping the fraction, numbers become bool by x ≠ 0, bool
 * becomes 0 or 1. Floats that the integer dtype does not hold are undefined: WGSL takes the nearest number that it does, but
 * adapters disagree on which f32 that is, and NaN becomes anything.
 */
export const cast: WithOp<(x: Tensor, dtype: DType) => Tensor> = withOp(op, (x, dtype) =>
  requireTensor('cast', x).dtype === dtype ? x : applyOp(op, [x], { dtype }),
);
