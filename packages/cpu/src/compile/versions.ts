// A loop or a region in two versions: a fast one under assumptions that are tested before it (indices in bounds, lanes side by
// side, conditions that all lanes agree on), and the general one.
import type { Shape } from './divergence.js';
import type { Access, Body, LoopNode, Node, Value } from './ir.js';
import type { LanesMode } from './lanes.js';
import { bodiesOf } from './place-values.js';
import { SoftShapes } from './soft.js';

export interface Version {
  /** What must hold for it. */
  readonly condition: Value;
  readonly assumed: ReadonlyMap<Value, Shape>;
  /** Addresses of accesses that need no bounds any more. */
  readonly addresses: ReadonlyMap<Value, FastAddress>;
  /** Whether it fails seldom enough that the general version is only written plainly. */
  readonly usual: boolean;
}

export interface FastAddress {
  address(mode: LanesMode): Value;
  /** In bytes, on top of it. */
  readonly offset: number;
}

/** What a loop counts with, and the most it gets to; where it begins and its step, where that is constant. */
interface Counter {
  readonly phi: Value;
  readonly most: Value;
  readonly first: Value;
  readonly step: Value | undefined;
  /** From one lane to the next: 0, or 1 where each lane counts from a number of its own; `most` and `first` are lane 0's. */
  readonly shape: number;
}

/** More addresses than these share what they are moved by: pointers of their own would not fit in registers. */
const POINTERS = 8;

/** base + factor · counter, modulo 2^32. */
interface Affine {
  readonly base: Value;
  /** Undefined: zero. */
  readonly factor?: Value | undefined;
}

/** Above this many nodes a region is not written twice. */
const REGION_LIMIT = 300;

export function planRegion(mode: LanesMode, body: Body): Version | undefined {
  const inside = new Definitions(body.nodes);
  if (inside.loops || inside.nodes > REGION_LIMIT) return undefined;
  const plan = new Plan(mode, inside);
  for (const value of inside.accesses) plan.add(value);
  for (const condition of inside.conditions) plan.agree(condition);
  return plan.version();
}

export function planLoop(mode: LanesMode, loop: LoopNode, entry: Extract<Node, { kind: 'move' }>): Version | undefined {
  const inside = new Definitions([loop]);
  if (inside.loops > 1) return undefined;
  const counted = counter(mode, loop, entry, inside);
  if (!counted) return undefined;
  const { tests, from, condition } = counted;
  const after = new Definitions(loop.body.nodes.slice(from + 1), false);
  const plan = new Plan(mode, inside, counted);
  plan.ends(condition);
  for (const value of after.accesses) plan.add(value);
  for (const condition of inside.conditions) plan.agree(condition);
  return plan.version(tests);
}

/** What some nodes define and use. */
class Definitions {
  readonly defined = new Set<Value>();
  readonly accesses = new Set<Value>();
  readonly conditions: Value[] = [];
  loops = 0;
  nodes = 0;
  private readonly seen = new Set<Value>();
  private readonly known = new Map<Value, boolean>();

  /** @param nested - whether accesses in branches count, too */
  constructor(
    nodes: readonly Node[],
    private readonly nested = true,
  ) {
    this.walk(nodes, true);
  }

  private walk(nodes: readonly Node[], top: boolean): void {
    for (const node of nodes) {
      this.nodes++;
      const counts = top || this.nested;
      if (node.kind === 'loop') this.loops++;
      if (node.kind === 'op') {
        this.defined.add(node.value);
        if (counts && (node.value.op === 'load' || node.value.op === 'store')) this.accesses.add(node.value);
        if (counts) node.value.args.forEach((arg) => void this.find(arg));
      }
      if (node.kind === 'move' && counts) node.values.forEach((value) => void this.find(value));
      if (node.kind === 'if') {
        this.conditions.push(node.condition);
        if (counts) this.find(node.condition);
      }
      if (node.kind === 'if' || node.kind === 'block' || node.kind === 'loop')
        for (const phi of node.phis) this.defined.add(phi);
      for (const body of bodiesOf(node)) this.walk(body.nodes, top && node.kind !== 'if');
    }
  }

  /** Loads among the values that a node needs. */
  private find(value: Value): void {
    if (this.seen.has(value)) return;
    this.seen.add(value);
    if (value.op === 'load' && !value.pinned) this.accesses.add(value);
    value.args.forEach((arg) => void this.find(arg));
  }

  /** Whether a value is known before these nodes. */
  before(value: Value): boolean {
    if (this.defined.has(value)) return false;
    let known = this.known.get(value);
    if (known === undefined) {
      known = value.args.every((arg) => this.before(arg));
      this.known.set(value, known);
    }
    return known;
  }
}

class Plan {
  private readonly soft: SoftShapes;
  private readonly addresses = new Map<Value, FastAddress>();
  private readonly tests = new Set<Value>();

