// Saves memory at the cost of time: a function's intermediate values are recomputed for its gradient instead of kept.

import { isFloat } from '../graph/dtype.js';
import { topologicalOrder, type Value } from '../graph/node.js';
import { windowOf } from '../graph/strided.js';
import { applyAll, composite, type GradientContext } from '../ops/define/op.js';
import { barrier, identity } from '../ops/view/identity.js';
import { reapply, Tensor, tensorOf } from '../tensor.js';
import { flattenTree, mapTree } from '../tree.js';
import { pullback } from './gradient.js';

type Counts = { readonly results: number; readonly args: number };

// Inputs: the function's results, then their inputs: `args` arguments, and tensors from its closure.
const op = composite<Counts>({
  name: 'rematerialised',
  infer: (inputs, { results }) => inputs.slice(0, results),
  decompose: (inputs, { results }) => inputs.slice(0, results),
  vjp: backward,
});

/**
 * The same function, but a gradient keeps only its arguments: the values between arguments and results are computed a
 * second time when the gradient needs them. Wrap each block of a deep network in one, and a training step keeps one
 * tensor a block, for one more forward pass. Chen et al., "Training deep nets with sublinear memory cost",
 * https://arxiv.org/abs/1604.06174. Tensors that the function takes from its closure have their gradients, too, but
 * only what depends on an argument is recomputed.
 *
 *     const block = rematerialise((params: BlockParams, x: Tensor) => …);
 */
export function rematerialise<A extends readonly unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    const sources: Tensor[] = [];
    const fresh = new Set<Value>();
    const inner = mapTree(args, (leaf: unknown) => {
      if (!(leaf instanceof Tensor)) return leaf;
      sources.push(leaf);
      const copy = identity(leaf);
      fresh.add(copy);
      return copy;
    }) as unknown as A;
    const result = fn(...inner);
    const results = flattenTree(result).flatMap(({ value }) => (value instanceof Tensor ? [value] : []));
    const captured = capturedBy(results, fresh).map(tensorOf);
    const counts = { results: results.length, args: sources.length };
    const outputs = applyAll(op, [...results, ...sources, ...captured], counts);
    const outside = new Map(results.map((tensor, i) => [tensor, outputs[i]!]));
    return mapTree(result, (leaf: unknown) => (leaf instanceof Tensor ? outside.get(leaf) : leaf)) as R;
  };
}

/** The float tensors that a graph uses and that are not among its arguments. */
function capturedBy(results: readonly Tensor[], fresh: ReadonlySet<Value>): Value[] {
  const inside = new Set<Value>(fresh);
  const captured = new Set<Value>();
  const take = (value: Value) => {
    if (!inside.has(value) && isFloat(value.dtype) && !value.operand) captured.add(value);
  };
  for (const { inputs, outputs } of topologicalOrder(results)) {
    if (!inputs.some((input) => inside.has(input))) continue;
    for (const output of outputs) inside.add(output);
    for (const input of inputs) take(input);
  }
  for (const result of results) take(result);
  return [...captured];
}

/** Computes the inside again, from arguments that wait for the cotangents, and pulls these back through it. */
function backward({ inputs, cotangents, attributes }: GradientContext<Counts>): (Tensor | undefined)[] {
  const { results: count, args } = attributes;
  const [results, sources] = [inputs.slice(0, count), inputs.slice(count)];
  const waits = cotangents.flatMap((cotangent) => cotangent ?? []);
  const again = sources.map((source, i) => (i < args ? barrier(source, waits) : identity(source)));
  const copies = replay(results, new Map(sources.map((source, i) => [source, again[i]!])));
  const gradients = pullback(copies, again)(cotangents);
  // Later cotangents wait for all gradients of this block; otherwise recomputed values would live until the last of them.
  const ends = sources.map((source) => windowOf(source).base.node.op.kind === 'leaf');
  const waited = gradients.flatMap((gradient, i) => (gradient && ends[i] ? [gradient] : []));
  const ordered = gradients.map((gradient, i) => (gradient && !ends[i] ? barrier(gradient, waited) : gradient));
  return [...results.map(() => undefined), ...ordered];
}

/** The graph of some results with other values in place of some. */
function replay(results: readonly Tensor[], replaced: ReadonlyMap<Value, Value>): Tensor[] {
  const made = new Map(replaced);
  for (const node of topologicalOrder(results, (value) => replaced.has(value))) reapply(node, made);
  return results.map((result) => tensorOf(made.get(result) ?? result));
}
