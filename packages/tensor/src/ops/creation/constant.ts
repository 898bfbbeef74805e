import { type DType, floatLiteral, isFloat } from '../../graph/dtype.js';
import { checkShape, type Shape } from '../../graph/shape.js';
import { type WithOp, withOp } from '../../graph/with-op.js';
import { operand, type Tensor } from '../../tensor.js';
import { applyOp } from '../define/apply.js';
import { zeroGradient } from '../define/gradient.js';
import { pointwise } from '../define/kinds.js';
import { expand } from '../view/expand.js';

const op = pointwise<{ shape: Shape; dtype: DType; value: number }>({
  name: 'constant',
  cost: 0,
  infer(_, { shape, dtype }) {
    checkShape('constant', shape);
    return [{ shape, dtype }];
  },
  emit({ attributes: { value, dtype } }) {
    if (isFloat(dtype)) return floatLiteral(value);
    if (dtype === 'bool') return value ? 'true' : 'false';
    return `${value}${dtype === 'i32' ? 'i' : 'u'}`;
  },
  vjp: zeroGradient('a constant has no inputs'),
});

/** Zeros of a shape. They cost no memory where a kernel can write them in. */
export const zeros: WithOp<(shape: Shape, dtype?: DType) => Tensor> = withOp(op, (shape, dtype = 'f32') =>
  applyOp(op, [], { shape: [...shape], dtype, value: 0 }),
);

/** Ones of a shape. */
export function ones(shape: Shape, dtype: DType = 'f32'): Tensor {
  return applyOp(op, [], { shape: [...shape], dtype, value: 1 });
}

/**
 * A number that belongs to the formula, not to the data (an eps, a 1/n): it is compiled in, and equal ones are one. What is
 * not finite in f32 cannot be written in WGSL, and is an operand.
 */
export function literal(value: number): Tensor {
  if (!Number.isFinite(Math.fround(value))) return scalar(value);
  return applyOp(op, [], { shape: [], dtype: 'f32', value });
}

/** One number everywhere. The number is an operand: another one does not compile again. */
export function full(shape: Shape, value: number, dtype: DType = 'f32'): Tensor {
  return expand(scalar(value, dtype), shape);
}

/** A number as a tensor of shape []; what a compiled function takes instead of a plain number. */
export function scalar(value: number, dtype: DType = 'f32'): Tensor {
  return operand([value], [], dtype);
}