  constructor(
    private readonly mode: LanesMode,
    private readonly inside: Definitions,
    private readonly counter?: Counter,
  ) {
    this.soft = new SoftShapes(mode, (value) => inside.before(value));
  }

  /** The condition that ends the loop, on which all lanes agree by the counter's tests. */
  ends(condition: Value): void {
    if (this.counter?.shape) this.soft.assumed.set(condition, 0);
  }

  /** A condition on which all lanes agree, if that can be tested. */
  agree(condition: Value): void {
    if (this.mode.shape(condition) === 0) return;
    for (const value of condition.op === 'i32.eqz' ? condition.args : [condition]) {
      if (this.soft.shape(value) === 0) this.soft.assume(value);
    }
  }

  /** An access that goes without bounds, if its indices are affine and its lanes side by side or the same. */
  add(value: Value): void {
    const access = value.access!;
    const { mode, soft } = this;
    const own = access.root.kind === 'frame';
    const indices = value.args.slice(0, access.strides.length);
    const terms = indices.map((index) => this.affine(index));
    if (terms.length === 0 || terms.some((term) => !term)) return;
    const shapes = terms.map((term) => this.termShape(term!));
    const moving = shapes.indexOf(1);
    const bytes = access.width === 'f16' ? 2 : 4;
    const regular = shapes.every((shape, i) => shape === 0 || (i === moving && access.strides[i] === bytes));
    if (!regular || (own ? moving >= 0 : moving < 0 && value.op === 'store')) return;
    if (terms.some((term) => term!.factor && soft.shape(term!.factor) !== 0)) return;
    // What does not change in the loop, and is the same in all lanes, is loaded before it anyway.
    if (moving < 0 && terms.every((term) => !term!.factor)) return;
    terms.forEach((term, i) => {
      const count = mode.scalars.count(access, i);
      if (term!.base.op !== 'const' || term!.factor) this.tests.add(this.fits(term!, shapes[i] ? 3 : 0, count));
      soft.assume(term!.base);
      // The index itself has the shape of its base.
      if (shapes[i] === 1 && mode.shape(indices[i]!) === undefined) soft.assumed.set(indices[i]!, 1);
    });
    const { unit } = mode.scalars.root(access.root);
    const fixed = terms.map((term, i) => fixedBytes(term!, access.strides[i]! * unit));
    this.addresses.set(value, {
      address: (inside) => this.address(inside, access, terms as Affine[]),
      offset: fixed.reduce((sum, bytes) => sum! + (bytes ?? 0), access.offset * unit)!,
    });
  }

  private termShape({ base, factor }: Affine): Shape {
    const shape = this.soft.shape(base);
    if (!factor || !this.counter!.shape || shape === undefined) return shape;
    return factor.op === 'const' ? (shape + factor.imm) | 0 : undefined;
  }

  /** Whether base + factor · counter + extra stays below a count, for every value of the counter. */
  private fits({ base, factor }: Affine, extra: number, count: Value): Value {
    const { g, scalars } = this.mode;
    const start = this.mode.scalar(base);
    const { most } = this.counter ?? {};
    if ([start, factor, most, count].every((value) => value?.op === 'const')) {
      const last = (start.imm >>> 0) + (factor!.imm >>> 0) * (most!.imm >>> 0) + extra;
      return g.bool(last < count.imm >>> 0);
    }
    if (!factor) return g.test('lt_u', start, extra ? scalars.room(count) : count);
    return g.op('fits', 'bool', [start, this.mode.scalar(factor), this.counter!.most, count], extra);
  }

  /** Without what is constant in the indices: accesses that differ in that alone share a pointer. */
  private address(mode: LanesMode, access: Access, terms: readonly Affine[]): Value {
    const { g } = mode;
    const { base, unit } = mode.scalars.root(access.root);
    let start = base;
    let step: Value | undefined;
    terms.forEach((term, i) => {
      const stride = access.strides[i]! * unit;
      if (fixedBytes(term, stride) === undefined)
        start = g.int('add', start, g.int('mul', mode.scalar(term.base), stride));
      if (!term.factor) return;
      const scaled = g.int('mul', mode.scalar(term.factor), stride);
      step = step ? g.int('add', step, scaled) : scaled;
    });
    if (!step) return start;
    const { phi, first, step: by } = this.counter!;
    if (!by) return g.int('add', start, g.int('mul', mode.scalar(phi), step));
    const begin = g.int('mul', mode.scalar(first), step);
    const delta = g.int('mul', mode.scalar(by), step);
    if (this.addresses.size <= POINTERS) return mode.pointer(g.int('add', start, begin), delta);
    return g.int('add', start, mode.pointer(begin, delta));
  }

