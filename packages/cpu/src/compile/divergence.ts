// Which values differ between the invocations that run together, and which blocks some of them leave earlier than others.
import type { BlockNode, Body, Node, Value } from './ir.js';
import { bodiesOf } from './schedule.js';

export interface Divergence {
  readonly varying: ReadonlySet<Value>;
  /** Blocks that are left under a condition that varies. */
  readonly blocks: ReadonlySet<BlockNode>;
}

/** Whether a leaf or an effect varies by itself, whatever its operands. */
export type Varies = (value: Value) => boolean;

/** Of a workgroup: memory that is written differs from one invocation to the next, everything else follows. */
export const variesInWorkgroup: Varies = ({ op, pinned }) => op === 'local_index' || (!!pinned && op !== 'uniformLoad');

/** The least solution: what is not shown to vary is uniform. */
export function divergence(body: Body, varies: Varies, aliases: ReadonlyMap<Value, Value>): Divergence {
  return new Analysis(varies, aliases).run(body);
}

class Analysis {
  private readonly varying = new Set<Value>();
  private readonly blocks = new Set<BlockNode>();
  private known = new Map<Value, boolean>();
  private changed = true;

  constructor(
    private readonly varies: Varies,
    private readonly aliases: ReadonlyMap<Value, Value>,
  ) {}

  run(body: Body): Divergence {
    while (this.changed) {
      this.changed = false;
      this.known = new Map();
      this.walk(body, []);
    }
    return { varying: this.varying, blocks: this.blocks };
  }

  private walk(body: Body, path: Node[]): void {
    for (const node of body.nodes) {
      if (node.kind === 'op') this.value(node.value);
      if (node.kind === 'move') node.phis.forEach((phi, i) => void (this.value(node.values[i]!) && this.add(phi)));
      if (node.kind === 'break') this.leave(node.target, path);
      if (node.kind === 'if' && this.value(node.condition)) for (const phi of node.phis) this.add(phi);
      if (node.kind === 'block' && this.blocks.has(node)) for (const phi of node.phis) this.add(phi);
      path.push(node);
      for (const child of bodiesOf(node)) this.walk(child, path);
      path.pop();
    }
  }

  /** A block is left by some only, if a varying condition or a block that some have left lies between. */
  private leave(target: BlockNode, path: readonly Node[]): void {
    for (let i = path.length - 1; path[i] !== target; i--) {
      const node = path[i]!;
      const partial = node.kind === 'if' ? this.value(node.condition) : node.kind === 'block' && this.blocks.has(node);
      if (!partial || this.blocks.has(target)) continue;
      this.blocks.add(target);
      this.changed = true;
    }
  }

  private add(value: Value): void {
    if (this.varying.has(value)) return;
    this.varying.add(value);
    this.changed = true;
  }

  private value(value: Value): boolean {
    if (this.varying.has(value)) return true;
    const known = this.known.get(value);
    if (known !== undefined) return known;
    const alias = this.aliases.get(value);
    let result = alias ? this.value(alias) : value.op !== 'phi' && this.varies(value);
    for (const arg of value.args) if (this.value(arg)) result = true;
    this.known.set(value, result);
    if (result) this.add(value);
    return result;
  }
}
