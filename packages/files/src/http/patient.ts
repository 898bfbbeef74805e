// Asks a server again that is busy or whose connection broke. (Downloads that are kept have a patience of their own, which also
// resumes in the middle: download/patience.ts.)
import { FileChangedError, UnavailableError } from '../errors.js';
import { sleep } from '../sleep.js';
import type { FileSource } from '../stores/store.js';
import { isReset } from './reset.js';

/** How often a server is asked, and how long is waited in between. */
export interface RetryOptions {
  /** How often it is asked before giving up. Default 5. */
  readonly attempts?: number | undefined;
  /** The first wait between two attempts; each further one is twice as long. Default 500. */
  readonly retryMs?: number | undefined;
  /** The longest wait, also of those that a server's Retry-After asks for. Default 60,000. */
  readonly maxRetryMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What asks again, see {@link patientSource}. */
export type Patiently = <T>(ask: () => Promise<T>) => Promise<T>;

/**
 * Asks again after a status of 429 or from 500 on, and after a connection that broke; as long as nobody has answered at all, only
 * after one that was reset: where there is no server, that is said at once.
 */
export function patiently({ attempts = 5, retryMs = 500, maxRetryMs = 60_000, signal }: RetryOptions = {}): Patiently {
  let reached = false;
  return async (ask) => {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await ask();
        reached = true;
        return answer;
      } catch (error) {
        signal?.throwIfAborted();
        // Nobody answered: that has a cause, which an answer that was refused has not.
        const isNetwork = error instanceof UnavailableError && error.cause !== undefined;
        if (!isNetwork) reached = true;
        const mayPass = error instanceof UnavailableError && !(error instanceof FileChangedError);
        if (!mayPass || attempt >= attempts || (isNetwork && !reached && !isReset(error))) throw error;
        await sleep(Math.min(error.retryAfterMs ?? retryMs * 2 ** (attempt - 1), maxRetryMs), signal);
      }
    }
  };
}

/** A source of which everything is asked for patiently. A span of a file that changed meanwhile is not asked for again. */
export function patientSource(source: FileSource, options: RetryOptions = {}): FileSource {
  const ask = patiently(options);
  return {
    read: (...what) => ask(() => source.read(...what)),
    size: (path) => ask(() => source.size(path)),
    exists: (path) => ask(() => source.exists(path)),
  };
}