  private affine(value: Value): Affine | undefined {
    const { g, aliases } = this.mode;
    const alias = aliases.get(value);
    if (alias) return this.affine(alias);
    if (value === this.counter?.phi) return { base: g.i32(0), factor: g.i32(1) };
    if (this.inside.before(value)) return { base: value };
    const [a, b] = value.args as [Value, Value];
    if (!/^i32\.(add|sub|mul|shl)$/.test(value.op)) return undefined;
    const [x, y] = [this.affine(a), this.affine(b)];
    if (!x || !y) return undefined;
    const op = (p: Value | undefined, q: Value | undefined) => {
      if (p && q) return g.op(value.op, 'i32', [p, q]);
      return value.op === 'i32.sub' && q ? g.int('sub', 0, q) : (p ?? q);
    };
    if (value.op === 'i32.add' || value.op === 'i32.sub') {
      return { base: op(x.base, y.base)!, factor: op(x.factor, y.factor) };
    }
    const scaled = (side: Affine, by: Value) => ({
      base: g.op(value.op, 'i32', [side.base, by]),
      factor: side.factor && g.op(value.op, 'i32', [side.factor, by]),
    });
    if (!y.factor) return scaled(x, y.base);
    return value.op === 'i32.mul' && !x.factor ? scaled(y, x.base) : undefined;
  }

  version(more: readonly Value[] = []): Version | undefined {
    const { g } = this.mode;
    const { assumed, tests } = this.soft;
    if (this.addresses.size === 0 && assumed.size === 0) return undefined;
    const condition = [...more, ...tests, ...this.tests].reduce((all, test) => g.and(all, test), g.bool(true));
    return { condition, assumed, addresses: this.addresses, usual: this.counter?.shape === 0 };
  }
}

/** The phi that a loop counts with and its largest value, where the loop ends once it reaches a bound. */
function counter(mode: LanesMode, loop: LoopNode, entry: Extract<Node, { kind: 'move' }>, inside: Definitions) {
  const { g } = mode;
  const { nodes } = loop.body;
  const from = nodes.findIndex((node) => node.kind === 'if' && bodiesOf(node).some(leaves));
  const exit = nodes[from];
  if (exit?.kind !== 'if') return undefined;
  let { condition } = exit;
  let ends = leaves(exit.taken);
  if (condition.op === 'i32.eqz') {
    condition = condition.args[0]!;
    ends = !ends;
  }
  const [phi, bound] = condition.args as [Value, Value];
  const match = /^i32\.(lt|le|ge|gt)_([us])$/.exec(condition.op);
  // Other conditions may have no operands at all.
  if (!match) return undefined;
  const shape = mode.shape(phi);
  const counts = shape === 0 || (shape === 1 && condition.op === 'i32.lt_u');
  if (!loop.phis.includes(phi) || !inside.before(bound) || !counts || mode.shape(bound) !== 0) return undefined;
  const below = match[1]!.startsWith('l');
  if (below === ends) return undefined;
  const including = match[1] === 'le' || match[1] === 'gt';
  const limit = mode.scalar(bound);
  const most = including ? limit : g.int('sub', limit, shape ? 4 : 1);
  const at = loop.phis.indexOf(phi);
  const last = nodes.at(-1);
  const next = last?.kind === 'move' && last.phis === loop.phis ? last.values[at] : undefined;
  const step =
    next?.op === 'i32.add' && next.args[0] === phi && inside.before(next.args[1]!) ? next.args[1] : undefined;
  const first = entry.values[entry.phis.indexOf(phi)]!;
  const uniform = step && mode.shape(step) === 0 ? step : undefined;
  const found = { phi, most, from, first, step: uniform, shape: shape!, condition };
  if (shape) {
    if (!uniform) return undefined;
    // Multiples of four all: no bound falls between two lanes.
    const bits = [first, uniform].reduce((all, value) => g.int('or', all, mode.scalar(value)), limit);
    return { ...found, tests: [g.test('ne', limit, 0), g.test('eq', g.int('and', bits, 3), 0)] };
  }
  if (match[2] === 'u') return { ...found, tests: including ? [] : [g.test('ne', limit, 0)] };
  // With sign: it counts up from zero or more, by steps that do not pass the largest number.
  if (step?.op !== 'const' || step.imm <= 0 || step.imm > 65536) return undefined;
  const tests = [
    g.test('ge_s', mode.scalar(first), 0),
    g.test('ge_s', most, 0),
    g.test('lt_s', most, 0x7fff0000 - 65536),
  ];
  return { ...found, tests };
}

/** The part of an address that an instruction can hold. */
function fixedBytes({ base }: Affine, stride: number): number | undefined {
  const bytes = base.op === 'const' ? base.imm * stride : -1;
  return bytes >= 0 && bytes < 1 << 20 ? bytes : undefined;
}

const leaves = ({ nodes }: Body): boolean => nodes.at(-1)?.kind === 'break';
