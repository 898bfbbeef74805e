// Which values share a kernel. A kernel is either rows (a loop over elements, with reductions along rows if these are longer
// than 1) or an op's own tiled kernel with an epilogue. Values are placed one by one, inputs before users; each joins the
// latest kernel that one of the rules lets it join, or opens one. A rule says where a value may be computed; `admits` says
// for all of them whether what the value reads is there at that place, whether kernels still can be put in an order, and
// whether the buffers can be bound. The drawings show values from left to right, a kernel in brackets.
import type { Node, Value } from '../graph/node.js';
import { sameShape, sizeOf } from '../graph/shape.js';
import type { Windowed } from '../graph/strided.js';
import type { Boundary } from './boundary.js';
import { Group, rootOutput } from './group.js';
import { type Read, readsOf, readsOfOperands } from './reads.js';

/** The loop of a reduction: `rows` results of `length` elements each, neighbours in memory if `dense`. */
type Walk = Pick<Group, 'rows' | 'length' | 'dense'>;

export class Grouping {
  private readonly groups: Group[] = [];
  private readonly producer = new Map<Value, Group>();

  constructor(
    private readonly boundary: Boundary,
    private readonly results: ReadonlySet<Value>,
    private readonly operands: ReadonlyMap<Node, readonly Windowed[]>,
    private readonly mostBuffers: number,
  ) {}

  /** The kernels of a graph, in the order of their first values. */
  of(order: readonly Node[]): Group[] {
    for (const node of order) {
      const { op } = node;
      if (op.kind === 'reduce') this.placeReduction(node);
      else if (op.kind === 'tiled') {
        const reads = readsOfOperands(node, this.operands.get(node)!, this.boundary.boundary);
        const group = this.open('tiled', node);
        for (const output of node.outputs) this.add(group, output, reads, true);
      } else if (op.kind === 'pack') {
        const reads = node.inputs.map((value) => ({ value, relation: 'other' as const }));
        this.add(this.open('pack', node), node.outputs[0]!, reads, true);
      } else if (op.kind === 'pointwise') {
        for (const output of node.outputs) if (this.boundary.boundary.has(output)) this.placePointwise(output);
      }
    }
    return this.groups;
  }

  private placeReduction(node: Node): void {
    const walk = walkOf(node);
    const { rows, length, dense } = walk;
    const result = node.outputs[0]!;
    const reads = this.readsOf([node.inputs[0]!], length);
    if (dense && length > 1) {
      for (const group of [...this.groups].reverse()) {
        if (group.kind !== 'rows' || !group.dense || !this.touches(group, reads)) continue;
        if (this.followsMap(group, walk, reads) || this.sharesRows(group, walk, reads)) {
          this.add(group, result, reads, false);
          return;
        }
      }
    }
    const sibling = dense ? undefined : this.groups.find((group) => this.walksAlike(group, node, reads));
    this.add(sibling ?? this.open('rows', node, rows, length, dense), result, reads, false);
  }

  private placePointwise(value: Value): void {
    const reads = this.readsOf([value], 1, value);
    for (const group of [...this.groups].reverse()) {
      if (
        this.finishes(group, value, reads) ||
        this.isAlongRows(group, value) ||
        this.isOncePerRow(group, value, reads)
      )
        return;
    }
    this.add(this.open('rows', undefined, sizeOf(value.shape)), value, reads, false);
  }

  // The rules

  /**
   * A map that feeds a reduction becomes the elements of its rows.
   *
   *     [x → exp] → sum      becomes   [x → exp → sum]
   *
   * Not where there are fewer than 64 rows: the map alone uses the device better than so few loops.
   */
  private followsMap(group: Group, { rows, length }: Walk, reads: readonly Read[]): boolean {
    const feeds = group.members.some((m) => reads.some((read) => read.value === m && read.relation === 'element'));
    if (group.length !== 1 || group.node || !feeds || group.rows !== rows * length || rows < 64) return false;
    const elements = new Set(group.members);
    if (!this.admits(group, reads, false, elements, length)) return false;
    group.rows = rows;
    group.length = length;
    for (const member of elements) group.elements.add(member);
    return true;
  }

  /**
   * Reductions of the same rows share a kernel: of one value, or one after the other.
   *
   *     [x → max] → (x − max → exp → sum)   becomes   [x → max → sum]      two loops over each row
   *
   * Not over other rows: [8, 4] over axis 1 and [4, 8] over axis 1 have no row in common.
   */
  private sharesRows(group: Group, { rows, length }: Walk, reads: readonly Read[]): boolean {
    return group.rows === rows && group.length === length && this.admits(group, reads, false);
  }

  /**
   * Reductions over axes that are not the last share a loop where they walk the same way, over the same values or for the
   * same result (gradients of biases, of shift, scale and gate).
   *
   *     [g → sum over 0], [g · x → sum over 0]   become   [g, x → sum, sum]
   *
   * Not where one reads what the other makes: that is complete only after the loop.
   */
  private walksAlike(group: Group, node: Node, reads: readonly Read[]): boolean {
    const { node: first } = group;
    return (
      first?.op.kind === 'reduce' &&
      !group.dense &&
      sameShape(first.inputs[0]!.shape, node.inputs[0]!.shape) &&
      String(first.attributes.axes) === String(node.attributes.axes) &&
      (reads.some(({ value }) => group.reads.has(value)) || this.meet(group, node)) &&
      reads.every(({ value }) => this.producer.get(value) !== group) &&
      this.admits(group, reads, false)
    );
  }

