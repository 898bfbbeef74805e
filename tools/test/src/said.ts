// For tests of what a mistake is answered with.

/**
 * The class and the message of the error that a mistake ends in. What is no sentence of ours fails the test: an error
 * without a tag, several lines, no full stop at the end, or no error at all.
 */
export function saidBy<R>(mistake: () => R): R extends Promise<unknown> ? Promise<string> : string;
export function saidBy(mistake: () => unknown): unknown {
  let result: unknown;
  try {
    result = mistake();
  } catch (error) {
    return sentence(error);
  }
  if (result instanceof Promise) return result.then(accepted, sentence);
  return accepted();
}

function accepted(): never {
  throw new Error('[test] the mistake was accepted.');
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) throw new Error(`[test] what was thrown is no error: ${String(error)}`);
  if (!/^\[[\w@/. -]+\] [^\n]+[.?]$/.test(error.message)) {
    throw new Error(`[test] this is not one sentence with a tag: ${error.name}: ${error.message}`, { cause: error });
  }
  return `${error.name}: ${error.message}`;
}
