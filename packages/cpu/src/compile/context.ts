// What lowering a program knows at a point of it: the graph, the body it writes to, the values of cells, and where `break`,
// `continue` and `return` go.
import type { LocalVariable, Program, ProgramFunction, Variable } from '../program/program.js';
import type { Type } from '../program/types.js';
import {
  type Access,
  type BlockNode,
  type Body,
  Graph,
  type Kind,
  type Node,
  type Root,
  type Source,
  type Value,
} from './ir.js';
import { type Cell, kindOf, leavesOf, type MemoryPlace, type Place, scalarsOf, widthOf } from './places.js';

/** What a name means inside one inlined copy of a function. */
export type Binding = readonly Value[] | Place;

export type Environment = Map<Cell, Value>;

/** A way to where several meet: the values of cells at its end, and the node that will move them. */
export interface Edge {
  readonly environment: Environment;
  readonly depth: number;
  readonly move: { readonly kind: 'move'; readonly phis: Value[]; readonly values: Value[] };
}

/** A block that can be left, and the points where it is. */
export interface Target {
  readonly node: BlockNode;
  readonly exits: Edge[];
  readonly depth: number;
}

/** One inlined copy of a function. */
export interface Frame {
  readonly bindings: Map<Variable, Binding>;
  readonly returns: Target;
  readonly result: readonly Cell[];
  readonly function: ProgramFunction;
}

export class Context {
  readonly g = new Graph();
  body: Body = { nodes: [] };
  environment: Environment = new Map();
  /** Whether control can get here. */
  alive = true;
  frame!: Frame;
  readonly breaks: Target[] = [];
  readonly continues: Target[] = [];
  /** Loops around. */
  depth = 0;
  /** Scalars of an invocation's own memory; bytes of the workgroup's. */
  frameSize = 0;
  workgroupSize = 0;
  readonly globals = new Map<Variable, Binding>();
  readonly aliases = new Map<Value, Value>();
  /** For the sanitizer: the last subgroup operation, and which one an effect belongs to. */
  meeting: Source | undefined;
  readonly meetings = new Map<Value, Source>();

  constructor(
    readonly program: Program,
    readonly dynamic: ReadonlySet<Variable>,
    /** Whether the sanitizer watches: every access is an effect that knows its source, and none is made needlessly. */
    readonly watched: boolean = false,
  ) {}

  emit(node: Node): void {
    this.body.nodes.push(node);
  }

  /** An effect, here. */
  effect(op: string, kind: Kind, args: readonly Value[], access?: Access, imm = 0): Value {
    const value = this.g.fresh(op, kind, args, imm, access);
    this.emit({ kind: 'op', value });
    if (this.watched && this.meeting) this.meetings.set(value, this.meeting);
    return value;
  }

  /** What is written inside goes to a body of its own; says whether its end is reached. */
  within(body: Body, environment: Environment, write: () => void): { alive: boolean; environment: Environment } {
    const outer = { body: this.body, environment: this.environment, alive: this.alive };
    this.body = body;
    this.environment = new Map(environment);
    this.alive = true;
    write();
    const result = { alive: this.alive, environment: this.environment };
    Object.assign(this, outer);
    return result;
  }

  binding(variable: Variable): Binding {
    const found = variable.kind === 'global' ? this.globals.get(variable) : this.frame.bindings.get(variable);
    if (!found) throw new Error(`internal: "${variable.name}" has no place.`);
    return found;
  }

  /** A place for a variable of this invocation: cells, or its own memory where it is indexed dynamically. */
  allocate(variable: { readonly type: Type }, inMemory = this.dynamic.has(variable as LocalVariable)): Place {
    const { type } = variable;
    const scalars = scalarsOf(type);
    if (!inMemory) return { kind: 'cells', type, cells: scalars.map((scalar) => ({ kind: kindOf(scalar) })) };
    const offset = this.frameSize;
    this.frameSize += scalars.length;
    return { kind: 'memory', type, root: { kind: 'frame' }, offset, terms: [], constant: false };
  }

  zero(kind: Kind): Value {
    return kind === 'f32' ? this.g.f32(0) : kind === 'bool' ? this.g.bool(false) : this.g.i32(0);
  }

  zeros(type: Type): Value[] {
    return scalarsOf(type).map((scalar) => this.zero(kindOf(scalar)));
  }

  load(place: Place): Value[] {
    const { g } = this;
    if (place.kind === 'cells') {
      const values = place.cells.map((cell) => this.environment.get(cell) ?? this.zero(cell.kind));
      return place.pick ? [this.pick(values, place.pick)] : values;
    }
    return this.accesses(place).map(({ access, args, kind }) => {
      const machine = kind === 'bool' ? 'i32' : kind;
      const value = access.constant
        ? g.op('load', machine, args, 0, access)
        : this.effect('load', machine, args, access);
      return kind === 'bool' ? g.test('ne', value, 0) : value;
    });
  }

