// Every error that Paris throws on purpose. A message reads `[tag] what, got, fix.`; a program may depend on the class and
// its `code`. `internal:` after the tag marks a bug of ours.

import { ParisError } from '@paris/files';

export { CheckpointError, ParisError, ValueError } from '@paris/files';

/** Shapes do not fit each other. */
export class ShapeError extends ParisError {
  override readonly code = 'SHAPE';
}

/** The operation does not take this dtype. */
export class DTypeError extends ParisError {
  override readonly code = 'DTYPE';
}

/** Under `device.debug`: an index beyond what it points into. */
export class IndexError extends ParisError {
  override readonly code = 'INDEX';
}

/** A traced function did something that it must not do, such as reading a tensor. */
export class TraceError extends ParisError {
  override readonly code = 'TRACE';
}

/** Of a device with `sanitize`: a kernel does what a GPU leaves undefined, such as a data race. */
export class KernelError extends ParisError {
  override readonly code = 'KERNEL';
}

/** A compiled function would now trace to a different graph than the cached one. */
export class StaleTraceError extends ParisError {
  override readonly code = 'STALE_TRACE';
}

/** A tensor was used after its memory was donated. */
export class DonatedTensorError extends ParisError {
  override readonly code = 'DONATED_TENSOR';
}

/** A tensor was used after `dispose()`. */
export class DisposedTensorError extends ParisError {
  override readonly code = 'DISPOSED_TENSOR';
}

/** Under `device.debug`: a NaN or an infinity, with the op that made it. */
export class NonFiniteError extends ParisError {
  override readonly code = 'NON_FINITE';
}

/** The GPU device is gone; every pending read rejects with the same error. */
export class DeviceLostError extends ParisError {
  override readonly code = 'DEVICE_LOST';
}

/** The device has no memory left for an allocation. The device still works. */
export class OutOfMemoryError extends ParisError {
  override readonly code = 'OUT_OF_MEMORY';
}

/** Something is larger than the adapter's limits allow. */
export class LimitError extends ParisError {
  override readonly code = 'LIMIT';
}

/** There is no WebGPU adapter that works. */
export class NoAdapterError extends ParisError {
  override readonly code = 'NO_ADAPTER';
}
