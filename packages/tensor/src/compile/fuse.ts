// Kernels out of a graph: which of the values that get memory (see boundary.ts) can share a kernel. A kernel is either rows (a loop over elements, with
// reductions along rows if the rows are longer than 1) or an op's own tiled kernel with an epilogue.

import { dtypeBytes } from '../graph/dtype.js';
import { type Node, topologicalOrder, type Value } from '../graph/node.js';
import type { Relation } from '../graph/position.js';
import { sameShape, sizeOf } from '../graph/shape.js';
import { isContiguous, type Strided } from '../graph/strided.js';
import { type Windowed, windowOf } from '../graph/window.js';
import { type Boundary, boundaryOf, readBy, waitedFor } from './boundary.js';
import { align } from './memory.js';
import type { Passes } from './passes.js';
import { prologuesOf } from './prologue.js';
import { schedule } from './schedule.js';

/** Values that one dispatch computes. */
export class Group {
  /** In the order of computation. */
  readonly members: Value[] = [];
  /** Members of which each row has `length`, not one. */
  readonly elements: Set<Value> = new Set<Value>();
  /** Members that need memory: read by other groups, or results. */
  readonly stored: Set<Value> = new Set<Value>();
  readonly reads: Set<Value> = new Set<Value>();
  /** For each member, the other members that it is computed from, through any number of them. */
  readonly inside: Map<Value, ReadonlySet<Value>> = new Map<Value, ReadonlySet<Value>>();
  readonly after: Set<Group> = new Set<Group>();

  /**
   * @param node - the reduction or tiled op it grew from
   * @param length - elements of a row: 1 in a kernel without reductions
   * @param dense - whether a row's elements are neighbours in memory, so that elements can follow reductions in one kernel
   */
  constructor(
    readonly kind: 'rows' | 'tiled' | 'pack',
    readonly node?: Node | undefined,
    public rows: number = 0,
    public length: number = 1,
    readonly dense: boolean = true,
  ) {}
}

export interface Fused {
  /** In an order in which they can run. */
  readonly groups: readonly Group[];
  /** Where each root's elements are: a window of a leaf or of a stored value. */
  readonly roots: readonly Windowed[];
  /** The base and window that a tiled op reads for each of its inputs. */
  readonly operands: ReadonlyMap<Node, readonly Windowed[]>;
}

/** @param mostBuffers - how many a kernel can bind */
export function fuse(rootValues: readonly Value[], mostBuffers: number, passes: Passes): Fused {
  const { windows } = passes;
  const order = topologicalOrder(rootValues);
  const roots = rootValues.map((root) => {
    const aligned = ({ offset }: Strided) => (offset * dtypeBytes(root.dtype)) % align === 0;
    return windowOf(root, (window) => windows && isContiguous(window) && aligned(window));
  });
  const operands = new Map<Node, Windowed[]>();
  for (const node of order) {
    const { op } = node;
    if (op.kind !== 'tiled') continue;
    operands.set(
      node,
      node.inputs.map((input, i) => windowOf(input, (window) => windows && (op.windows?.(window, i) ?? true))),
    );
  }
  const results = new Set(roots.map(({ base }) => base));
  const prologues = passes.prologue ? prologuesOf(operands, mostBuffers) : new Set<Value>();
  const boundary = boundaryOf(order, results, operands, prologues, mostBuffers, passes);
  // Where nothing is fused, no kernel has room for a second value.
  const groups = formGroups(order, boundary, results, operands, passes.fuse ? mostBuffers : 0);
  return { groups: schedule(groups, results, passes.order), roots, operands };
}

interface Read {
  readonly value: Value;
  /** `wait`: it is not read, but has to be there. */
  readonly relation: Relation | 'wait';
}

/** What computing a value reads from memory, or from its own kernel, and where. */
function readsOf(
  start: readonly Value[],
  length: number,
  boundary: ReadonlySet<Value>,
  startAt?: Value,
  startRelation: Read['relation'] = 'element',
): Read[] {
  const seen = new Set<string>();
  const reads: Read[] = [];
  const visit = (value: Value, relation: Read['relation']): void => {
    const key = `${value.id}|${relation}`;
    if (seen.has(key)) return;
    seen.add(key);
    const { op } = value.node;
    if (value !== startAt && (boundary.has(value) || op.kind !== 'pointwise')) {
      if (!value.operand) reads.push({ value, relation });
      return;
    }
    if (op.kind !== 'pointwise') return;
    for (const input of readBy(value.node)) {
      const fixed = relation === 'other' || relation === 'wait';
      visit(input, fixed ? relation : (op.relate?.(relation, { input, output: value, length }) ?? 'other'));
    }
    for (const input of waitedFor(value.node)) visit(input, 'wait');
  };
  for (const value of start) visit(value, startRelation);
  return reads;
}

