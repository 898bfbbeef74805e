// Which values differ between the invocations that run together, and how; which blocks some of them leave earlier than
// others.
import type { BlockNode, Body, Node, Value } from './ir.js';
import { bodiesOf } from './place-values.js';

/**
 * How a value differs from one invocation to the next: by a constant (0: not at all), or undefined: somehow.
 */
export type Shape = number | undefined;

export interface Divergence {
  shape(value: Value): Shape;
  /** Blocks that are left under a condition that varies. */
  readonly blocks: ReadonlySet<BlockNode>;
}

/** A value's shape from its operands'. Not asked for phis. */
export type Transfer = (value: Value, shape: (value: Value) => Shape) => Shape;

/** Of a workgroup: memory that is written differs from one invocation to the next, everything else follows. */
export const inWorkgroup: Transfer = ({ op, pinned, args }, shape) => {
  if (op === 'uniformLoad') return 0;
  return op === 'local_index' || pinned || args.some((arg) => shape(arg) === undefined) ? undefined : 0;
};

/** @param outer - shapes of phis that are defined outside the body */
export function divergence(
  body: Body,
  transfer: Transfer,
  aliases: ReadonlyMap<Value, Value>,
  outer?: (phi: Value) => Shape,
): Divergence {
  return new Analysis(transfer, aliases, outer).run(body);
}

class Analysis implements Divergence {
  readonly blocks = new Set<BlockNode>();
  private readonly phis = new Map<Value, Shape>();
  private known = new Map<Value, Shape>();
  private changed = true;
  /** Phis that the body defines. Those around it are moved to from elsewhere as well. */
  private readonly own = new Set<Value>();

  constructor(
    private readonly transfer: Transfer,
    private readonly aliases: ReadonlyMap<Value, Value>,
    private readonly outer: ((phi: Value) => Shape) | undefined,
  ) {}

  /** Optimistic: a phi has the shape of what is first moved to it, until something else is. */
  run(body: Body): this {
    this.define(body);
    while (this.changed) {
      this.changed = false;
      this.known = new Map();
      this.walk(body, []);
    }
    return this;
  }

  private define(body: Body): void {
    for (const node of body.nodes) {
      if (node.kind === 'if' || node.kind === 'block' || node.kind === 'loop')
        for (const phi of node.phis) this.own.add(phi);
      for (const child of bodiesOf(node)) this.define(child);
    }
  }

  private walk(body: Body, path: Node[]): void {
    for (const node of body.nodes) {
      if (node.kind === 'move') node.phis.forEach((phi, i) => void this.meet(phi, this.shape(node.values[i]!)));
      if (node.kind === 'break') this.leave(node.target, path);
      const partial =
        (node.kind === 'if' && this.shape(node.condition) !== 0) || (node.kind === 'block' && this.blocks.has(node));
      path.push(node);
      for (const child of bodiesOf(node)) this.walk(child, path);
      path.pop();
      if (partial) for (const phi of (node as BlockNode).phis) this.meet(phi, undefined);
    }
  }

  /** A block is left by some only, if a varying condition or a block that some have left lies between. */
  private leave(target: BlockNode, path: readonly Node[]): void {
    for (let i = path.length - 1; i >= 0 && path[i] !== target; i--) {
      const node = path[i]!;
      const partial =
        node.kind === 'if' ? this.shape(node.condition) !== 0 : node.kind === 'block' && this.blocks.has(node);
      if (!partial || this.blocks.has(target)) continue;
      this.blocks.add(target);
      this.changed = true;
    }
  }

  private meet(phi: Value, shape: Shape): void {
    if (!this.own.has(phi)) return;
    if (!this.phis.has(phi)) this.phis.set(phi, shape);
    else if (this.phis.get(phi) !== undefined && this.phis.get(phi) !== shape) this.phis.set(phi, undefined);
    else return;
    this.changed = true;
  }

  shape(value: Value): Shape {
    const alias = this.aliases.get(value);
    if (alias) return this.shape(alias);
    if (value.op === 'phi') return this.phis.has(value) ? this.phis.get(value) : this.outer?.(value);
    if (this.known.has(value)) return this.known.get(value);
    const shape = this.transfer(value, (arg) => this.shape(arg));
    this.known.set(value, shape);
    return shape;
  }
}
