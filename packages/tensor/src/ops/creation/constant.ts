// Tensors without inputs.
import { computeType, type DType, floatLiteral, isFloat, numeric, requireDType } from '../../graph/dtype.js';
import { checkShape, type Shape } from '../../graph/shape.js';
import { operand, type Tensor } from '../../tensor.js';
import { applyOp, pointwise, type WithOp, withOp, zeroGradient } from '../define/op.js';
import { expand } from '../view/views.js';

const constantOp = pointwise<{ shape: Shape; dtype: DType; value: number }>({
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
export const zeros: WithOp<(shape: Shape, dtype?: DType) => Tensor> = withOp(constantOp, (shape, dtype = 'f32') =>
  applyOp(constantOp, [], { shape: [...shape], dtype, value: 0 }),
);

/** Ones of a shape. */
export function ones(shape: Shape, dtype: DType = 'f32'): Tensor {
  return applyOp(constantOp, [], { shape: [...shape], dtype, value: 1 });
}

/**
 * A number that belongs to the formula, not to the data (an eps, a 1/n): it is compiled in, and equal ones are one. What is
 * not finite in f32 cannot be written in WGSL, and is an operand.
 */
export function literal(value: number): Tensor {
  if (!Number.isFinite(Math.fround(value))) return scalar(value);
  return applyOp(constantOp, [], { shape: [], dtype: 'f32', value });
}

/** One number everywhere. The number is an operand: another one does not compile again. */
export function full(shape: Shape, value: number, dtype: DType = 'f32'): Tensor {
  return expand(scalar(value, dtype), shape);
}

/** A number as a tensor of shape []; what a compiled function takes instead of a plain number. */
export function scalar(value: number, dtype: DType = 'f32'): Tensor {
  return operand([value], [], dtype);
}

const arangeOp = pointwise<{ length: number; dtype: DType }>({
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
export const arange: WithOp<(length: number, dtype?: DType) => Tensor> = withOp(arangeOp, (length, dtype = 'i32') =>
  applyOp(arangeOp, [], { length, dtype }),
);
