// From a program to structured single assignment form: every call inlined (WGSL has no recursion), every pointer resolved,
// every vector and structure taken apart into scalars.
import type {
  BuiltinInput,
  Expression,
  LocalVariable,
  Program,
  ProgramFunction,
  Statement,
  Variable,
} from '../program/program.js';
import { alignOf, sizeOf, type Type } from '../program/types.js';
import { walk } from '../program/walk.js';
import { type Binding, Context, type Frame } from './context.js';
import { dynamicVariables, pointerRoot, pointersOf, rootOf } from './dynamic.js';
import { evaluate, place } from './expressions.js';
import type { Body, IfNode, LoopNode, Value } from './ir.js';
import { type Cell, type CellPlace, kindOf, leavesOf, type MemoryPlace, type Place, scalarsOf } from './places.js';

/** A program in single assignment form. */
export interface Lowered {
  readonly context: Context;
  readonly body: Body;
  readonly bindings: readonly Variable[];
}

/** @param watched - for the sanitizer, which sees every access */
export function lower(program: Program, watched = false): Lowered {
  const c = new Context(program, dynamicVariables(program), watched);
  const bindings = declareGlobals(c);
  const body = c.body;
  call(c, program.entry.function, inputs(c, program.entry.function));
  return { context: c, body, bindings };
}

function declareGlobals(c: Context): Variable[] {
  const bindings: Variable[] = [];
  for (const variable of c.program.globals) {
    const { type, space, access } = variable;
    if (space === 'storage' || space === 'uniform') {
      const constant = !c.watched && (space === 'uniform' || access === 'read');
      c.globals.set(variable, c.memory({ kind: 'binding', index: bindings.length }, type, 0, constant));
      bindings.push(variable);
    } else if (space === 'workgroup') {
      const align = Math.max(4, alignOf(type));
      const offset = Math.ceil(c.workgroupSize / align) * align;
      c.workgroupSize = offset + sizeOf(type);
      c.globals.set(variable, c.memory({ kind: 'workgroup' }, type, offset, false));
    } else {
      const at = c.allocate(variable, c.dynamic.has(variable));
      c.globals.set(variable, at);
      initialize(c, at, variable.initial && evaluate(c, variable.initial));
    }
  }
  return bindings;
}

/** Gives a new variable its first value. */
function initialize(c: Context, at: Place, initial: readonly Value[] | undefined): void {
  if (initial || at.kind === 'cells') {
    c.store(at, initial ?? c.zeros(at.type));
    return;
  }
  const leaves = leavesOf(at.root, at.type).length;
  if (leaves <= 16) c.store(at, c.zeros(at.type));
  else c.effect('clear', 'none', [], c.accesses(at)[0]!.access, leaves);
}

// ---------------------------------------------------------------------------------------------------------- inputs

function inputs(c: Context, entry: ProgramFunction): Value[][] {
  return (entry.inputs ?? []).map((names) => {
    const list = typeof names === 'string' ? [names] : names;
    return list.flatMap((name) => builtinInput(c, name));
  });
}

/** The scalars of a built-in input. Those of the invocation follow from its index in the workgroup. */
export function builtinInput(c: Context, name: BuiltinInput): Value[] {
  const { g } = c;
  const [sizeX, sizeY, sizeZ] = c.program.entry.workgroupSize;
  const index = g.op('local_index', 'i32', []);
  const invocations = g.i32(sizeX * sizeY * sizeZ);
  const div = (a: Value, n: number) => g.int('div_u', a, n);
  const rem = (a: Value, n: number) => g.int('rem_u', a, n);
  const axes = (of: string) => [0, 1, 2].map((axis) => g.op(of, 'i32', [], axis));
  const subgroup = g.op('subgroup_size', 'i32', []);
  switch (name) {
    case 'local_invocation_index':
      return [index];
    case 'local_invocation_id': {
      const x = sizeX === 1 ? g.i32(0) : sizeY * sizeZ === 1 ? index : rem(index, sizeX);
      const y = sizeY === 1 ? g.i32(0) : sizeZ === 1 ? div(index, sizeX) : rem(div(index, sizeX), sizeY);
      return [x, y, sizeZ === 1 ? g.i32(0) : div(index, sizeX * sizeY)];
    }
    case 'global_invocation_id': {
      const local = builtinInput(c, 'local_invocation_id');
      return axes('workgroup_id').map((id, axis) => {
        const start = g.int('mul', id, [sizeX, sizeY, sizeZ][axis]!);
        return g.int('add', start, local[axis]!);
      });
    }
    case 'workgroup_id':
    case 'num_workgroups':
      return axes(name);
    case 'subgroup_size':
      return [subgroup];
    case 'subgroup_invocation_id':
      return [g.int('rem_u', index, subgroup)];
    case 'subgroup_id':
      return [g.int('div_u', index, subgroup)];
    case 'num_subgroups': {
      const above = g.int('add', invocations, g.int('sub', subgroup, 1));
      return [g.int('div_u', above, subgroup)];
    }
  }
}