  /**
   * An elementwise function of a tiled kernel's result is its epilogue.
   *
   *     [a, b → matmul] → + bias → gelu   becomes   [a, b → matmul → + bias → gelu]
   *
   * Not of two results at once: a kernel finishes each of its outputs at indices of its own.
   */
  private finishes(group: Group, value: Value, reads: readonly Read[]): boolean {
    if (group.kind !== 'tiled') return false;
    const size = sizeOf(value.shape);
    const own = group.members.some(
      (m) => m.node.op.kind === 'tiled' && sizeOf(m.shape) === size && reads.some((read) => read.value === m),
    );
    return own && sameTarget(group, value, reads) && this.joins(group, value, reads, true);
  }

  /**
   * A value with an element for each element of the rows is computed along them, after the reductions that it needs.
   *
   *     [x → max → sum] → x / sum   becomes   [x → max → sum → x / sum]
   *
   * Not where rows are not neighbours in memory: then there is no loop over elements.
   */
  private isAlongRows(group: Group, value: Value): boolean {
    if (group.kind !== 'rows' || group.length === 1 || !group.dense) return false;
    if (sizeOf(value.shape) !== group.rows * group.length) return false;
    const reads = this.readsOf([value], group.length, value);
    return this.touches(group, reads) && this.joins(group, value, reads, true);
  }

  /**
   * A value with an element for each row, made of what the kernel makes, is computed once per row.
   *
   *     [x → sum] → sqrt   becomes   [x → sum → sqrt]        [x → exp] → (exp, y → ·)   becomes   [x, y → exp → ·]
   *
   * Not where it reads another row's result.
   */
  private isOncePerRow(group: Group, value: Value, reads: readonly Read[]): boolean {
    if (group.kind !== 'rows' || sizeOf(value.shape) !== group.rows) return false;
    return reads.some((read) => this.producer.get(read.value) === group) && this.joins(group, value, reads, false);
  }

  // What the rules ask

  /**
   * Whether a value with these reads may join: the kernel has them where they are read, and no cycle arises.
   * @param perRow - whether it is computed once per row, not once per element or inside a reduction's loop
   */
  private admits(
    group: Group,
    reads: readonly Read[],
    perRow: boolean,
    elements: ReadonlySet<Value> = group.elements,
    length: number = group.length,
  ): boolean {
    const outside = new Set(group.reads);
    for (const { value, relation } of reads) {
      const source = this.producer.get(value);
      if (source === group) {
        if (perRow && elements.has(value)) return false;
        const oneForRow = length > 1 && !perRow && !elements.has(value);
        if (relation !== (oneForRow ? 'row' : 'element')) return false;
      } else {
        if (source && dependsOn(source, group)) return false;
        if (relation !== 'wait') outside.add(value);
      }
    }
    return outside.size + group.members.length + 1 <= this.mostBuffers;
  }

  private joins(group: Group, value: Value, reads: readonly Read[], asElement: boolean): boolean {
    const admitted = this.admits(group, reads, !asElement);
    if (admitted) this.add(group, value, reads, asElement);
    return admitted;
  }

  private touches(group: Group, reads: readonly Read[]): boolean {
    return reads.some(
      ({ value, relation }) =>
        this.producer.get(value) === group || (relation === 'element' && group.length > 1 && group.reads.has(value)),
    );
  }

  /** Whether a reduction ends up in a value in which a member of the group does. */
  private meet(group: Group, node: Node): boolean {
    const { sinks } = this.boundary;
    const ends = [...(sinks.get(node.outputs[0]!) ?? [])].filter((end) => end.node.op.kind !== 'pack');
    return group.members.some((member) => ends.some((end) => sinks.get(member)?.has(end)));
  }

  private readsOf(start: readonly Value[], length: number, startAt?: Value): Read[] {
    return readsOf(start, length, this.boundary.boundary, startAt);
  }

  // Changes

  private open(...init: ConstructorParameters<typeof Group>): Group {
    const group = new Group(...init);
    this.groups.push(group);
    return group;
  }

  private add(group: Group, value: Value, reads: readonly Read[], asElement: boolean): void {
    group.members.push(value);
    if (asElement) group.elements.add(value);
    if (this.results.has(value)) group.stored.add(value);
    this.producer.set(value, group);
    const inside = new Set<Value>();
    group.inside.set(value, inside);
    for (const { value: read, relation } of reads) {
      const source = this.producer.get(read);
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
  }
}

function walkOf({ inputs, outputs, attributes }: Node): Walk {
  const x = inputs[0]!;
  const axes = attributes.axes as readonly number[];
  return {
    rows: sizeOf(outputs[0]!.shape),
    length: sizeOf(axes.map((axis) => x.shape[axis]!)),
    dense: axes.every((axis, i) => axis === x.shape.length - axes.length + i),
  };
}

/** Whether all that a value reads of a tiled kernel is computed at the elements of one output. */
function sameTarget(group: Group, value: Value, reads: readonly Read[]): boolean {
  const outputs = new Set(
    reads.filter((read) => group.members.includes(read.value)).map((read) => rootOutput(group, read.value)),
  );
  return outputs.size === 1 && sizeOf([...outputs][0]!.shape) === sizeOf(value.shape);
}

function dependsOn(group: Group, target: Group): boolean {
  const reached = new Set([group]);
  for (const one of reached) {
    if (one === target) return true;
    for (const before of one.after) reached.add(before); // which the loop comes to
  }
  return false;
}
