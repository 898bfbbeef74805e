// The first passes, graph to graph: composites become their parts, identities are removed, neighbouring reshapes become one,
// equal nodes become one node, and long reductions run in two stages.
import { computeType, type DType } from '../graph/dtype.js';
import type { KernelAdapter } from '../graph/kernel.js';
import { type Attributes, type Node, topologicalOrder, type Value } from '../graph/node.js';
import type { CompositeOp, Op, ReduceOp } from '../graph/op.js';
import { type Shape, sameShape, sizeOf } from '../graph/shape.js';
import { multiply } from '../ops/arithmetic/arithmetic.js';
import { cast } from '../ops/cast.js';
import { zeros } from '../ops/creation/constant.js';
import { matmul } from '../ops/matmul/matmul.js';
import { copyOp, identity, stopGradient } from '../ops/view/identity.js';
import { expand, permute, reshape, stretchesNothing } from '../ops/view/views.js';
import { apply, tensorOf } from '../tensor.js';
import { adjoiningParts } from './adjoining.js';
import type { Passes } from './passes.js';

/** The simplified roots. Leaves stay the values they were. */
export function simplify(roots: readonly Value[], adapter: KernelAdapter, passes: Passes): Value[] {
  const replaced = new Map<Value, Value>();
  const known = new Map<string, readonly Value[]>();

  const make = (op: Op, inputs: readonly Value[], attributes: Attributes): readonly Value[] => {
    const key = `${identityOf(op)}|${inputs.map((input) => input.id).join()}|${JSON.stringify(attributes)}`;
    let outputs = passes.merge ? known.get(key) : undefined;
    if (!outputs) {
      outputs = apply(op, inputs, attributes);
      known.set(key, outputs);
    }
    for (const output of outputs) replaced.set(output, output);
    return outputs;
  };

  const rebuild = (node: Node): readonly Value[] => {
    const { op, attributes } = node;
    if (op.kind === 'leaf') return node.outputs;
    let inputs = node.inputs.map((input) => replaced.get(input)!);
    // These read buffers: an operand has none, and a part of a pack has only one place.
    if (op.kind === 'tiled') inputs = inputs.map((input) => (input.operand ? copied(input) : input));
    if (op.kind === 'pack') inputs = withMemory(passes.adjoin ? inputs.flatMap(adjoiningParts) : inputs);
    if (passes.foldViews && (op === identity.op || op === stopGradient.op)) return inputs;
    if (op.kind === 'composite') {
      const parts = partsOf(op, inputs, node);
      visit(parts);
      return parts.map((part) => replaced.get(part)!);
    }
    if (op === multiply.op && passes.foldViews) {
      const factor = factorOfOne(node.outputs[0]!, inputs as [Value, Value]);
      if (factor) return [factor];
    }
    if (op === reshape.op && passes.foldViews) return [reshaped(inputs[0]!, attributes.shape as Shape, make)];
    if (op === expand.op && passes.foldViews) return [expanded(inputs[0]!, attributes.shape as Shape, make)];
    if (op === permute.op && passes.transposeProducts) {
      const product = transposedProduct(node, users, inputs[0]!, make);
      if (product) return [product];
    }
    if (op.kind === 'reduce' && passes.stageReductions) return [reduced(op, inputs[0]!, attributes, adapter, make)];
    return make(op, inputs, attributes);
  };

  const users = new Map<Value, number>();
  const visit = (targets: readonly Value[]): void => {
    const order = topologicalOrder(targets, (value) => replaced.has(value));
    for (const { inputs } of order) for (const input of inputs) users.set(input, (users.get(input) ?? 0) + 1);
    for (const node of order) {
      const outputs = rebuild(node);
      node.outputs.forEach((output, i) => {
        // One that has been run since is a leaf now.
        if (output.node === node) replaced.set(output, outputs[i]!);
      });
    }
  };

  visit(roots);
  return withMemory(roots.map((root) => replaced.get(root)!));
}

/** Values that each get memory of their own: a bare operand, or a value that occurs twice, is copied. */
function withMemory(values: readonly Value[]): Value[] {
  const seen = new Set<Value>();
  return values.map((value) => {
    const copy = value.operand !== undefined || seen.has(value);
    seen.add(value);
    return copy ? copied(value) : value;
  });
}

function copied(value: Value): Value {
  return apply(copyOp, [value])[0]!;
}

type Make = (op: Op, inputs: readonly Value[], attributes: Attributes) => readonly Value[];

/** The other factor of a product with one, if there is no more to the product. */
function factorOfOne({ dtype, shape }: Value, [a, b]: readonly [Value, Value]): Value | undefined {
  const factor = isOne(b) ? a : isOne(a) ? b : undefined;
  return factor?.dtype === dtype && sameShape(factor.shape, shape) ? factor : undefined;
}

/** Whether a value is the constant one everywhere, as the cotangent with which a gradient begins. */
function isOne({ node: { op, inputs, attributes } }: Value): boolean {
  if (op === expand.op || op === reshape.op) return isOne(inputs[0]!);
  return op === zeros.op && attributes.value === 1;
}

