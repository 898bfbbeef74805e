// Lanes mode: four invocations side by side, single program, multiple data. What is the same in all four stays a scalar, and
// so does what differs by a constant; the rest is a v128. Where control flow diverges, emit.ts keeps a mask of live lanes.
import { Copy, type Made } from './copy.js';
import type { Shape } from './divergence.js';
import type { Access, BlockNode, Body, Graph, Kind, LoopNode, Node, Value } from './ir.js';
import { isLoad } from './place-values.js';
import { mayBeNan, ScalarForm } from './scalars.js';
import { alignPhis } from './shapes.js';
import { isCollective } from './structure.js';
import { VectorForm } from './vectors.js';
import { planLoop, planRegion, type Version } from './versions.js';

/** What lanes mode cannot do; the kernel is compiled in scalar mode then. */
export class Unsupported extends Error {}

export class LanesMode {
  readonly scalars: ScalarForm;
  readonly vectors: VectorForm;
  /** Phis, of those that were: which of them an invocation has its own value of. */
  readonly origins = new Map<Value, Value>();
  private readonly blocks = new Map<BlockNode, BlockNode>();
  private copy!: Copy;
  private inRegion = false;
  /** Of the loop that is being written: addresses that it moves along. */
  private pointers = new Map<string, { phi: Value; first: Value; next: Value }>();

  constructor(
    readonly g: Graph,
    readonly aliases: ReadonlyMap<Value, Value>,
    private readonly synchronizes: boolean,
  ) {
    this.scalars = new ScalarForm(g, 4);
    this.vectors = new VectorForm(g, this.scalars);
  }

  program(body: Body): Body {
    alignPhis(body);
    this.copy = new Copy(body.nodes, this.aliases);
    return this.body(body);
  }

  // ------------------------------------------------------------------------------------------------------- values

  shape(value: Value): Shape {
    return this.copy.shape(value);
  }

  /** A value in lane 0: in every lane, if it is uniform. */
  scalar(value: Value): Value {
    const alias = this.aliases.get(value);
    if (alias) return this.scalar(alias);
    if (value.op === 'const') return value;
    const { scalars } = this.copy;
    let made = scalars.get(value);
    if (!made) {
      made = this.makeScalar(value);
      scalars.set(value, made);
    }
    return made;
  }

  private makeScalar(value: Value): Value {
    const { op, kind, imm, access } = value;
    if (op === 'phi' || value.pinned) {
      const { scalar, vector } = this.copy.definition(value)!;
      return scalar ?? this.vectors.first(vector!, kind);
    }
    if (op === 'load') {
      if (this.shape(value) !== 0) return this.vectors.first(this.vector(value), kind);
      return this.loadScalar(value, access!, false)[0]!;
    }
    return this.scalars.compose(
      op,
      kind,
      value.args.map((arg) => this.scalar(arg)),
      imm,
    );
  }

  vector(value: Value): Value {
    const alias = this.aliases.get(value);
    if (alias) return this.vector(alias);
    const { vectors } = this.copy;
    let made = vectors.get(value);
    if (!made) {
      const shape = this.shape(value);
      made = shape === undefined ? this.makeVector(value) : this.vectors.ramp(this.scalar(value), shape);
      vectors.set(value, made);
    }
    return made;
  }

  private makeVector(value: Value): Value {
    const { op, args } = value;
    if (op === 'phi' || value.pinned) return this.copy.definition(value)!.vector!;
    if (op === 'load') return this.loadVector(value, false)[0]!;
    if (op === 'select' && this.shape(args[0]!) === 0 && value.kind !== 'bool') {
      const [, yes, no] = args.map((arg, i) => (i === 0 ? arg : this.vector(arg))) as [Value, Value, Value];
      if (reads(yes) || reads(no)) return this.g.op('v128.choose', 'v128', [this.scalar(args[0]!), yes, no]);
    }
    const shift = /^i32\.sh/.test(op) && this.shape(args[1]!) === 0;
    const vectors = (shift ? args.slice(0, 1) : args).map((arg) => this.vector(arg));
    return this.vectors.compose(op, vectors, shift ? this.scalar(args[1]!) : undefined);
  }

  /** A value in the form that its shape has. */
  private either(value: Value): Value {
    return this.shape(value) === undefined ? this.vector(value) : this.scalar(value);
  }

