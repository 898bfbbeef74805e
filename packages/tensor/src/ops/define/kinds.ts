// The kinds of ops, with gradients and parts written in operations of tensors.
import { type DType, requireDType } from '../../graph/dtype.js';
import type { Attributes, Type } from '../../graph/node.js';
import type {
  CompositeOp,
  Decompose,
  NoGradient,
  PackOp,
  PointwiseOp,
  ReduceOp,
  TiledOp,
  Vjp,
} from '../../graph/op.js';
import { type GradientRule, type Parts, partsOf, pull } from './gradient.js';

/** How an op of this kind is written down. `A` is what its attributes hold: its rules see it, the graph does not. */
type Written<O, A, Replaced extends string = never> = Omit<O, 'kind' | 'vjp' | Replaced> & {
  readonly vjp: GradientRule<A> | NoGradient;
};

export function pointwise<A = Attributes>({ vjp, ...rules }: Written<PointwiseOp<A>, A>): PointwiseOp {
  return { kind: 'pointwise', ...rules, vjp: vjpOf(vjp) } as PointwiseOp;
}

export function reduction<A = Attributes>({ vjp, ...rules }: Written<ReduceOp<A>, A>): ReduceOp {
  return { kind: 'reduce', ...rules, vjp: vjpOf(vjp) } as ReduceOp;
}

export function tiled<A = Attributes>({
  vjp,
  reference,
  ...rules
}: Written<TiledOp<A>, A, 'reference'> & {
  /** The same in plain operations: see {@link TiledOp}. */
  readonly reference?: Parts<A>;
}): TiledOp {
  const meaning = reference && { reference: decomposeOf(reference) };
  return { kind: 'tiled', ...rules, ...meaning, vjp: vjpOf(vjp) } as TiledOp;
}

/** An op written in other ops; its types are those of its parts. */
export function composite<A = Attributes>({
  vjp,
  decompose,
  ...rules
}: Written<CompositeOp<A>, A, 'decompose'> & { readonly decompose: Parts<A> }): CompositeOp {
  return { kind: 'composite', ...rules, decompose: decomposeOf(decompose), vjp: vjpOf(vjp) } as CompositeOp;
}

export function packing({ vjp, ...rules }: Written<PackOp, Attributes>): PackOp {
  return { kind: 'pack', ...rules, vjp: vjpOf(vjp) };
}

// Only what is called when an op is applied may be imported from the circle of tensor.ts and ops: see circle.test.ts.

function vjpOf<A>(rule: GradientRule<A> | NoGradient): Vjp<A> | NoGradient {
  return typeof rule === 'function' ? (context) => pull(rule, context) : rule;
}

function decomposeOf<A>(parts: Parts<A>): Decompose<A> {
  return (inputs, attributes) => partsOf(parts, inputs, attributes);
}

/** The type rule of an op whose result is like its first input, which has one of these dtypes. */
export function sameType(name: string, dtypes: readonly DType[]): (inputs: readonly Type[]) => Type[] {
  return ([x]) => {
    requireDType(name, x!.dtype, dtypes);
    return [x!];
  };
}
