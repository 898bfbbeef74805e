// Instructions on four lanes: what a scalar operation is when its operands differ from lane to lane.
import type { Access, Graph, Kind, Value } from './ir.js';
import { type ScalarForm, ZERO_BYTES } from './scalars.js';

/** Operations whose name is not the scalar one's with `x4`. */
const renamed: Record<string, string> = {
  'i32.and': 'v128.and',
  'i32.or': 'v128.or',
  'i32.xor': 'v128.xor',
  'i32.eqz': 'v128.not',
  'f32.convert_i32_s': 'f32x4.convert_i32x4_s',
  'f32.convert_i32_u': 'f32x4.convert_i32x4_u',
  'i32.trunc_sat_f32_s': 'i32x4.trunc_sat_f32x4_s',
  'i32.trunc_sat_f32_u': 'i32x4.trunc_sat_f32x4_u',
};
/** Instructions that lanes do not have: scalar ones, lane by lane. */
const single = /^i32\.(div|rem|clz|ctz|popcnt|rotl|shl|shr)/;

export class VectorForm {
  constructor(
    readonly g: Graph,
    readonly scalars: ScalarForm,
  ) {}

  splat(value: Value): Value {
    const { g } = this;
    if (value.op === 'const') {
      const word = value.kind === 'f32' ? new Int32Array(new Float32Array([value.imm]).buffer)[0]! : value.imm;
      return g.op('v128.const', 'v128', [], value.kind === 'bool' ? -value.imm : word);
    }
    if (value.op === 'f32.load' && !value.pinned) {
      return g.op('v128.load32_splat', 'v128', value.args, value.imm, value.access);
    }
    if (value.kind === 'bool') return this.splat(g.int('sub', 0, value));
    return g.op(`${value.kind}x4.splat`, 'v128', [value]);
  }

  /** start, start + stride, start + 2 stride, start + 3 stride. */
  ramp(start: Value, stride: number): Value {
    const steps = this.g.op('v128.ramp', 'v128', [], stride);
    return stride === 0 ? this.splat(start) : this.op('i32x4.add', this.splat(start), steps);
  }

  op(op: string, ...args: readonly Value[]): Value {
    return this.g.op(op, 'v128', args);
  }

  first(vector: Value, kind: Kind): Value {
    const { g } = this;
    const lane = g.op(`${kind === 'f32' ? 'f32' : 'i32'}x4.extract_lane`, kind === 'f32' ? 'f32' : 'i32', [vector], 0);
    return kind === 'bool' ? g.test('ne', lane, 0) : lane;
  }

  select(condition: Value, yes: Value, no: Value): Value {
    if (condition.op === 'v128.not') return this.select(condition.args[0]!, no, yes);
    return this.op('v128.bitselect', yes, no, condition);
  }

  /** A pure operation on vectors; `amount` is a shift's, where it is the same in all lanes. */
  compose(op: string, args: readonly Value[], amount?: Value): Value {
    const [a, b, c] = args as [Value, Value, Value];
    if (op === 'select') return this.select(a, b, c);
    if (op.includes('reinterpret')) return a;
    if (op === 'f32.canonical') {
      return this.select(this.op('f32x4.eq', a, a), a, this.splat(this.g.f32(Number.NaN)));
    }
    if (amount) return this.op(op.replace('i32', 'i32x4'), a, amount);
    if (op.startsWith('math.') || op.startsWith('f16.')) return this.op(op, ...args);
    if (single.test(op)) return this.op(`each ${op}`, ...args);
    return this.op(renamed[op] ?? op.replace('32.', '32x4.'), ...args);
  }

  /** Addresses of the four lanes, and which are in bounds. */
  addresses(access: Access, indices: readonly { scalar?: Value | undefined; vector: Value }[]) {
    const { g, scalars } = this;
    const { base, unit } = scalars.root(access.root);
    let start = base;
    let spread: Value | undefined;
    let inBounds: Value | undefined;
    indices.forEach(({ scalar, vector }, i) => {
      const count = scalars.count(access, i);
      const stride = access.strides[i]! * unit;
      const inside = scalar
        ? this.splat(g.test('lt_u', scalar, count))
        : this.op('i32x4.lt_u', vector, this.splat(count));
      inBounds = inBounds ? this.op('v128.and', inBounds, inside) : inside;
      if (scalar) start = g.int('add', start, g.int('mul', scalar, stride));
      else {
        const power = Math.log2(stride);
        const scaled = Number.isInteger(power)
          ? this.op('i32x4.shl', vector, g.i32(power))
          : this.op('i32x4.mul', vector, this.splat(g.i32(stride)));
        spread = spread ? this.op('i32x4.add', spread, scaled) : scaled;
      }
    });
    const offset = access.offset * unit;
    const immediate = offset <= ZERO_BYTES - 16 ? offset : 0;
    if (!immediate) start = g.int('add', start, offset);
    let addresses = access.root.kind === 'frame' ? this.ramp(start, 4) : this.splat(start);
    if (spread) addresses = this.op('i32x4.add', addresses, spread);
    return { addresses, inBounds, offset: immediate };
  }
}