  // ------------------------------------------------------------------------------------------------------- memory

  private indices({ access, args }: Value): readonly Value[] {
    return args.slice(0, access!.strides.length);
  }

  private loadScalar(value: Value, access: Access, pinned: boolean): Value[] {
    const fast = this.copy.version?.addresses.get(value);
    if (fast) return this.scalars.loadAt(access, fast.address(this), value.kind, pinned, fast.offset);
    const indices = this.indices(value).map((index) => this.scalar(index));
    return this.scalars.load(access, indices, value.kind, pinned);
  }

  /** The index that counts up from lane to lane, if the four elements lie side by side. */
  private consecutive(access: Access, indices: readonly Value[]): number | undefined {
    if (access.root.kind === 'frame') return undefined;
    const bytes = access.width === 'f16' ? 2 : 4;
    const shapes = indices.map((index) => this.shape(index));
    const at = shapes.indexOf(1);
    const others = shapes.every((shape, i) => i === at || shape === 0);
    return at >= 0 && others && access.strides[at] === bytes ? at : undefined;
  }

  /** Lane 0's address, and what decides whether all four lanes are in bounds. */
  private sideBySide(access: Access, indices: readonly Value[], at: number) {
    const { g, scalars } = this;
    const lane0 = indices.map((index) => this.scalar(index));
    const { address, offset } = scalars.address(access, lane0);
    const others = lane0.flatMap((index, i) => (i === at ? [] : [g.test('lt_u', index, scalars.count(access, i))]));
    const rest = others.reduce((a, b) => g.and(a, b), g.bool(true));
    const count = g.select(rest, scalars.count(access, at), g.i32(0));
    const inBounds = g.test('lt_u', lane0[at]!, scalars.room(count));
    return { address, offset, index: lane0[at]!, count, inBounds };
  }

  /** Four elements; of f16 also their words. */
  private loadVector(value: Value, pinned: boolean): Value[] {
    const { g, vectors } = this;
    const { access } = value as { access: Access };
    const make = (op: string, args: readonly Value[], imm: number) =>
      pinned ? g.fresh(op, 'v128', args, imm, access) : g.op(op, 'v128', args, imm, access);
    const decoded = (word: Value) => (access.width === 'f16' ? [vectors.op('f16.decode', word), word] : [word]);
    const indices = this.indices(value);
    const size = access.width === 'f16' ? 16 : 32;
    const fast = this.copy.version?.addresses.get(value);
    if (fast) return decoded(make(size === 16 ? 'load16x4' : 'v128.load', [fast.address(this)], fast.offset));
    if (access.root.kind === 'frame' && indices.every((index) => this.shape(index) === 0)) {
      const at = this.scalars.address(
        access,
        indices.map((index) => this.scalar(index)),
      );
      return [make('v128.load', [this.scalars.safeAddress(at)], at.offset)];
    }
    const at = this.consecutive(access, indices);
    if (at !== undefined) {
      const { address, offset, index, count, inBounds } = this.sideBySide(access, indices, at);
      return decoded(make(`guard.load${size}`, [inBounds, address, index, count], offset));
    }
    const { addresses, inBounds, offset } = this.spread(access, indices);
    const zeros = vectors.splat(g.op('scratch', 'i32', []));
    const safe = inBounds ? vectors.select(inBounds, addresses, zeros) : addresses;
    const perhaps = size === 32 && indices.some((index) => this.shape(index) === undefined) ? '.perhaps' : '';
    return decoded(make(`gather${perhaps}${size}`, [safe], offset));
  }

  private spread(access: Access, indices: readonly Value[]) {
    const parts = indices.map((index) => ({
      scalar: this.shape(index) === 0 ? this.scalar(index) : undefined,
      vector: this.shape(index) === 0 ? index : this.vector(index),
    }));
    return this.vectors.addresses(access, parts);
  }

