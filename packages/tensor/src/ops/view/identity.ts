import type { Relation } from '../../compile/position.js';
import type { Type } from '../../graph/node.js';
import type { Strided } from '../../graph/strided.js';
import { applyOp, pointwise, type UnaryFunction, withOp, zeroGradient } from '../define.js';
import type { EmitContext, PointwiseOp } from '../op.js';

const unmoved = {
  cost: 0,
  infer: ([x]: readonly Type[]) => [x!],
  relate: (relation: Relation) => relation,
  emit: ({ read }: EmitContext) => read(0),
};

const same = { ...unmoved, strided: (window: Strided) => window };

const op = pointwise({ name: 'identity', ...same, vjp: ({ cotangent }) => [cotangent] });
const stopOp = pointwise({ name: 'stopGradient', ...same, vjp: zeroGradient('stopGradient ends it here') });

/** The same elements as a value of its own: transforms differentiate by it, clone() hands it out. */
export const identity: UnaryFunction = withOp(op, (x) => applyOp(op, [x]));

/** The same elements; no gradient passes. */
export const stopGradient: UnaryFunction = withOp(stopOp, (x) => applyOp(stopOp, [x]));

/** The same elements in memory of their own, no window of another tensor's. The compiler puts it where it must. */
export const copyOp: PointwiseOp = pointwise({ name: 'copy', ...unmoved, vjp: ({ cotangent }) => [cotangent] });
