// How values differ between the four invocations that are side by side: not at all, by a constant from lane to lane, or
// somehow. A value with a known shape is computed once, as a scalar: that of lane 0.
import type { Shape, Transfer } from './divergence.js';
import type { Body, Value } from './ir.js';
import { bodiesOf } from './place-values.js';

/** Alignments of phis, which depend on what is moved to them. */
const aligned = new WeakMap<Value, number>();

/** Finds the alignments of a program's phis: from the largest one down, until none changes. */
export function alignPhis(program: Body): void {
  const moved = new Map<Value, Value[]>();
  const visit = (body: Body): void => {
    for (const node of body.nodes) {
      if (node.kind === 'move')
        node.phis.forEach((phi, i) => void moved.set(phi, [...(moved.get(phi) ?? []), node.values[i]!]));
      for (const inner of bodiesOf(node)) visit(inner);
    }
  };
  visit(program);
  for (const phi of moved.keys()) aligned.set(phi, 65536);
  for (let changed = true; changed; ) {
    changed = false;
    for (const [phi, values] of moved) {
      const found = Math.min(...values.map((value) => alignment(value)));
      if (found === aligned.get(phi)) continue;
      aligned.set(phi, found);
      changed = true;
    }
  }
}

/** The largest power of two (up to 2^16) that divides a value in lane 0, as far as its nearest operations say. */
function alignment(value: Value, depth = 8): number {
  if (depth === 0) return 1;
  const of = (arg: Value) => alignment(arg, depth - 1);
  const [a, b] = value.args as [Value, Value];
  switch (value.op) {
    case 'const':
      return value.imm === 0 ? 65536 : Math.min(65536, value.imm & -value.imm) >>> 0 || 65536;
    case 'local_index':
      return 4;
    case 'phi':
      return aligned.get(value) ?? 1;
    case 'i32.add':
    case 'i32.sub':
      return Math.min(of(a), of(b));
    case 'i32.mul':
      return Math.min(65536, of(a) * of(b));
    case 'i32.shl':
      return b.op === 'const' ? Math.min(65536, of(a) * 2 ** (b.imm & 31)) : 1;
    case 'i32.rem_u':
    case 'i32.and':
      return b.op === 'const' && value.kind === 'i32' && (b.imm & 3) === (value.op === 'i32.and' ? 3 : 0)
        ? Math.min(4, of(a))
        : 1;
    default:
      return 1;
  }
}

/** Whether four consecutive values from a multiple of four stay in one multiple of the divisor. */
const inStep = (a: Value, divisor: number) => divisor % 4 === 0 && alignment(a) % 4 === 0;

/** Shapes of operations on consecutive integers. */
function integerShape({ op, args: [a, b] }: Value, x: Shape, y: Shape): Shape {
  if (x === undefined || y === undefined) return undefined;
  const n = b!.op === 'const' ? b!.imm : undefined;
  switch (op) {
    case 'i32.add':
      return (x + y) | 0;
    case 'i32.sub':
      return (x - y) | 0;
    case 'i32.mul':
      return n === undefined ? undefined : Math.imul(x, n);
    case 'i32.shl':
      return n === undefined ? undefined : x << n;
    case 'i32.div_u':
      return n !== undefined && x === 1 && inStep(a!, n >>> 0) ? 0 : undefined;
    case 'i32.rem_u':
      return n !== undefined && x === 1 && inStep(a!, n >>> 0) ? 1 : undefined;
    case 'i32.shr_u':
      return n !== undefined && x === 1 && inStep(a!, 2 ** n) ? 0 : undefined;
    case 'i32.and':
      return n !== undefined && x === 1 && (n & 3) === 3 && (n & (n + 1)) === 0 && inStep(a!, 4) ? 1 : undefined;
    default:
      return undefined;
  }
}

/** Consecutive values from a multiple of four are all below a multiple of four, or none is. */
const comparedInStep = (a: Value, b: Value): Shape =>
  alignment(a) % 4 === 0 && alignment(b) % 4 === 0 ? 0 : undefined;

/** Values that are the same in all lanes if their operands are, though they are among effects. */
const uniformEffects = new Set(['load', 'uniformLoad']);

export const inLanes: Transfer = (value, shape) => {
  const { op, pinned, args, access } = value;
  if (op === 'local_index') return 1;
  if (pinned && !uniformEffects.has(op)) return undefined;
  const shapes = args.map(shape);
  if (access) return access.root.kind !== 'frame' && shapes.every((s) => s === 0) ? 0 : undefined;
  if (shapes.every((s) => s === 0)) return 0;
  if ((op === 'i32.lt_u' || op === 'i32.ge_u') && shapes[0] === 1 && shapes[1] === 0)
    return comparedInStep(args[0]!, args[1]!);
  if (op === 'select') return shapes[0] === 0 && shapes[1] === shapes[2] ? shapes[1] : undefined;
  return args.length === 2 && value.kind === 'i32' ? integerShape(value, shapes[0], shapes[1]) : undefined;
};