/** What a tiled op reads: the bases of its operands, or what these are made of; and what the views on the way there wait for. */
function readsOfOperands(node: Node, operands: readonly Windowed[], boundary: ReadonlySet<Value>): Read[] {
  return operands.flatMap(({ base }, i) => {
    const waits: Value[] = [];
    for (let at = node.inputs[i]!; at !== base; at = at.node.inputs[0]!) waits.push(...waitedFor(at.node));
    return [...readsOf([base], 1, boundary, undefined, 'other'), ...readsOf(waits, 1, boundary, undefined, 'wait')];
  });
}

function formGroups(
  order: readonly Node[],
  { boundary, sinks }: Boundary,
  results: ReadonlySet<Value>,
  operands: ReadonlyMap<Node, readonly Windowed[]>,
  mostBuffers: number,
): Group[] {
  const groups: Group[] = [];
  const producer = new Map<Value, Group>();

  const add = (group: Group, value: Value, reads: readonly Read[], asElement: boolean) => {
    group.members.push(value);
    if (asElement) group.elements.add(value);
    if (results.has(value)) group.stored.add(value);
    producer.set(value, group);
    const inside = new Set<Value>();
    group.inside.set(value, inside);
    for (const { value: read, relation } of reads) {
      const source = producer.get(read);
      if (source === group) {
        inside.add(read);
        for (const deeper of group.inside.get(read)!) inside.add(deeper);
        continue;
      }
      if (source) group.after.add(source);
      if (relation === 'wait') continue;
      group.reads.add(read);
      source?.stored.add(read);
    }
  };
  const open = (...init: ConstructorParameters<typeof Group>): Group => {
    const group = new Group(...init);
    groups.push(group);
    return group;
  };
  /**
   * Whether a value with these reads may join: they stand where the kernel has them, and no cycle comes about.
   * @param perRow - whether it is computed once a row, not once an element or inside a reduction's loop
   */
  const admits = (
    group: Group,
    reads: readonly Read[],
    perRow: boolean,
    elements = group.elements,
    length = group.length,
  ): boolean => {
    const outside = new Set(group.reads);
    for (const { value, relation } of reads) {
      const source = producer.get(value);
      if (source === group) {
        if (perRow && elements.has(value)) return false;
        const oneForRow = length > 1 && !perRow && !elements.has(value);
        if (relation !== (oneForRow ? 'row' : 'element')) return false;
      } else {
        if (source && dependsOn(source, group)) return false;
        if (relation !== 'wait') outside.add(value);
      }
    }
    return outside.size + group.members.length + 1 <= mostBuffers;
  };
  const joins = (group: Group, value: Value, reads: readonly Read[], asElement: boolean): boolean => {
    const admitted = admits(group, reads, !asElement);
    if (admitted) add(group, value, reads, asElement);
    return admitted;
  };

  const placeReduction = (node: Node): void => {
    const [x] = node.inputs as [Value];
    const axes = node.attributes.axes as readonly number[];
    const result = node.outputs[0]!;
    const length = sizeOf(axes.map((axis) => x.shape[axis]!));
    const rows = sizeOf(result.shape);
    const dense = axes.every((axis, i) => axis === x.shape.length - axes.length + i);
    const reads = readsOf([x], length, boundary);
    if (dense && length > 1) {
      const related = [...groups]
        .reverse()
        .filter((group) => group.kind === 'rows' && group.dense && touches(group, reads, producer));
      for (const group of related) {
        const feeds = group.members.some((m) => reads.some((read) => read.value === m && read.relation === 'element'));
        if (group.length === 1 && !group.node && feeds && group.rows === rows * length && rows >= 64) {
          // A plain map that feeds the reduction: what it made becomes the elements of rows.
          const elements = new Set(group.members);
          if (!admits(group, reads, false, elements, length)) continue;
          group.rows = rows;
          group.length = length;
          for (const member of elements) group.elements.add(member);
        } else if (group.rows !== rows || group.length !== length || !admits(group, reads, false)) continue;
        add(group, result, reads, false);
        return;
      }
    }
    // Reductions of other axes share a loop where they walk the same way, over the same values or for the same result
    // (gradients of biases, of shift, scale and gate).
    const sibling = dense ? undefined : groups.find((group) => walksAlike(group, node, reads));
    add(sibling ?? open('rows', node, rows, length, dense), result, reads, false);
  };
  const walksAlike = (group: Group, node: Node, reads: readonly Read[]): boolean => {
    const { node: first } = group;
    return (
      first?.op.kind === 'reduce' &&
      !group.dense &&
      sameShape(first.inputs[0]!.shape, node.inputs[0]!.shape) &&
      String(first.attributes.axes) === String(node.attributes.axes) &&
      (reads.some(({ value }) => group.reads.has(value)) || meet(group, node)) &&
      reads.every(({ value }) => producer.get(value) !== group) &&
      admits(group, reads, false)
    );
  };

  const meet = (group: Group, node: Node): boolean => {
    const ends = [...(sinks.get(node.outputs[0]!) ?? [])].filter((end) => end.node.op.kind !== 'pack');
    return group.members.some((member) => ends.some((end) => sinks.get(member)?.has(end)));
  };

  const placePointwise = (value: Value): void => {
    const size = sizeOf(value.shape);
    const reads = readsOf([value], 1, boundary, value);
    for (const group of [...groups].reverse()) {
      if (group.kind === 'tiled') {
        const fits = group.members.some(
          (m) => m.node.op.kind === 'tiled' && sizeOf(m.shape) === size && reads.some((r) => r.value === m),
        );
        if (fits && sameTarget(group, value, reads) && joins(group, value, reads, true)) return;
      }
      if (group.kind !== 'rows') continue;
      if (group.length > 1 && group.dense && size === group.rows * group.length) {
        const alongRow = readsOf([value], group.length, boundary, value);
        if (touches(group, alongRow, producer) && joins(group, value, alongRow, true)) return;
      }
      const fromHere = reads.some((read) => producer.get(read.value) === group);
      if (size === group.rows && fromHere && joins(group, value, reads, false)) return;
    }
    add(open('rows', undefined, size), value, reads, false);
  };

  for (const node of order) {
    const { op } = node;
    if (op.kind === 'reduce') placeReduction(node);
    else if (op.kind === 'tiled') {
      const reads = readsOfOperands(node, operands.get(node)!, boundary);
      const group = open('tiled', node);
      for (const output of node.outputs) add(group, output, reads, true);
    } else if (op.kind === 'pack') {
      const reads = node.inputs.map((value) => ({ value, relation: 'other' as const }));
      add(open('pack', node), node.outputs[0]!, reads, true);
    } else if (op.kind === 'pointwise') {
      for (const output of node.outputs) if (boundary.has(output)) placePointwise(output);
    }
  }
  return groups;
}

/** A tiled kernel with several outputs finishes each at its own indices: epilogues must belong to one output. */
function sameTarget(group: Group, value: Value, reads: readonly Read[]): boolean {
  const outputs = new Set(
    reads.filter((read) => group.members.includes(read.value)).map((read) => rootOutput(group, read.value)),
  );
  return outputs.size === 1 && sizeOf([...outputs][0]!.shape) === sizeOf(value.shape);
}

/** The tiled output at whose elements a member of the epilogue is computed. */
export function rootOutput(group: Group, member: Value): Value {
  return [member, ...group.inside.get(member)!].find(({ node }) => node === group.node) ?? member;
}

function touches(group: Group, reads: readonly Read[], producer: ReadonlyMap<Value, Group>): boolean {
  return reads.some(
    ({ value, relation }) =>
      producer.get(value) === group || (relation === 'element' && group.length > 1 && group.reads.has(value)),
  );
}

function dependsOn(group: Group, target: Group): boolean {
  const reached = new Set([group]);
  for (const one of reached) {
    if (one === target) return true;
    for (const before of one.after) reached.add(before); // which the loop comes to
  }
  return false;
}