// ----------------------------------------------------------------------------------------------------------- calls

/** Inlines a function. An argument that is a pointer is a place. */
export function call(c: Context, made: ProgramFunction, args: readonly Binding[]): Value[] {
  const outer = c.frame;
  const returns = made.returns;
  const result = returns.kind === 'void' ? [] : scalarsOf(returns).map((scalar): Cell => ({ kind: kindOf(scalar) }));
  const bindings = new Map<Variable, Binding>();
  made.parameters.forEach((parameter, i) => void bindings.set(parameter, args[i]!));
  c.block((target) => {
    c.frame = { bindings, returns: target, result, function: made } satisfies Frame;
    for (const cell of result) c.environment.set(cell, c.zero(cell.kind));
    const last = made.body.at(-1);
    // A return at the very end needs no way out of a block.
    const plain = last?.kind === 'return';
    statements(c, plain ? made.body.slice(0, -1) : made.body);
    if (plain && c.alive) setResult(c, last.value);
  });
  c.frame = outer;
  return result.map((cell) => c.environment.get(cell) ?? c.zero(cell.kind));
}

function setResult(c: Context, value: Expression | undefined): void {
  const { result } = c.frame;
  if (value) evaluate(c, value).forEach((scalar, i) => void c.environment.set(result[i]!, scalar));
}

// ------------------------------------------------------------------------------------------------------- statements

function statements(c: Context, list: readonly Statement[]): void {
  for (const statement of list) {
    if (!c.alive) return;
    lowerings[statement.kind](c, statement as never);
  }
}

const lowerings: { [K in Statement['kind']]: (c: Context, s: Extract<Statement, { kind: K }>) => void } = {
  declare(c, { variable, initial }) {
    c.frame.bindings.set(variable, declare(c, variable, initial));
  },
  assign(c, { target, value }) {
    const at = place(c, target);
    c.store(at, evaluate(c, value));
  },
  evaluate(c, { value }) {
    evaluate(c, value);
  },
  block(c, { body }) {
    statements(c, body);
  },
  if(c, { condition, then, otherwise }) {
    branch(
      c,
      evaluate(c, condition)[0]!,
      () => statements(c, then),
      () => statements(c, otherwise),
    );
  },
  loop: lowerLoop,
  switch(c, { selector, cases }) {
    const [value] = evaluate(c, selector);
    const labels = cases.flatMap(({ values }) => values.filter((label) => label !== 'default'));
    const is = (label: number) => c.g.test('eq', value!, label);
    c.block((target) => {
      c.breaks.push(target);
      // The default comes last: it is what no other label takes.
      const ordered = [...cases].sort(
        (a, b) => Number(a.values.includes('default')) - Number(b.values.includes('default')),
      );
      const next = (i: number): void => {
        const found = ordered[i];
        if (!found) return;
        if (found.values.includes('default')) {
          statements(c, found.body);
          return;
        }
        const tests = (found.values as number[]).map(is);
        const condition = tests.reduce((a, b) => c.g.or(a, b));
        branch(
          c,
          condition,
          () => statements(c, found.body),
          () => next(i + 1),
        );
      };
      if (labels.length || ordered.length) next(0);
      c.breaks.pop();
    });
  },
  break(c) {
    c.leave(c.breaks.at(-1)!);
  },
  continue(c) {
    c.leave(c.continues.at(-1)!);
  },
  return(c, { value }) {
    setResult(c, value);
    c.leave(c.frame.returns);
  },
  barrier(c, source) {
    c.emit({ kind: 'barrier', source });
  },
  uniformLoad(c, { variable, reference, at: line }) {
    const at = place(c, reference);
    const source = { name: 'workgroupUniformLoad', at: line };
    c.emit({ kind: 'barrier', source });
    const from = at as MemoryPlace;
    const values = c.accesses(from).map(({ access, args, kind }) => {
      const value = c.effect('uniformLoad', kind === 'bool' ? 'i32' : kind, args, access);
      return kind === 'bool' ? c.g.test('ne', value, 0) : value;
    });
    c.emit({ kind: 'barrier', source });
    c.frame.bindings.set(variable, values);
  },
  collective(c, { name, variable, arguments: args, at }) {
    const values = args.map((arg) => evaluate(c, arg));
    c.meeting = { name, at };
    c.frame.bindings.set(variable, collective(c, name, variable.type, values));
  },
};

