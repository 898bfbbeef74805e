// Reverse mode, graph to graph: cotangents flow from the result back to its inputs, and each op's vjp adds nodes.
import { ShapeError, TraceError, ValueError } from '../errors.js';
import { isFloat } from '../graph/dtype.js';
import { type Node, topologicalOrder, type Value } from '../graph/node.js';
import type { Decompose, VjpContext } from '../graph/op.js';
import { sameShape, showShape } from '../graph/shape.js';
import { ones, zeros } from '../ops/creation/constant.js';
import { requireTensor } from '../ops/define/op.js';
import { identity } from '../ops/view/identity.js';
import { isLeafTensor, type Tensor, tensorOf } from '../tensor.js';
import { flattenTree, mapTree } from '../tree.js';

/** A function of parameters and other arguments, with its gradient with respect to the parameters. */
export type Gradient<P, A extends readonly unknown[]> = (params: P, ...rest: A) => P;

/**
 * The gradient of a scalar function with respect to every tensor of its first argument, as a tree of the same structure.
 * @throws ValueError if the result is not a scalar, or no float; the gradient of integers and of what has none is an error.
 */
export function grad<P, A extends readonly unknown[]>(fn: (params: P, ...rest: A) => Tensor): Gradient<P, A> {
  const both = valueAndGrad(fn);
  return (params, ...rest) => both(params, ...rest)[1];
}

/** The value of a scalar function and its gradient, from one pass. */
export function valueAndGrad<P, A extends readonly unknown[]>(
  fn: (params: P, ...rest: A) => Tensor,
): (params: P, ...rest: A) => [Tensor, P];
/** The same for a function that returns [loss, something else]; the second value is returned unchanged. */
export function valueAndGrad<P, A extends readonly unknown[], X>(
  fn: (params: P, ...rest: A) => [Tensor, X],
  options: { readonly hasAux: true },
): (params: P, ...rest: A) => [[Tensor, X], P];
export function valueAndGrad<P, A extends readonly unknown[], X>(
  fn: (params: P, ...rest: A) => Tensor | [Tensor, X],
  options: { readonly hasAux?: boolean } = {},
): (params: P, ...rest: A) => [Tensor | [Tensor, X], P] {
  return (params, ...rest) => {
    const inputs = freshInputs(params);
    const result = fn(inputs, ...rest);
    const loss = options.hasAux ? (result as [Tensor, X])[0] : (result as Tensor);
    if (!isLeafTensor(loss))
      throw new TraceError('grad', 'the function returned no tensor. Return the loss, or use hasAux.');
    requireFloat('grad', loss);
    if (loss.size !== 1) {
      const got = showShape(loss.shape);
      throw new ValueError('grad', `the result is ${got} and must be one number. Use mean() or sum().`);
    }
    return [result, pullBack(loss, inputs)(ones(loss.shape))];
  };
}

/**
 * The value of a function of any shape, and a function from its cotangent to the gradient.
 * @throws ValueError if the value is no float; ShapeError, when it is pulled, for a cotangent of another shape
 */
export function vjp<P>(
  fn: (params: P) => Tensor,
  params: P,
): {
  value: Tensor;
  /** From a cotangent of the value's shape to the gradient, a tree of the parameters' form. */
  pull(cotangent: Tensor): P;
} {
  const inputs = freshInputs(params);
  const value = fn(inputs);
  if (!isLeafTensor(value)) throw new TraceError('vjp', 'the function returned no tensor. Return one.');
  requireFloat('vjp', value);
  const pull = pullBack(value, inputs);
  return {
    value,
    pull(cotangent) {
      const { shape } = requireTensor('vjp', cotangent);
      if (sameShape(shape, value.shape)) return pull(cotangent);
      const both = `the cotangent is ${showShape(shape)} and the value ${showShape(value.shape)}`;
      throw new ShapeError('vjp', `${both}. Give one of the same shape.`);
    },
  };
}

/** Whole numbers do not change where a parameter changes a little: their gradient would be zeros. */
function requireFloat(tag: string, { dtype }: Tensor): void {
  if (isFloat(dtype)) return;
  throw new ValueError(tag, `the result has dtype ${dtype}; only floats have gradients. Return what it is made of.`);
}

