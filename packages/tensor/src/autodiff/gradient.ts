// Reverse mode, graph to graph: cotangents flow from the result to what it was made of, each op's vjp adding nodes.
import { TraceError, ValueError } from '../errors.js';
import { isFloat } from '../graph/dtype.js';
import { type Node, topologicalOrder, type Value } from '../graph/node.js';
import { showShape } from '../graph/shape.js';
import { ones, zeros } from '../ops/creation/constant.js';
import { identity } from '../ops/view/identity.js';
import { Tensor } from '../tensor.js';
import { flattenTree, mapTree } from '../tree.js';

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/** A function of parameters and other arguments, and its gradient by the parameters. */
export type Gradient<P, A extends readonly unknown[]> = (params: P, ...rest: A) => P;

/**
 * The gradient of a scalar function by every tensor of its first argument, as a tree of the same form.
 * @throws ValueError if the result is not a scalar; the gradient of integers and of what has none is an error.
 */
export function grad<P, A extends readonly unknown[]>(fn: (params: P, ...rest: A) => Tensor): Gradient<P, A> {
  const both = valueAndGrad(fn);
  return (params, ...rest) => both(params, ...rest)[1];
}

/** The value of a scalar function and its gradient, from one pass. */
export function valueAndGrad<P, A extends readonly unknown[]>(
  fn: (params: P, ...rest: A) => Tensor,
): (params: P, ...rest: A) => [Tensor, P];
/** The same for a function that returns [loss, something else]; the rest comes back beside the loss. */
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
    if (!isTensor(loss))
      throw new TraceError('grad', 'the function returned no tensor. Return the loss, or use hasAux.');
    if (loss.size !== 1) {
      throw new ValueError(
        'grad',
        `the result is ${showShape(loss.shape)} and must be one number. Use mean() or sum().`,
      );
    }
    return [result, pullBack(loss, ones(loss.shape), inputs)];
  };
}

/** The value of a function of any shape, and a function from its cotangent to the gradient. */
export function vjp<P>(fn: (params: P) => Tensor, params: P): { value: Tensor; pull(cotangent: Tensor): P } {
  const inputs = freshInputs(params);
  const value = fn(inputs);
  return { value, pull: (cotangent) => pullBack(value, cotangent, inputs) };
}

/** New values for the inputs, so that the gradient is by these and not by the same tensors used elsewhere. */
function freshInputs<P>(params: P): P {
  return mapTree(
    params,
    (tensor: Tensor, path) => {
      if (!isFloat(tensor.dtype)) {
        throw new ValueError(
          'grad',
          `parameter ${path || 'itself'} has dtype ${tensor.dtype}; only floats have gradients.`,
        );
      }
      return identity(tensor);
    },
    isTensor,
  ) as P;
}

function pullBack<P>(result: Tensor, cotangent: Tensor, inputs: P): P {
  const targets = new Set(flattenTree(inputs, isTensor).map(({ value }) => value.value));
  const order = topologicalOrder([result.value], (value) => targets.has(value));
  const active = activeValues(order, targets);
  const cotangents = new Map<Value, Tensor>([[result.value, cotangent]]);
  const wrap = (value: Value) => new Tensor(value, result.device);
  for (const node of order.reverse()) {
    if (!node.outputs.some((output) => active.has(output)) || !node.outputs.some((output) => cotangents.has(output)))
      continue;
    const { op } = node;
    if (typeof op.vjp !== 'function') {
      if (op.vjp.zero) continue;
      throw new ValueError('grad', `${op.name} has no gradient: ${op.vjp.none}.`);
    }
    const outputs = node.outputs.map(wrap);
    const given = node.outputs.map((output) => cotangents.get(output));
    const gradients = op.vjp({
      inputs: node.inputs.map(wrap),
      outputs,
      cotangents: given,
      cotangent: given[0] ?? zeros(node.outputs[0]!.shape),
      attributes: node.attributes,
      wants: (i) => active.has(node.inputs[i]!),
    });
    node.inputs.forEach((input, i) => {
      const gradient = gradients[i];
      if (!gradient || !active.has(input)) return;
      const known = cotangents.get(input);
      cotangents.set(input, known ? known.add(gradient) : gradient);
    });
  }
  return mapTree(
    inputs,
    (input: Tensor) => {
      const gradient = cotangents.get(input.value) ?? zeros(input.shape);
      return gradient.dtype === input.dtype ? gradient : gradient.cast(input.dtype);
    },
    isTensor,
  ) as P;
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