function declare(c: Context, variable: LocalVariable, initial: Expression | undefined): Binding {
  if (variable.kind === 'var') {
    const at = c.allocate(variable);
    initialize(c, at, initial && evaluate(c, initial));
    return at;
  }
  if (initial!.kind === 'addressOf') return place(c, initial!.reference);
  if (variable.type.kind === 'pointer') return c.binding((initial as Extract<Expression, { kind: 'value' }>).variable);
  return evaluate(c, initial!);
}

/** Subgroup operations take scalars one by one; the second argument (a lane) is the same for all of them. */
function collective(c: Context, name: string, type: Type, [value = [], lane]: readonly (readonly Value[])[]): Value[] {
  const scalars = scalarsOf(type);
  const of = type.kind === 'vector' || type.kind === 'scalar' ? type.scalar : 'u32';
  if (name === 'subgroupBallot') {
    // Four words of which the first has a bit for each of up to 32 invocations, and so on.
    const shown = c.effect('show', 'bool', [value[0]!]);
    return scalars.map((_, word) => c.effect('subgroupBallot', 'i32', [shown], undefined, word));
  }
  if (name === 'subgroupElect') return [c.effect(name, 'bool', [])];
  const shown = value.map((part) => c.effect('show', part.kind, [part]));
  return scalars.map((_, i) => c.effect(`${name} ${of}`, kindOf(of), [shown[i]!, ...(lane ? [lane[0]!] : [])]));
}

/** Two ways of which one is taken. What is short and pure is computed on both and selected. */
export function branch(c: Context, condition: Value, then: () => void, otherwise: () => void): void {
  if (condition.op === 'const') {
    (condition.imm ? then : otherwise)();
    return;
  }
  const node: IfNode = { kind: 'if', condition, taken: { nodes: [] }, otherwise: { nodes: [] }, phis: [] };
  const start = c.g.size;
  const a = c.within(node.taken, c.environment, then);
  const b = c.within(node.otherwise, c.environment, otherwise);
  const pure = node.taken.nodes.length === 0 && node.otherwise.nodes.length === 0 && a.alive && b.alive;
  if (pure && select(c, start, condition, a.environment, b.environment)) return;
  c.emit(node);
  const edges = [a, b].flatMap(({ alive, environment }, i) =>
    alive ? [c.edge(i ? node.otherwise : node.taken, environment)] : [],
  );
  c.alive = edges.length > 0;
  if (edges.length > 0) c.merge(edges, node.phis, c.environment.keys());
  // Branches that move nothing end where they end.
  if (node.phis.length === 0) {
    if (a.alive) node.taken.nodes.pop();
    if (b.alive) node.otherwise.nodes.pop();
  }
}

