import { DTypeError } from '../errors.js';

/** The element types. On the host f16 reads as Float32Array; bool is stored as u32, 0 or 1. */
export type DType = 'f32' | 'f16' | 'i32' | 'u32' | 'bool';
/** The element types that have gradients. */
export type FloatDType = 'f32' | 'f16';

/** What elements of a dtype are read into on the host. */
export type HostArray<D extends DType = DType> = D extends FloatDType
  ? Float32Array
  : D extends 'i32'
    ? Int32Array
    : Uint32Array;

export const dtypes: readonly DType[] = ['f32', 'f16', 'i32', 'u32', 'bool'];
export const floats: readonly DType[] = ['f32', 'f16'];
export const signed: readonly DType[] = ['f32', 'f16', 'i32'];
export const numeric: readonly DType[] = ['f32', 'f16', 'i32', 'u32'];

const bytes: Record<DType, number> = { f32: 4, f16: 2, i32: 4, u32: 4, bool: 4 };

/** Bytes of one element in device memory. */
export function dtypeBytes(dtype: DType): number {
  return bytes[dtype];
}

export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype === 'f32' || dtype === 'f16';
}

/** The least and the greatest number of each dtype of whole numbers. */
export const wholeRanges: Readonly<Record<Exclude<DType, FloatDType>, readonly [low: number, high: number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  bool: [0, 1],
};

/** The WGSL type in which an element is computed: f16 is storage only, widened to f32 when loaded. */
export type ComputeType = Exclude<DType, 'f16'>;

export function computeType(dtype: DType): ComputeType {
  return dtype === 'f16' ? 'f32' : dtype;
}

/** The dtype of an operation on two operands: equal dtypes, or f16 with f32, which gives f32. */
export function promote(op: string, a: DType, b: DType): DType {
  if (a === b) return a;
  if (isFloat(a) && isFloat(b)) return 'f32';
  throw new DTypeError(op, `the dtypes differ: ${a} and ${b}. Use cast() on one of them.`);
}

/** @throws DTypeError for what is none, as plain JavaScript may give it */
export function checkDType(op: string, dtype: DType): DType {
  if (dtypes.includes(dtype)) return dtype;
  throw new DTypeError(op, `there is no dtype '${dtype}'. Use one of ${dtypes.join(', ')}.`);
}

export function requireDType(op: string, dtype: DType, allowed: readonly DType[]): void {
  if (!allowed.includes(dtype)) {
    throw new DTypeError(op, `the dtype is ${dtype}, and only ${allowed.join(', ')} will do. Use cast() first.`);
  }
}

/** Zero of a dtype, in WGSL. */
export function zeroOf(dtype: DType): string {
  return { f32: '0.0f', i32: '0i', u32: '0u', bool: 'false' }[computeType(dtype)];
}

/** A finite number as an f32 literal of WGSL. */
export function floatLiteral(x: number): string {
  const text = String(Math.fround(x)).replace('e+', 'e');
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
