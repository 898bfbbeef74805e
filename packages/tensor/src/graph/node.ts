// The graph: nodes apply an op to values, and values are a node's outputs. Immutable, with one exception: when a value has
// been computed, it gets its storage and drops the node that made it, so that long loops do not keep their history.
// All values are tensors: tensor.ts makes them.
import type { DType, HostArray } from './dtype.js';
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
  /** Given right after the node; changed for the leaf that a computed value becomes: it holds the value itself. */
  outputs: readonly Value[] = [];
  /** Under device.debug: an error whose stack says where the op was called. */
  calledAt: Error | undefined;

  constructor(
    readonly op: Op,
    readonly inputs: readonly Value[],
    readonly attributes: Attributes,
  ) {}
}

/** A tensor as the graph sees it, and what compiles and runs the graph. */
export interface Value extends Type {
  readonly id: number;
  node: Node;
  /** Where the elements are, once they have been computed. */
  storage: GraphStorage | undefined;
  /** The device that the value belongs to, once something in its graph does. */
  device: GraphDevice | undefined;
  /** Host words of an operand: a number or a key that is uploaded with each call and is no part of the plan. */
  operand: Uint32Array | undefined;
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

/** The device that a tensor belongs to: a `Device`, as its tensors see it. */
export interface GraphDevice {
  /** Whether mistakes are looked for: nodes then remember where they were made. */
  readonly debug: boolean;
  /** @internal Whether a function is being traced: nothing can be read now. */
  readonly tracing: boolean;
  /** Computes every tensor of a tree, in one submit. */
  run<T>(tree: T): Promise<T>;
  /** @internal Copies a computed value to the host. */
  download(value: Value): Promise<HostArray>;
}

/** The memory of a computed value. */
export interface GraphStorage {
  readonly status: 'live' | 'disposed' | 'donated';
  /** Gives the memory back; a second call does nothing. */
  end(how?: 'disposed' | 'donated'): void;
}
