// The values that one kernel computes.
import type { Node, Value } from '../graph/node.js';

/** Values that one dispatch computes. */
export class Group {
  /** In the order of computation. */
  readonly members: Value[] = [];
  /** Members that have `length` elements in each row, not one. */
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

/** The tiled output whose elements a member of the epilogue is computed from. */
export function rootOutput(group: Group, member: Value): Value {
  return [member, ...group.inside.get(member)!].find(({ node }) => node === group.node) ?? member;
}
