import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';
import { same } from './identity.js';

const op = pointwise({ name: 'barrier', waits: true, ...same, vjp: ({ cotangent }) => [cotangent] });

/**
 * x, but not before others are computed; and what is made of it is not taken for what was made of x. So a value can be
 * computed a second time, late, where keeping it would take memory for long.
 */
export const barrier: WithOp<(x: Tensor, others: readonly Tensor[]) => Tensor> = withOp(op, (x, others) =>
  others.length === 0 ? x : applyOp(op, [x, ...others]),
);
