// Why a command is to end: Ctrl-C, a supervisor's SIGTERM, a terminal that hung up, a pipe that nobody reads any more.
// Work that listens ends where nothing is lost; where none does yet, or any more, the process ends at once.
import { EXIT, noteStop, type StopCause } from './exit-code.js';
import { reportFailure } from './failure.js';

let listener: ((cause: StopCause) => void) | undefined;

/** Begins to listen, for the rest of this process's life. */
export function listenForStops(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // EIO: the terminal is gone. Anything else, such as a full disk, is a failure like others.
      if (error.code === 'EPIPE' || error.code === 'EIO') stop('SIGPIPE');
      else process.exit(reportFailure(error));
    });
  }
}

/** Does work that can stop by itself. The first stop aborts its signal; a second signal a moment later ends the process. */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first: number | undefined;
  return listening(
    (why) => {
      // A terminal and a parent may both pass on the same one; each line to a closed pipe fails again.
      if (first === undefined) first = performance.now();
      else if (why !== 'SIGPIPE' && performance.now() - first > 1000) process.exit(EXIT[why]);
      controller.abort();
    },
    () => work(controller.signal),
  );
}

/** From here on a child gets the signals; this process ends when that does. */
export function leaveSignalsToChild(): void {
  listener = () => undefined;
}

/** Watches a child, which gets the signals by itself. The signal is aborted when this process can say nothing any more. */
export async function watching<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  return listening(
    (why) => {
      if (why === 'SIGPIPE') controller.abort();
    },
    () => work(controller.signal),
  );
}

async function listening<T>(listen: (cause: StopCause) => void, work: () => Promise<T>): Promise<T> {
  listener = listen;
  try {
    return await work();
  } finally {
    listener = undefined;
  }
}

function stop(why: StopCause): void {
  noteStop(why);
  if (listener) listener(why);
  else process.exit(reportFailure(new DOMException('stopped', 'AbortError')));
}
