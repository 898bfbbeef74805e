// Ctrl-C. A command that listens ends where nothing is lost; where none does yet, or any more, it ends at once.
import { EXIT, reportFailure } from './failure.js';

/** Does work that can stop by itself. The first Ctrl-C aborts its signal, a second one a moment later ends the process. */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  let first = 0;
  // A terminal and a parent may both pass on the same one.
  const handler = () => {
    if (first === 0) first = Date.now();
    else if (Date.now() - first > 1000) process.exit(EXIT.interrupted);
    stop.abort();
  };
  process.on('SIGINT', handler).on('SIGTERM', handler);
  try {
    return await work(stop.signal);
  } finally {
    process.off('SIGINT', handler).off('SIGTERM', handler);
  }
}

/** Ends the process at Ctrl-C with its sentence and its code, unless somebody else listens: work, or a parent for its child. */
export function endAtStop(): void {
  process.on('SIGINT', () => {
    if (process.listenerCount('SIGINT') === 1) process.exit(reportFailure(new DOMException('stopped', 'AbortError')));
  });
}
