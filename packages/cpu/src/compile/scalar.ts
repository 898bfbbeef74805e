// Scalar mode: one invocation after another. It runs every program, and is what lanes mode must equal.
import type { BlockNode, Body, Graph, Node, Value } from './ir.js';
import { ScalarForm } from './scalars.js';

/** Rewrites a body so that only instructions (and leaves that emit.ts knows) are left. */
export class ScalarMode {
  protected readonly memo = new Map<Value, Value>();
  private readonly blocks = new Map<BlockNode, BlockNode>();
  private readonly form: ScalarForm;

  constructor(
    protected readonly g: Graph,
    private readonly aliases: ReadonlyMap<Value, Value>,
  ) {
    this.form = new ScalarForm(g, 1);
  }

  body({ nodes }: Body): Body {
    return { nodes: nodes.map((node) => this.node(node)) };
  }

  private node(node: Node): Node {
    switch (node.kind) {
      case 'op':
        return { kind: 'op', value: this.effect(node.value) };
      case 'move':
        return { kind: 'move', phis: node.phis, values: node.values.map((value) => this.value(value)) };
      case 'if': {
        const condition = this.value(node.condition);
        return { ...node, condition, taken: this.body(node.taken), otherwise: this.body(node.otherwise) };
      }
      case 'block': {
        const block: BlockNode = { kind: 'block', body: { nodes: [] }, phis: node.phis };
        this.blocks.set(node, block);
        block.body.nodes.push(...this.body(node.body).nodes);
        return block;
      }
      case 'break':
        return { kind: 'break', target: this.blocks.get(node.target)! };
      case 'loop':
        return { ...node, body: this.body(node.body) };
      case 'region':
        return { ...node, left: node.left.map((block) => this.blocks.get(block)!), body: this.body(node.body) };
      default:
        return node;
    }
  }

  protected effect(value: Value): Value {
    const { op, access } = value;
    const args = value.args.map((arg) => this.value(arg));
    if (op === 'load' || op === 'uniformLoad') {
      const [result, word = result!] = this.form.load(access!, args, value.kind, true);
      this.memo.set(value, result!);
      return word;
    }
    if (op === 'store') return this.form.store(access!, args);
    if (op === 'clear') return this.form.clear(access!, value.imm);
    const made = op.startsWith('atomic')
      ? this.form.atomic(op, access!, args)
      : this.g.fresh(op, value.kind, args, value.imm, access);
    this.memo.set(value, made);
    return made;
  }

  value(value: Value): Value {
    const known = this.memo.get(value);
    if (known) return known;
    const made = this.rewritten(value);
    this.memo.set(value, made);
    return made;
  }

  private rewritten(value: Value): Value {
    const { op, kind, imm, access } = value;
    const alias = this.aliases.get(value);
    if (alias) return this.value(alias);
    if (op === 'phi') return value;
    const args = value.args.map((arg) => this.value(arg));
    return op === 'load' ? this.form.load(access!, args, kind, false)[0]! : this.form.compose(op, kind, args, imm);
  }
}
