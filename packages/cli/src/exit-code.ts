// With which code a command ends, for scripts and schedulers that decide by it whether to try again.
import { ParisError } from '@paris/files';
import { isPassing } from '@paris/files/node';

/** 65 to 78 are those of sysexits.h (DATAERR, SOFTWARE, TEMPFAIL, CONFIG); from 128 on 128 + the signal's number, as in a shell. */
export const EXIT = {
  failed: 1,
  usage: 2,
  data: 65,
  diverged: 70,
  retry: 75,
  config: 78,
  SIGHUP: 129,
  SIGINT: 130,
  SIGPIPE: 141,
  SIGTERM: 143,
} as const;

/** Failures after which the same command fails again. */
export const neverAgain: readonly number[] = [EXIT.failed, EXIT.usage, EXIT.data, EXIT.diverged, EXIT.config];

/** For `--help`; the table in the README says more. */
export const exitCodesHelp = `
Exit codes:
  0              done
  1              failed: a bug, or a check that was asked for
  2              called wrongly
  65             bad data: pictures, captions, weights, a damaged or missing file
  70             training diverged
  75             try again later: no device, disk or server just now, or a locked folder
  78             bad configuration: a config, options that do not fit the run, permissions,
                 too little memory
  129, 130, 143  stopped (hang-up, Ctrl-C, SIGTERM); training resumes from its checkpoint
  141            nobody reads the output any more
Only after 75, 129, 130, 141 and 143 is the same command worth repeating.`;

/** What a command ends with for an error that is no stop. */
export function exitCodeOf(error: unknown): number {
  if (isPassing(error)) return EXIT.retry;
  if (error instanceof ParisError) return Object.hasOwn(byCode, error.code) ? byCode[error.code]! : EXIT.failed;
  return error instanceof Error && 'syscall' in error ? EXIT.config : EXIT.failed; // the system: a path, permissions
}

/** Codes of errors that are not listed here come from a bug, in Paris or in a module that the user named. */
const byCode: Readonly<Record<string, number>> = {
  VALUE: EXIT.usage,
  OUTPUT: EXIT.usage,
  DATA: EXIT.data,
  CHECKPOINT: EXIT.data,
  CLUSTERING: EXIT.data,
  FILE_NOT_FOUND: EXIT.data,
  FILE_TOO_LARGE: EXIT.data,
  DIVERGED: EXIT.diverged,
  UNAVAILABLE: EXIT.retry,
  FILE_LOCKED: EXIT.retry,
  DEVICE_LOST: EXIT.retry,
  GPU_PROCESS: EXIT.retry,
  CONFIG: EXIT.config,
  RUN: EXIT.config,
  STORE: EXIT.config,
  FILE_ACCESS: EXIT.config,
  NO_ADAPTER: EXIT.config,
  LIMIT: EXIT.config,
  OUT_OF_MEMORY: EXIT.config,
};

/** Why this process is to end. A closed pipe counts as the signal that other programs get for it. */
export type StopCause = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE';

let cause: StopCause | undefined;

/** The first cause counts. */
export function noteStop(why: StopCause): void {
  cause ??= why;
}

/** Why this process is to end; undefined while it is not. */
export function stopCause(): StopCause | undefined {
  return cause;
}
