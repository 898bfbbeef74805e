// Control flow where lanes part: a mask says which are live. It is a local that a branch changes in place; undefined means
// that all are.
import type { Label } from '../wasm/module.js';
import type { Emitter } from './emit.js';
import type { BlockNode, Body, IfNode, Node, Value } from './ir.js';
import { bodiesOf } from './place-values.js';

export class Masks {
  /** The local with the lanes that are live. */
  live: number | undefined;
  /** Lanes that have left a block. */
  private readonly left = new Map<BlockNode, number>();
  /** Where to go when no lane is live: the end of what they part in. */
  private merge!: Label;
  private readonly leaving = new Map<Node, boolean>();

  constructor(private readonly e: Emitter) {}

  /** Whether some lanes may leave a node for a block around it. */
  private leaves(node: Node): boolean {
    let known = this.leaving.get(node);
    if (known === undefined) {
      const targets = new Set<BlockNode>();
      const inside = new Set<Node>();
      const collect = (at: Node): void => {
        inside.add(at);
        if (at.kind === 'break' && at.target.divergent) targets.add(at.target);
        for (const body of bodiesOf(at)) body.nodes.forEach(collect);
      };
      collect(node);
      known = [...targets].some((target) => !inside.has(target));
      this.leaving.set(node, known);
    }
    return known;
  }

  /** From here on the mask is a local. */
  private ensure(): number {
    if (this.live === undefined) {
      this.live = this.e.f.local('v128');
      this.e.f.i32x4(-1).set(this.live);
    }
    return this.live;
  }

  /** Before a node that stays as it is, but that lanes may leave. */
  prepare(node: Node): void {
    if (this.leaves(node)) this.ensure();
  }

  /** A region's own start. @param tail - lanes that exist, if not all do */
  enter(tail: number | undefined, end: Label): void {
    this.live = tail;
    this.merge = end;
  }

  /** Takes no part in what follows, if no lane does. */
  skipIfNone(live: number): void {
    this.e.f.get(live).op('v128.any_true').op('i32.eqz').brIf(this.merge);
  }

  if(node: IfNode): void {
    const { f } = this.e;
    const leaves = this.leaves(node);
    if (leaves) this.ensure();
    const { live: outer, merge } = this;
    const condition = f.local('v128');
    this.e.push(node.condition);
    f.set(condition);
    const yes = f.local('v128');
    f.get(condition);
    if (outer !== undefined) f.get(outer).op('v128.and');
    f.set(yes);
    const no = leaves || node.otherwise.nodes.length ? f.local('v128') : undefined;
    if (no !== undefined) {
      if (outer === undefined) f.get(condition).op('v128.not');
      else f.get(outer).get(condition).op('v128.andnot');
      f.set(no);
    }
    this.branch(node.taken, yes);
    if (node.otherwise.nodes.length) this.branch(node.otherwise, no!);
    this.live = outer;
    this.merge = merge;
    if (!leaves) return;
    f.get(yes).get(no!).op('v128.or').set(outer!);
    this.skipIfNone(outer!);
  }

  private branch(body: Body, live: number): void {
    const { f } = this.e;
    f.get(live).op('v128.any_true');
    this.merge = f.begin('if');
    this.live = live;
    this.e.body(body);
    f.end();
  }

  /** A block that lanes leave one by one. */
  block(node: BlockNode, label: () => Label, end: () => void): void {
    const { f } = this.e;
    const leaves = this.leaves(node);
    if (leaves) this.ensure();
    const { live: outer, merge } = this;
    const left = f.local('v128');
    this.left.set(node, left);
    f.i32x4(0).set(left);
    if (outer !== undefined) {
      this.live = f.local('v128');
      f.get(outer).set(this.live);
    }
    this.merge = label();
    this.e.body(node.body);
    end();
    const inner = this.live;
    this.live = outer;
    this.merge = merge;
    if (!leaves) return;
    f.get(left).get(inner!).op('v128.or').set(outer!);
    this.skipIfNone(outer!);
  }

  /** All live lanes leave a block. @param slot - puts a block's address of kept lanes on the stack, if it has one */
  leave(target: BlockNode, slot?: { address(): void; offset: number }): void {
    const { f } = this.e;
    const live = this.ensure();
    if (slot) {
      slot.address();
      slot.address();
      f.memory('v128.load', slot.offset).get(live).op('v128.or').memory('v128.store', slot.offset);
    } else {
      const left = this.left.get(target)!;
      f.get(left).get(live).op('v128.or').set(left);
    }
    f.i32x4(0).set(live).br(this.merge);
  }

  /** With a new value on the stack: what the live lanes take of it. @param old - puts the old one on the stack */
  blend(phi: Value, old: () => void): void {
    if (phi.kind !== 'v128' || phi.imm || this.live === undefined) return;
    old();
    this.e.f.get(this.live).op('v128.bitselect');
  }
}