/** New values for the inputs, so that the gradient is with respect to these, not to other uses of the same tensors. */
function freshInputs<P>(params: P): P {
  return mapTree(
    params,
    (tensor: Tensor, path) => {
      if (!isFloat(tensor.dtype)) {
        const got = `${path ? `parameter ${path}` : 'the parameter'} has dtype ${tensor.dtype}`;
        const hint = 'Cast it, or pass it as another argument';
        throw new ValueError('grad', `${got}; only floats have gradients. ${hint}.`);
      }
      return identity(tensor);
    },
    isLeafTensor,
  ) as P;
}

function pullBack<P>(result: Tensor, inputs: P): (cotangent: Tensor) => P {
  const list = flattenTree(inputs, isLeafTensor).map(({ value }) => value);
  const pull = pullback([result], list);
  return (cotangent) => {
    const gradients = pull([cotangent]);
    const found = new Map(list.map((input, i) => [input, gradients[i]]));
    // A gradient may be a constant, or absent: it still belongs to its parameter's device.
    const device = cotangent.device ?? result.device;
    const complete = (input: Tensor) => {
      const gradient = found.get(input) ?? zeros(input.shape, input.dtype);
      gradient.device ??= input.device ?? device;
      return gradient;
    };
    return mapTree(inputs, complete, isLeafTensor) as P;
  };
}

/**
 * From cotangents of results to those of inputs, undefined where there is none. The graph is walked
 * immediately, because values forget their inputs once they are computed.
 * @internal
 */
export function pullback(
  results: readonly Tensor[],
  inputs: readonly Tensor[],
): (cotangents: readonly (Tensor | undefined)[]) => (Tensor | undefined)[] {
  const targets = new Set<Value>(inputs);
  const order = topologicalOrder(results, (value) => targets.has(value));
  const active = activeValues(order, targets);
  order.reverse();
  const device = results.find((result) => result.device)?.device;
  return (given) => {
    const cotangents = new Map<Value, Tensor>();
    const add = (value: Value, cotangent: Tensor | undefined) => {
      if (!cotangent || !active.has(value)) return;
      // A cotangent is kept as its value is: f16 stays f16 where f32 came into the same expression.
      const fitting = cotangent.cast(value.dtype);
      const known = cotangents.get(value);
      cotangents.set(value, known ? known.add(fitting) : fitting);
    };
    results.forEach((result, i) => {
      add(result, given[i]);
    });
    for (const { op, inputs: sources, outputs, attributes } of order) {
      if (!outputs.some((output) => cotangents.has(output))) continue;
      if (typeof op.vjp !== 'function') {
        if (op.vjp.zero) continue;
        throw new ValueError('grad', `${op.name} has no gradient: ${op.vjp.none}.`);
      }
      for (const value of [...sources, ...outputs]) value.device ??= device;
      const reached = outputs.map((output) => cotangents.get(output));
      const cotangent = reached[0] ?? zeros(outputs[0]!.shape);
      const applied = { inputs: sources, outputs, cotangents: reached, cotangent, attributes };
      const gradients = op.vjp({ ...applied, pullThrough: (meaning) => pullThrough(meaning, applied) });
      for (const [i, gradient] of gradients.entries()) add(sources[i]!, gradient && tensorOf(gradient));
    }
    return inputs.map((input) => cotangents.get(input));
  };
}

/** The gradient of operations that mean the same as an op: what {@link VjpContext} offers. */
function pullThrough(
  meaning: Decompose,
  { inputs, cotangents, attributes }: Omit<VjpContext, 'pullThrough'>,
): (Tensor | undefined)[] {
  const fresh = inputs.map((input) => identity(tensorOf(input)));
  const results = meaning(fresh, attributes).map(tensorOf);
  return pullback(results, fresh)(cotangents.map((cotangent) => cotangent && tensorOf(cotangent)));
}

/** The values that depend on a target through floats. */
function activeValues(order: readonly Node[], targets: ReadonlySet<Value>): Set<Value> {
  const active = new Set(targets);
  for (const node of order) {
    const { op } = node;
    if (typeof op.vjp !== 'function' && op.vjp.zero) continue;
    if (!node.inputs.some((input) => active.has(input))) continue;
    for (const output of node.outputs) if (isFloat(output.dtype)) active.add(output);
  }
  return active;
}
