import { type DType, isFloat } from '../../graph/dtype.js';
import { checkShape, type Shape } from '../../graph/shape.js';
import { operand, type Tensor } from '../../tensor.js';
import { applyOp, pointwise, zeroGradient } from '../define.js';
import { expand } from '../view/expand.js';

const op = pointwise({
  name: 'constant',
  cost: 0,
  infer(_, { shape, dtype }) {
    checkShape('constant', shape as Shape);
    return [{ shape: shape as Shape, dtype: dtype as DType }];
  },
  emit({ attributes, output }) {
    if (output.dtype === 'bool') return attributes.value ? 'true' : 'false';
    return `${attributes.value}${isFloat(output.dtype) ? '.0f' : output.dtype === 'i32' ? 'i' : 'u'}`;
  },
  vjp: zeroGradient('a constant has no inputs'),
});

/** Zeros of a shape. They cost no memory where a kernel can write them in. */
export const zeros = Object.assign(
  (shape: Shape, dtype: DType = 'f32'): Tensor => applyOp(op, [], { shape: [...shape], dtype, value: 0 }),
  { op },
);

/** Ones of a shape. */
export function ones(shape: Shape, dtype: DType = 'f32'): Tensor {
  return applyOp(op, [], { shape: [...shape], dtype, value: 1 });
}

/** One number everywhere. The number is an operand: another one does not compile again. */
export function full(shape: Shape, value: number, dtype: DType = 'f32'): Tensor {
  return expand(scalar(value, dtype), shape);
}

/** A number as a tensor of shape []; what a compiled function takes instead of a plain number. */
export function scalar(value: number, dtype: DType = 'f32'): Tensor {
  return operand([value], [], dtype);
}