/** Merges by `select` where that costs no more than a branch. */
function select(c: Context, start: number, condition: Value, a: Map<Cell, Value>, b: Map<Cell, Value>): boolean {
  const cells = [...c.environment.keys()].filter((cell) => a.get(cell) !== b.get(cell));
  const seen = new Set<Value>();
  const cost = (value: Value): number => {
    if (value.id < start || seen.has(value) || seen.size > 24) return 0;
    seen.add(value);
    const own = value.op.startsWith('math.') ? 16 : value.op === 'load' ? 4 : 1;
    return value.args.reduce((sum, arg) => sum + cost(arg), own);
  };
  const total = cells.reduce((sum, cell) => sum + cost(a.get(cell)!) + cost(b.get(cell)!), 0);
  if (total > 16) return false;
  for (const cell of c.environment.keys()) {
    const [yes, no] = [a.get(cell)!, b.get(cell)!];
    // Both may have assigned the same.
    c.environment.set(cell, yes === no ? yes : c.g.select(condition, yes, no));
  }
  return true;
}

function lowerLoop(c: Context, s: Loop): void {
  c.block(
    (exit) => {
      const cells = assignedCells(c, s);
      const initial = cells.map((cell) => c.environment.get(cell)!);
      const phis = cells.map((cell) => c.g.fresh('phi', cell.kind));
      const entry: Value[] = [];
      const node: LoopNode = { kind: 'loop', body: { nodes: [] }, phis: [] };
      const before = { kind: 'move' as const, phis: node.phis, values: entry };
      c.emit(before);
      cells.forEach((cell, i) => void c.environment.set(cell, phis[i]!));
      c.depth++;
      const end = c.within(node.body, c.environment, () => {
        c.block((next) => {
          c.breaks.push(exit);
          c.continues.push(next);
          statements(c, s.body);
          c.continues.pop();
          c.breaks.pop();
        });
        if (c.alive) statements(c, s.continuing);
        if (c.alive && s.breakIf) {
          branch(
            c,
            evaluate(c, s.breakIf)[0]!,
            () => c.leave(exit),
            () => {},
          );
        }
      });
      c.depth--;
      const next: Value[] = [];
      phis.forEach((phi, i) => {
        const value = end.alive ? end.environment.get(cells[i]!)! : phi;
        if (value === phi) {
          c.aliases.set(phi, initial[i]!);
          return;
        }
        node.phis.push(phi);
        entry.push(initial[i]!);
        next.push(value);
      });
      if (end.alive) node.body.nodes.push({ kind: 'move', phis: node.phis, values: next });
      c.emit(node);
      c.alive = false;
    },
    [...c.environment.keys()],
  );
}

/** Cells that a loop may assign: of variables declared before it. */
function assignedCells(c: Context, loop: Loop): Cell[] {
  const { roots, calls } = assignedRoots(c.frame.function, loop);
  const places = [...roots].map((root) => c.frame.bindings.get(root) ?? c.globals.get(root));
  if (calls) for (const [variable, at] of c.globals) if (!roots.has(variable)) places.push(at);
  const cells = places.flatMap((at) => ((at as Place | undefined)?.kind === 'cells' ? (at as CellPlace).cells : []));
  return [...new Set(cells)].filter((cell) => c.environment.has(cell));
}

type Loop = Extract<Statement, { kind: 'loop' }>;
interface Assigned {
  readonly roots: ReadonlySet<Variable>;
  readonly calls: boolean;
}

/** Kept, since a function that is called often is inlined often. */
const assigned = new WeakMap<Loop, Assigned>();

/** Variables that a loop may assign, and whether it calls functions, which may assign private ones. */
function assignedRoots(inside: ProgramFunction, loop: Loop): Assigned {
  const known = assigned.get(loop);
  if (known) return known;
  const pointers = pointersOf(inside);
  const roots = new Set<Variable>();
  let calls = false;
  const add = (root: Variable | undefined) => root && roots.add(root);
  walk(loop, (part) => {
    if (part.kind === 'assign') add(rootOf(part.target, pointers));
    if (part.kind === 'call') {
      calls = true;
      for (const arg of part.arguments) if (arg.type.kind === 'pointer') add(pointerRoot(arg, pointers));
    }
    return true;
  });
  const found = { roots, calls };
  assigned.set(loop, found);
  return found;
}