  private store(node: Value): Value {
    const { g, vectors } = this;
    const { access } = node as { access: Access };
    const indices = this.indices(node);
    const stored = node.args.at(-1)!;
    const uniform = [...indices, stored].every((arg) => this.shape(arg) === 0);
    if (uniform && access.root.kind !== 'frame')
      return this.scalars.store(
        access,
        node.args.map((arg) => this.scalar(arg)),
      );
    const value = this.stored(access, stored);
    const size = access.width === 'f16' ? 16 : 32;
    const fast = this.copy.version?.addresses.get(node);
    const fastStore = access.root.kind === 'frame' ? 'frame.store' : `whole.store${size}`;
    if (fast) return g.fresh(fastStore, 'none', [fast.address(this), value], fast.offset, access);
    if (access.root.kind === 'frame' && indices.every((index) => this.shape(index) === 0)) {
      const at = this.scalars.address(
        access,
        indices.map((index) => this.scalar(index)),
      );
      return g.fresh(
        'frame.store',
        'none',
        [at.address, value, ...(at.inBounds ? [at.inBounds] : [])],
        at.offset,
        access,
      );
    }
    const at = this.consecutive(access, indices);
    if (at !== undefined) {
      const { address, offset, index, count, inBounds } = this.sideBySide(access, indices, at);
      return g.fresh(`guard.store${size}`, 'none', [inBounds, address, index, count, value], offset, access);
    }
    const { addresses, inBounds = vectors.splat(g.bool(true)), offset } = this.spread(access, indices);
    return g.fresh(`scatter.store${size}`, 'none', [addresses, inBounds, value], offset, access);
  }

  private stored(access: Access, stored: Value): Value {
    const value = this.vector(stored);
    if (access.width === 'f16') return this.vectors.op('f16.encode', value);
    const visible = access.width === 'f32' && access.root.kind === 'binding' && mayBeNan(stored);
    return visible ? this.vectors.compose('f32.canonical', [value]) : value;
  }

  // ------------------------------------------------------------------------------------------------------ effects

  private effect(value: Value): Value {
    const { g, vectors } = this;
    const { op, access, args } = value;
    const define = (made: Made) => void this.copy.defined.set(value, made);
    if (op === 'load' || op === 'uniformLoad') {
      const uniform = this.shape(value) === 0;
      const [result, word = result!] = uniform ? this.loadScalar(value, access!, true) : this.loadVector(value, true);
      define(uniform ? { scalar: result } : { vector: result });
      return word;
    }
    if (op === 'store') return this.store(value);
    if (op === 'clear') return this.scalars.clear(access!, value.imm);
    if (op.startsWith('atomic')) {
      const { addresses, inBounds = vectors.splat(g.bool(true)), offset } = this.spread(access!, this.indices(value));
      const operands = args.slice(access!.strides.length).map((arg) => this.vector(arg));
      const made = g.fresh(`each ${op}`, 'v128', [addresses, inBounds, ...operands], offset, access);
      define({ vector: made });
      return made;
    }
    if (op !== 'show' && !isCollective(value)) throw new Error(`internal: no lanes for "${op}".`);
    const made = g.fresh(
      op,
      'v128',
      args.map((arg) => this.vector(arg)),
      value.imm,
    );
    define({ vector: made });
    return made;
  }

  // ------------------------------------------------------------------------------------------------- control flow

  private phi(phi: Value, ofLoop: boolean): Value {
    const known = this.copy.defined.get(phi);
    if (known) return (known.vector ?? known.scalar)!;
    const varies = this.shape(phi) === undefined;
    const kind: Kind = varies ? 'v128' : phi.kind;
    const made = this.g.fresh('phi', kind, [], Number(ofLoop));
    this.copy.defined.set(phi, varies ? { vector: made } : { scalar: made });
    this.origins.set(made, phi);
    return made;
  }

  /** A loop's body; where lanes may end at different turns, a turn itself comes in two versions. */
  private turn(node: LoopNode): Body {
    const write = () => this.body(node.body).nodes;
    const version = this.inRegion && !this.copy.version && !this.copy.plain ? planRegion(this, node.body) : undefined;
    return version ? this.versions(version, node.body.nodes, write) : { nodes: write() };
  }

  /** An address that begins with `first` and grows by `delta` with each turn of the loop that is being written. */
  pointer(first: Value, delta: Value): Value {
    const key = `${first.id} ${delta.id}`;
    let found = this.pointers.get(key);
    if (!found) {
      const phi = this.g.fresh('phi', 'i32', [], 1);
      found = { phi, first, next: this.g.int('add', phi, delta) };
      this.pointers.set(key, found);
    }
    return found.phi;
  }

