// Below the import cycle of tensor.ts and ops, so that it is loaded before either of them.
import type { Op } from './op.js';

/** A function of tensors with the op that it applies, for tests and for what treats an op in its own way. */
export type WithOp<F> = F & { readonly op: Op };

export function withOp<A extends unknown[], R>(op: Op, fn: (...args: A) => R): WithOp<typeof fn> {
  return Object.assign(fn, { op });
}
