// Elementwise work around an op that leaves its values as they are, exactly.
import { isFloat } from '../../graph/dtype.js';
import { logicalNot } from '../../ops/compare/comparisons.js';
import type { Tensor } from '../../tensor.js';
import type { StoredTensor } from '../parity.js';

/** What {@link producer} turns back into the stored values. */
export function before(stored: StoredTensor): StoredTensor {
  const { dtype, data } = stored;
  if (dtype === 'bool') return { ...stored, data: data.map((x) => 1 - x) };
  return { ...stored, data: data.map((x) => (isFloat(dtype) ? x * 2 : x + 1)) };
}

/** In front of an op: what {@link before} changed, changed back on the device. */
export function producer(x: Tensor): Tensor {
  if (x.dtype === 'bool') return logicalNot(x);
  return isFloat(x.dtype) ? x.mul(0.5) : x.sub(1);
}

/** Behind an op. */
export function consumer(y: Tensor): Tensor {
  if (y.dtype === 'bool') return logicalNot(y);
  return isFloat(y.dtype) ? y.mul(-4) : y.add(3);
}

/** Undoes {@link consumer} on the host. */
export function after(dtype: Tensor['dtype']): (y: number) => number {
  if (dtype === 'bool') return (y) => 1 - y;
  if (isFloat(dtype)) return (y) => y / -4;
  return dtype === 'u32' ? (y) => (y - 3) >>> 0 : (y) => (y - 3) | 0;
}
