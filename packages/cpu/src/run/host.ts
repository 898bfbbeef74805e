// Workers and processors where there are Web Workers: browsers. Chosen by the package import `#host`.
import type { FromWorker, ToWorker } from './worker.js';

/** A worker as the runner sees it. */
export interface Thread {
  post(message: ToWorker, transfer?: Transferable[]): void;
  /** Whether it keeps the process alive. */
  hold(held: boolean): void;
  terminate(): void;
}

export interface ThreadEvents {
  message(message: FromWorker): void;
  failed(why: string): void;
}

/** What runs in a worker before its source: how it posts and listens. */
export const portSource = '{post:(m,t)=>postMessage(m,{transfer:t??[]}),listen:(f)=>{onmessage=(e)=>f(e.data)}}';

/** A bundle for browsers may run in Deno, too, which has no classic workers. */
const workerType: WorkerType = 'Deno' in globalThis ? 'module' : 'classic';

/**
 * Starts a worker from its source text, which works with every bundler and asks for `worker-src blob:` of a content security
 * policy; or takes the one that `make` makes.
 */
export function startThread(source: string, name: string, events: ThreadEvents, make?: () => Worker): Thread {
  const url = make ? undefined : URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = make ? make() : new Worker(url!, { name, type: workerType });
  worker.onmessage = (event) => events.message(event.data as FromWorker);
  worker.onerror = (event) => {
    event.preventDefault?.();
    events.failed(
      event.message ||
        'a worker did not start. A content security policy must allow worker-src blob: and wasm-unsafe-eval',
    );
  };
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    hold: () => {},
    terminate: () => {
      if (url) URL.revokeObjectURL(url);
      worker.terminate();
    },
  };
}

/** Threads that this machine offers. */
export function processors(): number {
  return (globalThis.navigator as Navigator | undefined)?.hardwareConcurrency ?? 1;
}