  store(place: Place, values: readonly Value[]): void {
    const { g } = this;
    if (place.kind === 'memory') {
      this.accesses(place).forEach(({ access, args, kind }, i) => {
        const value = kind === 'bool' ? g.select(values[i]!, g.i32(1), g.i32(0)) : values[i]!;
        this.effect('store', 'none', [...args, value], access);
      });
      return;
    }
    place.cells.forEach((cell, i) => {
      const old = this.environment.get(cell) ?? this.zero(cell.kind);
      const here = place.pick && g.test('eq', place.pick, i);
      this.environment.set(cell, here ? g.select(here, values[0]!, old) : values[i]!);
    });
  }

  /** One of several values, by an index; the last where it is out of bounds. */
  pick(values: readonly Value[], index: Value): Value {
    const { g } = this;
    let chosen = values.at(-1)!;
    for (let i = values.length - 2; i >= 0; i--) {
      chosen = g.select(g.test('eq', index, i), values[i]!, chosen);
    }
    return chosen;
  }

  /** An index of what is not in memory, for the sanitizer to compare. */
  watchIndex(index: Value, count: number, source: Source): void {
    if (!this.watched || index.op === 'const') return;
    const access: Access = {
      root: { kind: 'frame' },
      offset: 0,
      strides: [1],
      counts: [count],
      width: 'i32',
      constant: true,
      source,
    };
    this.effect('index', 'none', [index], access);
  }

  /** The memory operations that a place needs, one a scalar. */
  accesses(place: MemoryPlace): { access: Access; args: Value[]; kind: Kind }[] {
    const args = place.terms.map(({ index }) => index);
    const strides = place.terms.map(({ stride }) => stride);
    const counts = place.terms.map(({ count }) => count);
    const { root, constant, arrayOffset, source } = place;
    return leavesOf(root, place.type, place.offset).map(({ offset, scalar }) => {
      const width = root.kind === 'frame' && scalar === 'f16' ? 'f32' : widthOf(scalar);
      const access: Access = { root, offset, strides, counts, width, constant, arrayOffset, source };
      return { access, args, kind: kindOf(scalar) };
    });
  }

  memory(root: Root, type: Type, offset: number, constant: boolean): MemoryPlace {
    return { kind: 'memory', type, root, offset, terms: [], constant };
  }

  // ------------------------------------------------------------------------------------------------- control flow

  /** Opens a block; `write` fills it; its end is where its exits and its own end meet. */
  block(write: (target: Target) => void, merged?: Iterable<Cell>): void {
    const node: BlockNode = { kind: 'block', body: { nodes: [] }, phis: [] };
    const target: Target = { node, exits: [], depth: this.depth };
    const end = this.within(node.body, this.environment, () => write(target));
    if (target.exits.length === 0) {
      this.body.nodes.push(...node.body.nodes);
      this.environment = end.environment;
      this.alive = end.alive;
      return;
    }
    this.emit(node);
    const edges = [...target.exits];
    if (end.alive) edges.push(this.edge(node.body, end.environment));
    this.merge(edges, node.phis, merged);
    this.alive = true;
  }

  /** A way that ends at the end of a body. */
  edge(body: Body, environment: Environment): Edge {
    const move: Edge['move'] = { kind: 'move', phis: [], values: [] };
    body.nodes.push(move);
    return { environment, depth: this.depth, move };
  }

  /** Leaves a block from here. */
  leave(target: Target): void {
    target.exits.push(this.edge(this.body, this.environment));
    this.emit({ kind: 'break', target: target.node });
    this.alive = false;
  }

  /** Where several ways meet: cells with several values get a phi. What leaves a loop is always one. */
  merge(edges: readonly Edge[], phis: Value[], cells?: Iterable<Cell>): void {
    const [first, ...rest] = edges as [(typeof edges)[0], ...typeof edges];
    const before = this.environment;
    const environment: Environment = new Map();
    const leavesLoop = edges.some(({ depth }) => depth > this.depth);
    for (const cell of cells ?? first.environment.keys()) {
      const value = first.environment.get(cell);
      if (!value || rest.some((edge) => !edge.environment.has(cell))) continue;
      const same = rest.every((edge) => edge.environment.get(cell) === value);
      if (same && (!leavesLoop || before.get(cell) === value || value.op === 'const')) {
        environment.set(cell, value);
        continue;
      }
      const phi = this.g.fresh('phi', cell.kind);
      phis.push(phi);
      for (const { move, environment: at } of edges) {
        move.phis.push(phi);
        move.values.push(at.get(cell)!);
      }
      environment.set(cell, phi);
    }
    this.environment = environment;
  }
}