function reshaped(x: Value, shape: Shape, make: Make): Value {
  const source = x.node.op === reshape.op ? x.node.inputs[0]! : x;
  return sameShape(source.shape, shape) ? source : make(reshape.op, [source], { shape })[0]!;
}

/** What a composite is made of. Parts may compute in f32 what the op gives as f16. */
function partsOf(op: CompositeOp, inputs: readonly Value[], { attributes, outputs }: Node): Value[] {
  const parts = op.decompose(inputs, attributes);
  return parts.map((part, i) => tensorOf(part).cast(outputs[i]!.dtype));
}

function expanded(x: Value, shape: Shape, make: Make): Value {
  if (stretchesNothing(x.shape, shape)) return reshaped(x, shape, make);
  // A number stretched by way of [1, 1, 1] is a number still, and no batch of 1.
  const isNumber = x.node.op === reshape.op && x.node.inputs[0]!.shape.length === 0;
  return make(expand.op, isNumber ? x.node.inputs : [x], { shape })[0]!;
}

/** (A·B)ᵀ = Bᵀ·Aᵀ: a transposed product that nobody else uses is written in place, transposed (a weight's gradient). */
function transposedProduct(
  node: Node,
  users: ReadonlyMap<Value, number>,
  product: Value,
  make: Make,
): Value | undefined {
  const axes = node.attributes.axes as readonly number[];
  const rank = axes.length;
  const swapsLast = axes.every((axis, i) => axis === (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
  if (!swapsLast || product.node.op !== matmul.op || users.get(node.inputs[0]!) !== 1) return undefined;
  const [a, b] = product.node.inputs as [Value, Value];
  const swap = (x: Value) => make(permute.op, [x], { axes })[0]!;
  return make(matmul.op, [swap(b), swap(a)], {})[0]!;
}

/**
 * Neighbouring axes are reduced as one: [lead, length, trail]. Where that leaves few results, each a long sum, it runs
 * in two stages of fixed order: parts first, each of every n-th element, then the parts' sum. What depends on the batch
 * stays on the first axis, whose size no kernel's text holds.
 */
function reduced(op: ReduceOp, x: Value, attributes: Attributes, adapter: KernelAdapter, make: Make): Value {
  const axes = attributes.axes as readonly number[];
  const [first, last] = [axes[0]!, axes[axes.length - 1]!];
  const plain = () => make(op, [x], attributes)[0]!;
  const as = (value: Value, dtype: DType) => (value.dtype === dtype ? value : make(cast.op, [value], { dtype })[0]!);
  if (last - first + 1 !== axes.length || sizeOf(x.shape) === 0) return plain();
  const lead = x.shape.slice(0, first);
  const length = sizeOf(x.shape.slice(first, last + 1));
  const trail = sizeOf(x.shape.slice(last + 1));
  const shape = x.shape.filter((_, i) => i < first || i > last);
  const inner = sizeOf(x.shape.slice(Math.max(1, first), last + 1));
  const parts = op.splits ? partsFor(lead, length, trail, inner, adapter) : 1;
  const outer = lead.length === 0 ? [] : [sizeOf(lead)];
  if (parts > 1) {
    // Partial results are stored: in f32, where f16 would lose digits of each.
    const cut = reshaped(as(x, computeType(x.dtype)), [...outer, length / parts, parts, trail], make);
    const partial = make(op, [cut], { axes: [outer.length] })[0]!;
    const whole = as(make(op, [partial], { axes: [outer.length] })[0]!, x.dtype);
    return reshaped(whole, shape, make);
  }
  if (axes.length === 1 && x.shape.length <= 3) return plain();
  const merged = reshaped(x, [...outer, length, ...(trail === 1 ? [] : [trail])], make);
  return reshaped(make(op, [merged], { axes: [outer.length] })[0]!, shape, make);
}

/**
 * In how many equal parts a reduction runs: enough of them to fill the adapter, none shorter than 16. How large the
 * batch is must not matter, so its rows count neither as results nor, where `inner` elements of each are summed, as
 * length. On a CPU one workgroup's worth of results is enough: a second dispatch costs more than it saves.
 */
function partsFor(lead: Shape, length: number, trail: number, inner: number, { software }: KernelAdapter): number {
  if (length < (lead.length === 0 ? 64 : 16384)) return 1;
  const results = sizeOf(lead.slice(1)) * trail;
  if (software && results >= 64) return 1;
  const wanted = Math.min((software ? 256 : 16384) / results, (inner >= 32 ? inner : length) / 16, 4096);
  let best = 1;
  for (let parts = 2; parts <= wanted; parts++) if (length % parts === 0) best = parts;
  return best;
}

const identities = new WeakMap<Op, number>();
let nextIdentity = 0;

/** A number for each op object, so that two ops with the same name are not confused. */
export function identityOf(op: Op): number {
  let id = identities.get(op);
  if (id === undefined) {
    id = nextIdentity++;
    identities.set(op, id);
  }
  return id;
}
