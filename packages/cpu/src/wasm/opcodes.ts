// WebAssembly's instructions by name, those that this package can use. Consecutive opcodes are lists of names, which is
// shorter than one line each. https://webassembly.github.io/spec/core/binary/instructions.html

/** Prefix byte (0: none) and number of an instruction. */
export interface Opcode {
  readonly prefix: number;
  readonly code: number;
}

const comparisons = 'lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
const integer = 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr';
const float = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign';
const floatComparisons = 'eq ne lt gt le ge';
const conversions =
  'i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64 f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64 i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s';
const saturating = 'i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u';
const arithmetic = 'add sub mul div min max pmin pmax';

/** Prefix byte, first opcode, start of the names, names; `-` leaves a number out. */
const tables: readonly (readonly [number, number, string, string])[] = [
  [0, 0x00, '', 'unreachable nop block loop if else'],
  [0, 0x0b, '', 'end br br_if br_table return call'],
  [0, 0x1a, '', 'drop select'],
  [0, 0x20, '', 'local.get local.set local.tee global.get global.set'],
  [0, 0x28, '', 'i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u'],
  [0, 0x36, '', 'i32.store i64.store f32.store f64.store i32.store8 i32.store16'],
  [0, 0x41, '', 'i32.const i64.const f32.const f64.const'],
  [0, 0x45, 'i32.', `eqz eq ne ${comparisons}`],
  [0, 0x50, 'i64.', `eqz eq ne ${comparisons}`],
  [0, 0x5b, 'f32.', floatComparisons],
  [0, 0x61, 'f64.', floatComparisons],
  [0, 0x67, 'i32.', integer],
  [0, 0x79, 'i64.', integer],
  [0, 0x8b, 'f32.', float],
  [0, 0x99, 'f64.', float],
  [0, 0xa7, '', conversions],
  [0xfc, 0, '', saturating],
  [0xfc, 10, 'memory.', 'copy fill'],
  [0xfd, 0, 'v128.', 'load - - - load16x4_u - - - load16_splat load32_splat load64_splat store const'],
  [0xfd, 13, '', 'i8x16.shuffle i8x16.swizzle i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat'],
  [0xfd, 27, '', 'i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane'],
  [0xfd, 31, '', 'f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane'],
  [0xfd, 55, 'i32x4.', `eq ne ${comparisons}`],
  [0xfd, 65, 'f32x4.', floatComparisons],
  [0xfd, 71, 'f64x2.', floatComparisons],
  [0xfd, 77, 'v128.', 'not and andnot or xor bitselect any_true'],
  [
    0xfd,
    84,
    'v128.',
    'load8_lane load16_lane load32_lane load64_lane store8_lane store16_lane store32_lane store64_lane',
  ],
  [0xfd, 92, '', 'v128.load32_zero v128.load64_zero f32x4.demote_f64x2_zero f64x2.promote_low_f32x4'],
  [0xfd, 103, 'f32x4.', 'ceil floor trunc nearest'],
  [0xfd, 116, 'f64x2.', 'ceil floor - - - - trunc'],
  [0xfd, 133, 'i16x8.', 'narrow_i32x4_s narrow_i32x4_u'],
  [0xfd, 148, 'f64x2.', 'nearest'],
  [0xfd, 160, 'i32x4.', 'abs neg - all_true bitmask - - extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u'],
  [0xfd, 170, 'i32x4.', 'extend_high_i16x8_u shl shr_s shr_u add - - sub - - - mul min_s min_u max_s max_u'],
  [0xfd, 192, 'i64x2.', 'abs neg - all_true bitmask - - extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u'],
  [0xfd, 202, 'i64x2.', 'extend_high_i32x4_u shl shr_s shr_u add - - sub - - - mul eq ne lt_s gt_s le_s ge_s'],
  [0xfd, 220, 'i64x2.', 'extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u'],
  [0xfd, 224, 'f32x4.', `abs neg - sqrt ${arithmetic}`],
  [0xfd, 236, 'f64x2.', `abs neg - sqrt ${arithmetic}`],
  [0xfd, 248, '', 'i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u'],
  [0xfd, 252, '', 'i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s'],
  [0xfd, 255, '', 'f64x2.convert_low_i32x4_u'],
  [0xfe, 0x00, 'memory.atomic.', 'notify wait32'],
  [0xfe, 0x03, '', 'atomic.fence'],
  [0xfe, 0x10, 'i32.atomic.', 'load'],
  [0xfe, 0x17, 'i32.atomic.', 'store'],
  [0xfe, 0x1e, 'i32.atomic.rmw.', 'add - - - - - - sub - - - - - - and - - - - - - or'],
  [0xfe, 0x3a, 'i32.atomic.rmw.', 'xor - - - - - - xchg - - - - - - cmpxchg'],
];

const opcodes = new Map<string, Opcode>();
for (const [prefix, first, start, names] of tables) {
  names.split(' ').forEach((name, i) => {
    if (name !== '-') opcodes.set(start + name, { prefix, code: first + i });
  });
}

/** The opcode of an instruction such as `f32x4.add`. */
export function opcode(name: string): Opcode {
  const found = opcodes.get(name);
  if (!found) throw new Error(`internal: no instruction "${name}".`);
  return found;
}