  private move({ phis, values }: Extract<Node, { kind: 'move' }>): Node {
    // A move before a loop that the workgroup runs together is the first that knows its phis.
    const made = phis.map((phi) => {
      if (!this.copy.definition(phi)) this.phi(phi, true);
      return this.copy.definition(phi)!;
    });
    return {
      kind: 'move',
      phis: made.map(({ scalar, vector }) => (vector ?? scalar)!),
      values: made.map(({ vector }, i) => (vector ? this.vector(values[i]!) : this.scalar(values[i]!))),
    };
  }

  body({ nodes }: Body): Body {
    const made: Node[] = [];
    nodes.forEach((node, i) => {
      const next = nodes[i + 1];
      // A loop's first move belongs to each of its copies.
      if (node.kind === 'move' && next?.kind === 'loop' && next.phis === node.phis) return;
      const before = nodes[i - 1];
      const entry = node.kind === 'loop' && before?.kind === 'move' && before.phis === node.phis ? before : undefined;
      if (node.kind === 'loop') made.push(...this.loop(node, entry));
      else made.push(this.node(node));
    });
    return { nodes: made };
  }

  private node(node: Exclude<Node, LoopNode>): Node {
    switch (node.kind) {
      case 'op':
        return { kind: 'op', value: this.effect(node.value) };
      case 'move':
        return this.move(node);
      case 'if': {
        const phis = node.phis.map((phi) => this.phi(phi, false));
        const condition = this.inRegion ? this.either(node.condition) : this.scalar(node.condition);
        return { kind: 'if', condition, phis, taken: this.body(node.taken), otherwise: this.body(node.otherwise) };
      }
      case 'block': {
        const phis = node.phis.map((phi) => this.phi(phi, false));
        const block: BlockNode = { kind: 'block', body: { nodes: [] }, phis, divergent: this.copy.isDivergent(node) };
        this.blocks.set(node, block);
        block.body.nodes.push(...this.body(node.body).nodes);
        return block;
      }
      case 'break':
        return { kind: 'break', target: this.blocks.get(node.target)! };
      case 'region': {
        this.inRegion = true;
        // What other regions need must be defined once.
        const version = this.synchronizes ? undefined : planRegion(this, node.body);
        const body = version
          ? this.versions(version, node.body.nodes, () => this.body(node.body).nodes)
          : this.body(node.body);
        this.inRegion = false;
        return { kind: 'region', left: node.left.map((block) => this.blocks.get(block)!), body };
      }
      default:
        return node;
    }
  }

  private loop(node: LoopNode, entry: Extract<Node, { kind: 'move' }> | undefined): readonly Node[] {
    const write = (): Node[] => {
      const outer = this.pointers;
      this.pointers = new Map();
      const phis = node.phis.map((phi) => this.phi(phi, true));
      const first = entry ? [this.move(entry)] : [];
      const body = this.turn(node);
      const pointers = [...this.pointers.values()];
      this.pointers = outer;
      if (pointers.length) {
        const own = pointers.map(({ phi }) => phi);
        phis.push(...own);
        first.push({ kind: 'move', phis: own, values: pointers.map((pointer) => pointer.first) });
        body.nodes.push({ kind: 'move', phis: own, values: pointers.map((pointer) => pointer.next) });
      }
      return [...first, { kind: 'loop', phis, body }];
    };
    const version = this.inRegion && entry && !this.copy.version ? planLoop(this, node, entry) : undefined;
    return version ? this.versions(version, [entry!, node], write).nodes : write();
  }

  /** Two copies of some nodes, one of them for when what it assumes is so. */
  private versions(version: Version, nodes: readonly Node[], write: () => Node[]): Body {
    const outer = this.copy;
    const inCopy = (under?: Version): Body => {
      this.copy = new Copy(nodes, this.aliases, under, outer, !under && version.usual);
      const body = { nodes: write() };
      this.copy = outer;
      return body;
    };
    const taken = inCopy(version);
    const otherwise = inCopy();
    return { nodes: [{ kind: 'if', condition: version.condition, taken, otherwise, phis: [] }] };
  }
}

/** Whether a load is near the root of a value. */
function reads(value: Value, depth = 3): boolean {
  return isLoad(value) || (depth > 0 && value.args.some((arg) => reads(arg, depth - 1)));
}
