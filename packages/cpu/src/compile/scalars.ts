// From single assignment form to instructions on scalars: memory gets addresses and bounds, what WebAssembly has no
// instruction for is composed. Scalar mode is this alone; lanes mode uses it for all that is the same in every lane.
import type { Access, Graph, Kind, Root, Value } from './ir.js';

/** Bytes of zeros at the start of scratch memory: where a load out of bounds reads. */
export const ZERO_BYTES = 96;
/** Offsets up to this one are immediates of the load; a longer one is added before the bounds decide. */
const IMMEDIATE = ZERO_BYTES - 16;

export interface Address {
  readonly address: Value;
  readonly offset: number;
  /** Undefined where it is always in bounds. */
  readonly inBounds?: Value | undefined;
}

/** Scalar instructions for values. `lanes` is 4 where invocations are side by side in their own memory. */
export class ScalarForm {
  constructor(
    readonly g: Graph,
    readonly lanes: 1 | 4,
  ) {}

  /** The composition of an operation, if it is not an instruction. */
  compose(op: string, kind: Kind, args: readonly Value[], imm: number): Value {
    const { g } = this;
    const [a, b] = args as [Value, Value];
    switch (op) {
      case 'f32.pmin':
        return g.select(g.op('f32.lt', 'bool', [b, a]), b, a);
      case 'f32.pmax':
        return g.select(g.op('f32.lt', 'bool', [a, b]), b, a);
      case 'i32.min_s':
      case 'i32.min_u':
      case 'i32.max_s':
      case 'i32.max_u': {
        const less = g.op(`i32.lt_${op.at(-1)}`, 'bool', op.includes('min') ? [a, b] : [b, a]);
        return g.select(less, a, b);
      }
      case 'f32.canonical':
        return this.canonical(a);
      default:
        return g.op(op, kind, args, imm);
    }
  }

  /** A value whose NaN has always the same bits. */
  canonical(value: Value): Value {
    const { g } = this;
    if (!mayBeNan(value)) return value;
    return g.select(g.op('f32.eq', 'bool', [value, value]), value, g.f32(Number.NaN));
  }

  /** Where an access with these indices goes. */
  address(access: Access, indices: readonly Value[]): Address {
    const { g } = this;
    const { unit, base } = this.root(access.root);
    let address = base;
    let inBounds: Value | undefined;
    indices.forEach((index, i) => {
      const inside = g.test('lt_u', index, this.count(access, i));
      inBounds = inBounds ? g.and(inBounds, inside) : inside;
      address = g.int('add', address, g.int('mul', index, access.strides[i]! * unit));
    });
    if (inBounds?.op === 'const' && inBounds.imm) inBounds = undefined;
    const offset = access.offset * unit;
    if (offset <= IMMEDIATE) return { address, offset, inBounds };
    return { address: g.int('add', address, offset), offset: 0, inBounds };
  }

  /** Where a root begins, and how many bytes its unit is. */
  root(root: Root): { base: Value; unit: number } {
    const { g } = this;
    if (root.kind === 'binding') return { base: g.op('binding_address', 'i32', [], root.index), unit: 1 };
    if (root.kind === 'workgroup') return { base: g.op('workgroup_memory', 'i32', []), unit: 1 };
    return { base: g.op('frame', 'i32', []), unit: 4 * this.lanes };
  }

  /** Elements that index `i` of an access chooses from. */
  count(access: Access, i: number): Value {
    const { g } = this;
    const fixed = access.counts[i];
    if (fixed !== undefined) return g.i32(fixed);
    const size = g.op('binding_size', 'i32', [], access.root.kind === 'binding' ? access.root.index : 0);
    const room = g.int('sub', size, access.arrayOffset ?? 0);
    return g.int('div_u', room, access.strides[i]!);
  }

  /** How many places there are for the first of four elements side by side. */
  room(count: Value): Value {
    const { g } = this;
    const few = g.test('lt_u', count, 4);
    return g.select(few, g.i32(0), g.int('sub', count, 3));
  }

  /** The address to load from: zeros where it is out of bounds. */
  safeAddress({ address, inBounds }: Address): Value {
    return inBounds ? this.g.select(inBounds, address, this.g.op('scratch', 'i32', [])) : address;
  }

  load(access: Access, indices: readonly Value[], kind: Kind, pinned: boolean): Value[] {
    const { address, inBounds, offset } = this.address(access, indices);
    return this.loadAt(access, this.safeAddress({ address, inBounds, offset }), kind, pinned, offset);
  }

  /** A load from where nothing has to be checked. */
  loadAt(access: Access, address: Value, kind: Kind, pinned: boolean, offset = access.offset): Value[] {
    const { g } = this;
    const make = (op: string, of: Kind) =>
      pinned ? g.fresh(op, of, [address], offset, access) : g.op(op, of, [address], offset, access);
    if (access.width !== 'f16') return [make(`${access.width}.load`, kind)];
    const word = make('i32.load16_u', 'i32');
    return [g.op('f16.decode', 'f32', [word]), word];
  }

  /** A store: address, value, and perhaps whether it is in bounds. */
  store(access: Access, args: readonly Value[]): Value {
    const { g } = this;
    const { address, offset, inBounds } = this.address(access, args.slice(0, -1));
    const value = this.stored(access, args.at(-1)!);
    const op = access.width === 'f16' ? 'i32.store16' : `${access.width}.store`;
    return g.fresh(op, 'none', inBounds ? [address, value, inBounds] : [address, value], offset, access);
  }

  /** A value as it is stored. Bits of a buffer can be seen. */
  stored(access: Access, value: Value): Value {
    if (access.width === 'f16') return this.g.op('f16.encode', 'i32', [value]);
    return access.width === 'f32' && access.root.kind === 'binding' ? this.canonical(value) : value;
  }

  /** Zeros from a place on. @param count - scalars */
  clear(access: Access, count: number): Value {
    const { address, offset } = this.address(access, []);
    const start = this.g.int('add', address, offset);
    return this.g.fresh('clear', 'none', [start], count * this.root(access.root).unit);
  }

  atomic(op: string, access: Access, args: readonly Value[]): Value {
    const { g } = this;
    const indices = args.slice(0, access.strides.length);
    const { address, offset, inBounds } = this.address(access, indices);
    const operands = args.slice(indices.length);
    return g.fresh(op, 'i32', [address, inBounds ?? g.bool(true), ...operands], offset, access);
  }
}

/** Whether a value can be a NaN whose bits depend on the machine. */
export function mayBeNan(value: Value, seen: Set<Value> = new Set()): boolean {
  if (value.kind !== 'f32' && value.kind !== 'v128') return false;
  if (seen.has(value)) return false;
  seen.add(value);
  switch (value.op) {
    case 'const':
    case 'f32.reinterpret_i32':
    case 'f32.convert_i32_s':
    case 'f32.convert_i32_u':
      return false;
    case 'load':
    case 'f32.load':
      return value.access!.root.kind !== 'binding';
    case 'select':
      return mayBeNan(value.args[1]!, seen) || mayBeNan(value.args[2]!, seen);
    default:
      return true;
  }
}
