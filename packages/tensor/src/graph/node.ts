// The graph: nodes apply an op to values, and values are a node's outputs. Immutable, with one exception: when a value has
// been computed, it gets its storage and drops the node that made it, so that long loops do not keep their history.
import type { GraphDevice, GraphStorage } from './device.js';
import type { DType } from './dtype.js';
import type { Op } from './op.js';
import { type Shape, showShape } from './shape.js';

/** The shape and dtype of a tensor. */
export interface Type {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** `f32 [2, 3]` */
export function showType({ shape, dtype }: Type): string {
  return `${dtype} ${showShape(shape)}`;
}

/** What an op depends on in addition to its inputs; part of a graph's hash. */
export type Attributes = Readonly<Record<string, unknown>>;

export class Node {
  /** Changed for the leaf that a computed value becomes: it holds the value itself. */
  outputs: readonly Value[];
  /** Under device.debug: an error whose stack says where the op was called. */
  calledAt: Error | undefined;

  constructor(
    readonly op: Op,
    readonly inputs: readonly Value[],
    readonly attributes: Attributes,
    outputs: readonly Type[],
  ) {
    this.outputs = outputs.map(({ shape, dtype }) => new Value(this, shape, dtype));
  }
}

let nextId = 0;

export class Value {
  /** Where the elements are, once they have been computed. */
  storage: GraphStorage | undefined;
  /** The device that the value belongs to, once something in its graph does. */
  device: GraphDevice | undefined;
  /** Host words of an operand: a number or a key that is uploaded with each call and is no part of the plan. */
  operand: Uint32Array | undefined;
  readonly id: number = nextId++;

  constructor(
    public node: Node,
    readonly shape: Shape,
    readonly dtype: DType,
  ) {}
}

/** Applies an op: runs its shape and dtype rules, then adds the node. */
export function apply(op: Op, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
  const node = new Node(op, inputs, attributes, op.infer(inputs, attributes));
  if (inputs.some(({ device }) => device?.debug)) node.calledAt = new Error(`${op.name} was called here`);
  return node.outputs;
}

/** Applies a node again where inputs of it have been replaced, and notes what replaces its outputs. */
export function reapply({ op, inputs, outputs, attributes }: Node, replaced: Map<Value, Value>): void {
  if (!inputs.some((input) => replaced.has(input))) return;
  const now = inputs.map((input) => replaced.get(input) ?? input);
  apply(op, now, attributes).forEach((fresh, i) => {
    replaced.set(outputs[i]!, fresh);
  });
}

/** The nodes that the roots need, inputs before users. Values that are computed, or for which `stop` holds, end the search. */
export function topologicalOrder(roots: readonly Value[], stop: (value: Value) => boolean = () => false): Node[] {
  const entered = new Set<Node>();
  const order = new Set<Node>();
  // A value stays on the stack until its inputs, which are above it, are done.
  const stack = [...roots].reverse();
  while (stack.length > 0) {
    const value = stack[stack.length - 1]!;
    const { node } = value;
    if (!entered.has(node) && !stop(value)) {
      entered.add(node);
      stack.push(...[...node.inputs].reverse());
    } else {
      stack.pop();
      if (entered.has(node)) order.add(node);
    }
  }
  return [...order];
}
