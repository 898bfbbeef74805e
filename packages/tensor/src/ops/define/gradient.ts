// Gradients and parts of ops as they are written down, in operations of tensors; the graph knows values only.
import type { Attributes, Value } from '../../graph/node.js';
import type { NoGradient, VjpContext } from '../../graph/op.js';
import { Tensor } from '../../tensor.js';
import { zeros } from '../creation/constant.js';

/** What a gradient is made of: see `VjpContext`. */
export interface GradientContext<A = Attributes> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** One for each output; undefined where the output has no influence on the result. */
  readonly cotangents: readonly (Tensor | undefined)[];
  /** The cotangent of the first output, zeros if it has none. */
  readonly cotangent: Tensor;
  readonly attributes: A;
  /** The gradient of operations that mean the same as the op: second gradients of kernels come this way. */
  pullThrough(meaning: Parts<A>): (Tensor | undefined)[];
}

/** One for each input, undefined for those that have none. */
export type GradientRule<A = Attributes> = (context: GradientContext<A>) => readonly (Tensor | undefined)[];

/** The results of an op in other ops. */
export type Parts<A = Attributes> = (inputs: readonly Tensor[], attributes: A) => readonly Tensor[];

/** A gradient that does not exist, and why. Asking for it is an error. */
export function none(reason: string): NoGradient {
  return { none: reason, zero: false };
}

/** A gradient that is zero wherever it is defined (comparisons, floor, integers): it ends the search. */
export function zeroGradient(reason: string): NoGradient {
  return { none: reason, zero: true };
}

/** Applies a gradient rule to values. */
export function pull<A>(
  rule: GradientRule<A>,
  { inputs, outputs, cotangents, attributes, pullThrough }: VjpContext<A>,
): readonly (Value | undefined)[] {
  const reached = cotangents.map(handleOf);
  const gradients = rule({
    inputs: inputs.map(handle),
    outputs: outputs.map(handle),
    cotangents: reached,
    cotangent: reached[0] ?? zeros(outputs[0]!.shape),
    attributes,
    pullThrough: (meaning) => pullThrough((parts, attributes) => partsOf(meaning, parts, attributes)).map(handleOf),
  });
  return gradients.map((gradient) => gradient?.value);
}

/** Parts of values. */
export function partsOf<A>(parts: Parts<A>, inputs: readonly Value[], attributes: A): readonly Value[] {
  return parts(inputs.map(handle), attributes).map(({ value }) => value);
}

function handle(value: Value): Tensor {
  return new Tensor(value, undefined);
}

function handleOf(value: Value | undefined): Tensor | undefined {
  return value && handle(value);
}
