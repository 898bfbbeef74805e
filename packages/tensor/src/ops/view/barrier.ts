import { type WithOp, withOp } from '../../graph/with-op.js';
import type { Tensor } from '../../tensor.js';
import { applyOp } from '../define/apply.js';
import { pointwise } from '../define/kinds.js';
import { same } from './identity.js';

const op = pointwise({ name: 'barrier', waits: true, ...same, vjp: ({ cotangent }) => [cotangent] });

/**
 * x, but not before others are computed. What is made from it is not merged with what was made from x, so a value can be
 * computed a second time, late, instead of taking memory for long.
 */
export const barrier: WithOp<(x: Tensor, others: readonly Tensor[]) => Tensor> = withOp(op, (x, others) =>
  others.length === 0 ? x : applyOp(op, [x, ...others]),
);
