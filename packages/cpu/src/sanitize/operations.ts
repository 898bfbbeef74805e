// What the back end's scalar instructions are in JavaScript. An i32 is an int32 number, an f32 a number that is one, a
// boolean 0 or 1 (or false or true): the same bits as WebAssembly's.
import type { Parts } from './parts.js';

type Write = (a: string, b: string, c: string) => string;

const compare =
  (operator: string): Write =>
  (a, b) =>
    `(${a} ${operator} ${b} ? 1 : 0)`;
const compareUnsigned =
  (operator: string): Write =>
  (a, b) =>
    `(${a} >>> 0 ${operator} ${b} >>> 0 ? 1 : 0)`;
const rounded =
  (operator: string): Write =>
  (a, b) =>
    `fround(${a} ${operator} ${b})`;

const integers: Record<string, Write> = {
  add: (a, b) => `(${a} + ${b} | 0)`,
  sub: (a, b) => `(${a} - ${b} | 0)`,
  mul: (a, b) => `imul(${a}, ${b})`,
  and: (a, b) => `(${a} & ${b})`,
  or: (a, b) => `(${a} | ${b})`,
  xor: (a, b) => `(${a} ^ ${b})`,
  shl: (a, b) => `(${a} << ${b})`,
  shr_u: (a, b) => `(${a} >>> ${b} | 0)`,
  shr_s: (a, b) => `(${a} >> ${b})`,
  rotl: (a, b) => `(${a} << ${b} | ${a} >>> 32 - ${b})`,
  div_u: (a, b) => `((${a} >>> 0) / (${b} >>> 0) | 0)`,
  div_s: (a, b) => `(${a} / ${b} | 0)`,
  rem_u: (a, b) => `((${a} >>> 0) % (${b} >>> 0) | 0)`,
  rem_s: (a, b) => `(${a} % ${b} | 0)`,
  eqz: (a) => `(${a} ? 0 : 1)`,
  eq: compare('==='),
  ne: compare('!=='),
  lt_s: compare('<'),
  le_s: compare('<='),
  gt_s: compare('>'),
  ge_s: compare('>='),
  lt_u: compareUnsigned('<'),
  le_u: compareUnsigned('<='),
  gt_u: compareUnsigned('>'),
  ge_u: compareUnsigned('>='),
  clz: (a) => `clz32(${a})`,
  ctz: (a) => `help.ctz(${a})`,
  popcnt: (a) => `help.popcnt(${a})`,
  reinterpret_f32: (a) => `help.bits(${a})`,
  trunc_sat_f32_s: (a) => `help.toSigned(${a})`,
  trunc_sat_f32_u: (a) => `help.toUnsigned(${a})`,
};

const floats: Record<string, Write> = {
  add: rounded('+'),
  sub: rounded('-'),
  mul: rounded('*'),
  div: rounded('/'),
  neg: (a) => `(-${a})`,
  abs: (a) => `abs(${a})`,
  sqrt: (a) => `fround(sqrt(${a}))`,
  floor: (a) => `floor(${a})`,
  ceil: (a) => `ceil(${a})`,
  trunc: (a) => `trunc(${a})`,
  nearest: (a) => `help.nearest(${a})`,
  eq: compare('==='),
  ne: compare('!=='),
  lt: compare('<'),
  le: compare('<='),
  gt: compare('>'),
  ge: compare('>='),
  convert_i32_s: (a) => `fround(${a})`,
  convert_i32_u: (a) => `fround(${a} >>> 0)`,
  reinterpret_i32: (a) => `help.float(${a})`,
};

/** Names from Math that the texts use. */
export const MATH_NAMES = ['fround', 'imul', 'clz32', 'abs', 'sqrt', 'floor', 'ceil', 'trunc'] as const;

const words = new Int32Array(1);
const numbers = new Float32Array(words.buffer);

/** What the texts call `help`. */
export const helpersOf = ({ roundF16, f16Bits, f16FromBits }: Parts) =>
  ({
    ctz: (a: number): number => (a === 0 ? 32 : 31 - Math.clz32(a & -a)),
    popcnt(a: number): number {
      let count = 0;
      for (let rest = a >>> 0; rest; rest &= rest - 1) count++;
      return count;
    },
    bits(a: number): number {
      numbers[0] = a;
      return words[0]!;
    },
    float(a: number): number {
      words[0] = a;
      return numbers[0]!;
    },
    /** Toward zero and to what fits; NaN is 0. */
    toSigned: (a: number): number => (a >= 2 ** 31 ? 2 ** 31 - 1 : a <= -(2 ** 31) ? -(2 ** 31) : a | 0),
    toUnsigned: (a: number): number => (a >= 2 ** 32 ? -1 : a > 0 ? a | 0 : 0),
    /** Ties to even. */
    nearest(a: number): number {
      if (!(Math.abs(a) < 2 ** 23)) return a;
      const big = a < 0 || Object.is(a, -0) ? -(2 ** 23) : 2 ** 23;
      const result = Math.fround(Math.fround(a + big) - big);
      return result === 0 ? big * 0 : result;
    },
    roundHalf: roundF16,
    encodeHalf: f16Bits,
    decodeHalf: (bits: number): number => f16FromBits(bits & 0xffff),
  }) as const;

const halves: Record<string, Write> = {
  'f16.round': (a) => `help.roundHalf(${a})`,
  'f16.encode': (a) => `help.encodeHalf(${a})`,
  'f16.decode': (a) => `help.decodeHalf(${a})`,
};

/** The functions of compile/math, by their names. */
export const transcendentalsOf = ({ hostFunction }: Parts): object =>
  new Proxy({}, { get: (_, name) => hostFunction(String(name)) });

/** An operation on texts of operands. Throws for one that there is not. */
export function write(op: string, [a = '', b = '', c = '']: readonly string[]): string {
  if (op === 'select') return `(${a} ? ${b} : ${c})`;
  if (op.startsWith('math.')) return `math.${op.slice(5)}(${a}, ${b || '0'})`;
  const half = halves[op];
  if (half) return half(a, b, c);
  const [type, name = ''] = op.split('.');
  const found = type === 'i32' ? integers[name] : type === 'f32' ? floats[name] : undefined;
  if (!found) throw new Error(`internal: the sanitizer has no operation ${op}.`);
  return found(a, b, c);
}
