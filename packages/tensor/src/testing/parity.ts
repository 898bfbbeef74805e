// Comparing with stored reference values (fixtures made with PyTorch, see packages/tensor/fixtures/README.md).
import type { Device } from '../device/device.js';
import type { DType, FloatDType, HostArray } from '../graph/dtype.js';
import { isLeafTensor, type Tensor } from '../tensor.js';
import { mapTree } from '../tree.js';

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

/**
 * How far a network's result with weights in f16 is from that with the same numbers in f32, as {@link relativeError}. Networks
 * compute in f32 with both, so that it is what another order of additions makes; rounding to f16 in one place makes 1e-4.
 */
export async function halfWeightError<P>(device: Device, params: P, run: (params: P) => Tensor): Promise<number> {
  const inDType = (params: P, dtype: FloatDType) =>
    mapTree(params, (weight: Tensor) => weight.cast(dtype), isLeafTensor) as P;
  const half = await device.run(inDType(params, 'f16'));
  const expected = run(await device.run(inDType(half, 'f32')));
  const data = [...((await expected.read()) as Float32Array)];
  return relativeError((await run(half).read()) as Float32Array, { shape: expected.shape, dtype: 'f32', data });
}
