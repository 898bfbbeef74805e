// The trainer's own errors; everything else is thrown with the classes of @paris/tensor.
import { ParisError } from '@paris/tensor';

/** Pictures, captions or a data folder that are not what was expected. */
export class DataError extends ParisError {
  override readonly code = 'DATA';
}

/** An output that may not be written: it holds what we did not write, or lies in or around an input. */
export class OutputError extends ParisError {
  override readonly code = 'OUTPUT';
}

/** A run folder that cannot be continued with what was asked for. */
export class RunError extends ParisError {
  override readonly code = 'RUN';
}

/** The loss is no longer a finite number. */
export class DivergedError extends ParisError {
  override readonly code = 'DIVERGED';
}

/** The run was asked to stop; a checkpoint has been written and the same command continues it. */
export class InterruptedError extends ParisError {
  override readonly code = 'INTERRUPTED';
}
