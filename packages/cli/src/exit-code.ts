// With which code a command ends when it did not succeed, and why it is to end before it is done.

/** What failed (1), how it was called (2), why it was stopped (128 + the signal's number, as a shell has it). */
export const EXIT = { failed: 1, usage: 2, SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

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
