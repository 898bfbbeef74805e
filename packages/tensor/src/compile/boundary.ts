// Which values are stored in memory: all others are recomputed where they are read.
import type { Node, Value } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import type { Windowed } from '../graph/strided.js';
import type { Passes } from './passes.js';

/** A value with several users is not stored if computing it costs fewer additions than this. */
const cheap = 3;

/** An expensive value that one kernel reads at this many places is stored, not recomputed for each. */
const manyPlaces = 4;

/** Longer chains of operations are cut by storing a value, because a compiler's stack would overflow. */
const deepest = 256;

export interface Boundary {
  /** The values that are stored instead of recomputed where they are read. */
  readonly boundary: Set<Value>;
  /** Where each value ends up: the values of the boundary that are computed from it without another between them. */
  readonly sinks: ReadonlyMap<Value, ReadonlySet<Value>>;
}

/**
 * The values that are stored, chosen so that no kernel has to read more of them than it can bind.
 * @param operands - what tiled ops read: from memory, but for the prologues
 */
export function boundaryOf(
  order: readonly Node[],
  results: ReadonlySet<Value>,
  operands: ReadonlyMap<Node, readonly Windowed[]>,
  prologues: ReadonlySet<Value>,
  mostBuffers: number,
  passes: Passes,
): Boundary {
  const chosen: Boundary = passes.fuse
    ? chooseBoundary(order, results, operands, prologues)
    : { boundary: new Set(order.flatMap((node) => node.outputs)), sinks: new Map() };
  cutWide(order, chosen.boundary, mostBuffers - 1);
  return chosen;
}

function chooseBoundary(
  order: readonly Node[],
  results: ReadonlySet<Value>,
  operands: ReadonlyMap<Node, readonly Windowed[]>,
  prologues: ReadonlySet<Value>,
): Boundary {
  const boundary = new Set(results);
  for (const list of operands.values()) for (const { base } of list) if (!prologues.has(base)) boundary.add(base);
  const users = new Map<Value, Node[]>();
  const cost = new Map<Value, number>();
  const depth = new Map<Value, number>();
  for (const node of order) {
    const own = node.op.kind === 'pointwise' ? node.op.cost : 0;
    const again = node.op.kind === 'pointwise' ? readBy(node).filter((x) => !boundary.has(x)) : [];
    const inherited = again.reduce((sum, x) => sum + (cost.get(x) ?? 0), 0);
    const deep = 1 + again.reduce((most, x) => Math.max(most, depth.get(x) ?? 0), 0);
    for (const output of node.outputs) {
      cost.set(output, own + inherited);
      depth.set(output, deep);
      if (deep >= deepest) boundary.add(output);
    }
    if (node.op.kind === 'pack') for (const input of node.inputs) boundary.add(input);
    if (node.op.kind !== 'pointwise') for (const output of node.outputs) boundary.add(output);
    for (const input of new Set(readBy(node))) users.set(input, [...(users.get(input) ?? []), node]);
  }
  // From users to sources.
  const sinks = new Map<Value, Set<Value>>();
  const places = new Map<Value, number>();
  const demanded = new Set<Value>();
  for (const node of [...order].reverse()) {
    for (const output of node.outputs) {
      const reached = new Set<Value>();
      let [widest, inPlace, moved] = [0, 0, 0];
      for (const user of users.get(output) ?? []) {
        for (const result of user.outputs) {
          const ends = boundary.has(result) ? [result] : (sinks.get(result) ?? []);
          for (const end of ends) reached.add(end);
          widest = Math.max(widest, user.op.kind === 'reduce' ? sizeOf(user.inputs[0]!.shape) : sizeOf(result.shape));
          // Elementwise users share a place, views go to places of their own.
          const seen = boundary.has(result) ? 1 : (places.get(result) ?? 1);
          if (moves(user, output)) moved += seen;
          else inPlace = Math.max(inPlace, seen);
        }
      }
      sinks.set(output, reached);
      places.set(output, inPlace + moved);
      const expensive = (cost.get(output) ?? 0) > cheap;
      const again =
        reached.size > 1 || inPlace + moved >= manyPlaces || widest >= 4 * Math.max(1, sizeOf(output.shape));
      // A view itself costs nothing: its input is stored instead.
      if (expensive && (again || demanded.has(output))) {
        if (isView(node)) demanded.add(node.inputs[0]!);
        else boundary.add(output);
      }
    }
  }
  return { boundary, sinks };
}

function isView({ op, inputs }: Node): boolean {
  return op.kind === 'pointwise' && op.cost === 0 && inputs.length === 1;
}

/** Whether a node reads an input at another position than that of its own element. */
function moves({ op, outputs }: Node, input: Value): boolean {
  return op.kind === 'pointwise' && op.relate?.('element', { input, output: outputs[0]!, length: 1 }) !== 'element';
}

/** Stores parts of an expression that would read more buffers than a kernel can bind, so that the rest reads those. */
function cutWide(order: readonly Node[], boundary: Set<Value>, most: number): void {
  const before = boundary.size;
  const reads = new Map<Value, ReadonlySet<Value>>();
  const readsFrom = (value: Value): ReadonlySet<Value> =>
    value.operand ? new Set() : boundary.has(value) ? new Set([value]) : (reads.get(value) ?? new Set([value]));
  for (const node of order) {
    if (node.op.kind !== 'pointwise') continue;
    const together = () => new Set(readBy(node).flatMap((input) => [...readsFrom(input)]));
    let all = together();
    while (all.size > most) {
      const widest = readBy(node).reduce((a, b) => (readsFrom(a).size >= readsFrom(b).size ? a : b));
      if (readsFrom(widest).size < 2) break; // an op of that many inputs: the plan says so
      boundary.add(widest);
      all = together();
    }
    for (const output of node.outputs) reads.set(output, all);
  }
  // What is stored for one reader is one more to read for another, which was counted before.
  if (boundary.size > before) cutWide(order, boundary, most);
}

/** The inputs that an op reads, and those that it only waits for. */
export function readBy({ op, inputs }: Node): readonly Value[] {
  return op.kind === 'pointwise' && op.waits ? inputs.slice(0, 1) : inputs;
}
export function waitedFor({ op, inputs }: Node): readonly Value[] {
  return op.kind === 'pointwise' && op.waits ? inputs.slice(1) : [];
}
