// How a command ends when it cannot do what was asked: one sentence on stderr and a code a script can test.

import { printable } from '@paris/files';
import { parseRoutingPolicy } from '@paris/router';
import { ParisError } from '@paris/tensor';
import { InterruptedError } from '@paris/trainer';
import { CommanderError, InvalidArgumentError } from 'commander';
import { EXIT, stopCause } from './exit-code.js';

/** Prints an error and returns the exit code. The stack is shown with PARIS_DEBUG=1. */
export function reportFailure(error: unknown, print: (line: string) => void = (line) => console.error(line)): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage; // commander has printed it
  const stopped = error instanceof InterruptedError || isAbort(error);
  const cause = stopCause() ?? 'SIGINT';
  if (stopped && cause === 'SIGPIPE') return EXIT.SIGPIPE; // nobody listens
  if (process.env.PARIS_DEBUG) {
    const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    print(stack.split('\n').map(printable).join('\n'));
  } else print(`paris: ${printable(sentence(error))}`);
  return stopped ? EXIT[cause] : EXIT.failed;
}

/** For options: a number within bounds, as text from the command line. */
export function number(bounds: { min?: number; max?: number; whole?: boolean }): (text: string) => number {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, whole = false } = bounds;
  return (text) => {
    const value = Number(text);
    const kind = whole ? 'a whole number' : 'a number';
    if (text.trim() === '' || !Number.isFinite(value) || (whole && !Number.isInteger(value))) {
      throw new InvalidArgumentError(`It is not ${kind}.`);
    }
    if (value < min) throw new InvalidArgumentError(`It must be ${kind} from ${min} on.`);
    if (value > max) throw new InvalidArgumentError(`It must be ${kind} up to ${max}.`);
    return value;
  };
}

/** For options: what a function of the library makes of the text. */
export function parsed<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(sentence(error));
    }
  };
}

/** Whole numbers from `min` on. */
export const whole = (min: number): ((text: string) => number) => number({ min, whole: true });

/** The name of a routing policy. */
export const policyName: (text: string) => string = parsed((text) => {
  parseRoutingPolicy(text);
  return text;
});

function sentence(error: unknown): string {
  if (isAbort(error)) return 'stopped.';
  if (error instanceof ParisError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return `${message.split('\n')[0]} (PARIS_DEBUG=1 shows where)`;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
