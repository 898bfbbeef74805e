// Ops whose result has the elements of their first input.
import type { PointwiseOp } from '../../graph/op.js';
import type { Tensor } from '../../tensor.js';
import type { UnaryFunction } from '../define/elementwise.js';
import { applyOp, pointwise, type WithOp, withOp, zeroGradient } from '../define/op.js';

const unmoved: Pick<PointwiseOp, 'cost' | 'infer' | 'relate' | 'emit'> = {
  cost: 0,
  infer: ([x]) => [x!],
  relate: (relation) => relation,
  emit: ({ read }) => read(0),
};

/** The rules of an op whose result is its first input, in the same memory. */
const same: typeof unmoved & Pick<PointwiseOp, 'strided'> = { ...unmoved, strided: (window) => window };

const op = pointwise({ name: 'identity', ...same, vjp: ({ cotangent }) => [cotangent] });
const stopOp = pointwise({ name: 'stopGradient', ...same, vjp: zeroGradient('stopGradient ends it here') });
const barrierOp = pointwise({ name: 'barrier', waits: true, ...same, vjp: ({ cotangent }) => [cotangent] });

/** The same elements as a value of its own: transforms differentiate by it, clone() hands it out. */
export const identity: UnaryFunction = withOp(op, (x) => applyOp(op, [x]));

/** The same elements; no gradient passes. */
export const stopGradient: UnaryFunction = withOp(stopOp, (x) => applyOp(stopOp, [x]));

/** The same elements in memory of their own, not a window of another tensor's. The compiler inserts it where it must. */
export const copyOp: PointwiseOp = pointwise({ name: 'copy', ...unmoved, vjp: ({ cotangent }) => [cotangent] });

/**
 * x, but not before others are computed. What is made from it is not merged with what was made from x, so a value can be
 * computed a second time, late, instead of taking memory for long.
 */
export const barrier: WithOp<(x: Tensor, others: readonly Tensor[]) => Tensor> = withOp(barrierOp, (x, others) =>
  others.length === 0 ? x : applyOp(barrierOp, [x, ...others]),
);
