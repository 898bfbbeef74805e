// Workers and processors where there are Web Workers: browsers. Chosen by the package import `#host`. A bundle for browsers
// may run under Deno, Bun or Node, too: there it takes their own threads, because a Web Worker of Deno that waits for work
// keeps the process alive until it is terminated.
import type { KernelStore } from '../gpu/known-kernels.js';
import type { NodeModules } from './host.native.js';
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

const modules = nodeModules();
let native: typeof import('./host.native.js') | undefined;
const webPort = '{post:(m,t)=>postMessage(m,{transfer:t??[]}),listen:(f)=>{onmessage=(e)=>f(e.data)}}';

/** Loads what only Deno, Bun and Node need. Await it before asking for threads or processors. */
export async function prepareHost(): Promise<void> {
  if (modules) native ??= await import('./host.native.js');
}

/** What runs in a worker before its source: how it posts and listens. */
export function portSource(): string {
  return native ? native.nativePort : webPort;
}

/** Deno has no classic workers. */
const workerType: WorkerType = 'Deno' in globalThis ? 'module' : 'classic';

/**
 * Starts a worker from its source text, which works with every bundler and asks for `worker-src blob:` of a content security
 * policy; or takes the one that `make` makes.
 */
export function startThread(source: string, name: string, events: ThreadEvents, make?: () => Worker): Thread {
  if (native && !make) return native.startNative(modules!, source, name, events);
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

/** Where kernels are kept from process to process. A page compiles its few again, which is faster than asking for them. */
export function kernelStore(_fingerprint: string): KernelStore | undefined {
  return undefined;
}

/** Threads that this machine offers. */
export function processors(): number {
  if (native) return native.nativeProcessors(modules!);
  return (globalThis.navigator as Navigator | undefined)?.hardwareConcurrency ?? 1;
}

interface ProcessScope {
  readonly document?: unknown;
  readonly process?: { getBuiltinModule?: (name: string) => unknown };
}

/** The modules of Node, where they can be had without an import, which a page could not resolve. */
function nodeModules(): NodeModules | undefined {
  const { document, process } = globalThis as ProcessScope;
  if (document || typeof process?.getBuiltinModule !== 'function') return undefined;
  const take = (name: string) => process.getBuiltinModule!(`node:${name}`);
  return { threads: take('worker_threads'), os: take('os'), fs: take('fs') } as NodeModules;
}
