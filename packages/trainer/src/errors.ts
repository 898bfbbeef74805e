// The trainer's own errors; everything else is thrown with the classes of @paris/files.
import { ParisError } from '@paris/files';

/** Pictures, captions or a data folder are not what was expected. */
export class DataError extends ParisError {
  override readonly code = 'DATA';
}

/** A file of records is missing, cut off, or another one than was written. */
export class DamagedShardError extends DataError {
  /** Its name in its folder. */
  readonly file: string;
  /** Records that are in it. */
  readonly rows: number;

  constructor(tag: string, message: string, { file, rows }: { file: string; rows: number }) {
    super(tag, message);
    this.file = file;
    this.rows = rows;
  }
}

/** An output may not be written: it holds what we did not write, or is in or around an input. */
export class OutputError extends ParisError {
  override readonly code = 'OUTPUT';
}

/** A run folder cannot be resumed with these options. */
export class RunError extends ParisError {
  override readonly code = 'RUN';
}

/** The loss is no longer a finite number. */
export class DivergedError extends ParisError {
  override readonly code = 'DIVERGED';
}

/** The run was asked to stop; a checkpoint has been written and the same command resumes it. */
export class InterruptedError extends ParisError {
  override readonly code = 'INTERRUPTED';
}
