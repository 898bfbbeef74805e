// Splits a program at its barriers. What contains one runs once for the workgroup (its conditions are uniform, the
// front end has checked it); the rest becomes regions, each a loop over the invocations.
import type { Divergence } from './divergence.js';
import type { BlockNode, Body, Node, Value } from './ir.js';
import { bodiesOf } from './place-values.js';

export interface Structured {
  readonly body: Body;
  /** Whether values live across regions. */
  readonly synchronizes: boolean;
}

/**
 * @param collectives - whether subgroup operations meet, as barriers do (in scalar mode; lanes mode has a subgroup side
 *   by side)
 */
export function structure(body: Body, found: Divergence, collectives: boolean): Structured {
  const splitter = new Splitter(found, collectives);
  splitter.mark(body);
  return { body: splitter.split(body, []), synchronizes: splitter.joint.size > 0 };
}

export const isCollective = (value: Value): boolean => /^(subgroup|quad)/.test(value.op) && !!value.pinned;

class Splitter {
  /** Nodes that the workgroup runs together. */
  readonly joint = new Set<Node>();
  /** Joint blocks that some invocations leave alone: no barrier follows for those. */
  private readonly left = new Set<BlockNode>();

  constructor(
    private readonly found: Divergence,
    private readonly collectives: boolean,
  ) {}

  mark(body: Body): void {
    this.markBarriers(body);
    let before = -1;
    // What leaves a joint block is joint itself, if all leave together; so on until nothing is added.
    while (before !== this.joint.size) {
      before = this.joint.size;
      this.markBreaks(body, []);
    }
  }

  private meets(node: Node): boolean {
    if (node.kind === 'barrier') return true;
    if (node.kind !== 'op') return false;
    return node.value.op === 'uniformLoad' || (this.collectives && isCollective(node.value));
  }

  private markBarriers({ nodes }: Body): boolean {
    let any = false;
    for (const node of nodes) {
      let meets = this.meets(node);
      for (const child of bodiesOf(node)) if (this.markBarriers(child)) meets = true;
      if (!meets) continue;
      this.joint.add(node);
      any = true;
    }
    return any;
  }

  private markBreaks({ nodes }: Body, path: Node[]): void {
    for (const node of nodes) {
      if (node.kind === 'break' && this.joint.has(node.target)) this.markBreak(node, path);
      path.push(node);
      for (const child of bodiesOf(node)) this.markBreaks(child, path);
      path.pop();
    }
  }

  private markBreak(node: Extract<Node, { kind: 'break' }>, path: readonly Node[]): void {
    const way = path.slice(path.lastIndexOf(node.target) + 1);
    const alone = way.some(
      (step) => step.kind === 'if' && !this.joint.has(step) && this.found.shape(step.condition) === undefined,
    );
    if (alone) {
      this.left.add(node.target);
      return;
    }
    for (const step of way) this.joint.add(step);
    this.joint.add(node);
  }

  split(body: Body, left: readonly BlockNode[]): Body {
    const nodes: Node[] = [];
    let run: Node[] = [];
    const flush = () => {
      if (run.length) nodes.push({ kind: 'region', body: { nodes: run }, left });
      run = [];
    };
    for (const node of body.nodes) {
      if (node.kind === 'move' && this.joint.size > 0) {
        const { own, shared } = this.parts(node);
        if (own.phis.length) run.push(own);
        flush();
        if (shared.phis.length) nodes.push(shared);
      } else if (!this.joint.has(node)) run.push(node);
      else if (node.kind === 'op' && isCollective(node.value)) {
        // Every invocation has shown its operand; now each looks at those of its subgroup.
        flush();
        run.push(node);
      } else {
        flush();
        if (node.kind !== 'barrier') nodes.push(this.together(node, left));
      }
    }
    flush();
    return { nodes };
  }

  private parts({ phis, values }: Extract<Node, { kind: 'move' }>) {
    const pick = (varying: boolean) => {
      const chosen = phis.map((phi, i) => ({ phi, value: values[i]! }));
      const kept = chosen.filter(({ phi }) => (this.found.shape(phi) === undefined) === varying);
      return { kind: 'move' as const, phis: kept.map(({ phi }) => phi), values: kept.map(({ value }) => value) };
    };
    return { own: pick(true), shared: pick(false) };
  }

  /** The same objects with their bodies split, so that `break` still finds its block. */
  private together(node: Node, left: readonly BlockNode[]): Node {
    const replace = (body: Body, inner = left) => {
      const { nodes } = this.split(body, inner);
      body.nodes.splice(0, body.nodes.length, ...nodes);
    };
    if (node.kind === 'block') replace(node.body, this.left.has(node) ? [...left, node] : left);
    else for (const child of bodiesOf(node)) replace(child);
    return node;
  }
}
