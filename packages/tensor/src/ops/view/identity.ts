import type { PointwiseOp } from '../../graph/op.js';
import { withOp } from '../../graph/with-op.js';
import { applyOp } from '../define/apply.js';
import type { UnaryFunction } from '../define/elementwise.js';
import { zeroGradient } from '../define/gradient.js';
import { pointwise } from '../define/kinds.js';

const unmoved: Pick<PointwiseOp, 'cost' | 'infer' | 'relate' | 'emit'> = {
  cost: 0,
  infer: ([x]) => [x!],
  relate: (relation) => relation,
  emit: ({ read }) => read(0),
};

/** The rules of an op whose result is its first input, in the same memory. */
export const same: typeof unmoved & Pick<PointwiseOp, 'strided'> = { ...unmoved, strided: (window) => window };

const op = pointwise({ name: 'identity', ...same, vjp: ({ cotangent }) => [cotangent] });
const stopOp = pointwise({ name: 'stopGradient', ...same, vjp: zeroGradient('stopGradient ends it here') });

/** The same elements as a value of its own: transforms differentiate by it, clone() hands it out. */
export const identity: UnaryFunction = withOp(op, (x) => applyOp(op, [x]));

/** The same elements; no gradient passes. */
export const stopGradient: UnaryFunction = withOp(stopOp, (x) => applyOp(stopOp, [x]));

/** The same elements in memory of their own, not a window of another tensor's. The compiler inserts it where it must. */
export const copyOp: PointwiseOp = pointwise({ name: 'copy', ...unmoved, vjp: ({ cotangent }) => [cotangent] });
