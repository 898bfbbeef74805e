// How a command ends when it cannot do what was asked: one sentence on stderr and a code a script can test.

import { ParisError, printable } from '@paris/files';
import { InterruptedError } from '@paris/trainer/options';
import { CommanderError } from 'commander';
import { EXIT, exitCodeOf, stopCause } from './exit-code.js';

/** Prints an error and returns the exit code. The stack is shown with PARIS_DEBUG=1. */
export function reportFailure(error: unknown, print: (line: string) => void = (line) => console.error(line)): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage; // commander has printed it
  const stopped = error instanceof InterruptedError || isAbort(error);
  const cause = stopCause() ?? 'SIGINT';
  if (stopped && cause === 'SIGPIPE') return EXIT.SIGPIPE; // nobody listens
  if (process.env.PARIS_DEBUG) {
    const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    print(stack.split('\n').map(printable).join('\n'));
  } else print(`paris: ${printable(shortened(sentence(error)))}`);
  return stopped ? EXIT[cause] : exitCodeOf(error);
}

/** What went wrong, in one line. */
export function sentence(error: unknown): string {
  if (isAbort(error)) return 'stopped.';
  if (error instanceof ParisError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return `${message.split('\n')[0]} (PARIS_DEBUG=1 shows where)`;
}

/** A name of megabytes, from somebody's file, is no sentence. */
function shortened(text: string): string {
  return text.length > 4000 ? `${text.slice(0, 4000)}…` : text;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
