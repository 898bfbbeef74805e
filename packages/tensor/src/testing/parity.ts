// Comparing with stored reference values (fixtures made with PyTorch, see packages/tensor/fixtures/README.md).
import type { DType, HostArray } from '../graph/dtype.js';

/** A tensor as fixtures hold it. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Row-major; bool is 0 or 1. */
  readonly data: readonly number[];
}

/** A stored tensor as `device.tensors` takes it. */
export function hostTensor<D extends DType>(
  stored: StoredTensor & { readonly dtype: D },
): { data: HostArray<D>; shape: readonly number[]; dtype: D } {
  const { shape, dtype, data } = stored;
  const ArrayType = dtype === 'i32' ? Int32Array : dtype === 'u32' || dtype === 'bool' ? Uint32Array : Float32Array;
  return { data: ArrayType.from(data) as HostArray<D>, shape, dtype };
}

/**
 * The largest difference, as a fraction of the largest expected magnitude: what float32 rounding of a whole network
 * scales with. Infinite where a value is not a number or the counts differ.
 */
export function relativeError(actual: ArrayLike<number>, expected: StoredTensor): number {
  const { data } = expected;
  if (actual.length !== data.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < data.length; i++) {
    const difference = Math.abs(actual[i]! - data[i]!);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(data[i]!));
  }
  return largest === 0 ? worst : worst / largest;
}
