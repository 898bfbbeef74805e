// Workers and processors by the modules of Node, which Deno and Bun have too. Imports none of them: the caller passes them.
import type { Thread, ThreadEvents } from './host.js';
import type { FromWorker } from './worker.js';

/** The modules of Node that it takes. */
export interface NodeModules {
  readonly threads: Pick<typeof import('node:worker_threads'), 'Worker'>;
  readonly os: Pick<typeof import('node:os'), 'availableParallelism'>;
  readonly fs: Pick<typeof import('node:fs'), 'readFileSync'>;
}

/** What runs in a worker before its source: how it posts and listens. */
export const nativePort =
  "((p)=>({post:(m,t)=>p.postMessage(m,t),listen:(f)=>p.on('message',f)}))(require('node:worker_threads').parentPort)";

/** Starts a worker from its source text. It does not keep the process alive until it is held. */
export function startNative({ threads }: NodeModules, source: string, name: string, events: ThreadEvents): Thread {
  // Without the process's own switches: a loader or an inspector is nothing for these workers.
  const worker = new threads.Worker(source, { eval: true, name, execArgv: [], env: {} });
  let terminated = false;
  worker.on('message', (message: FromWorker) => events.message(message));
  worker.on('error', (error: Error) => events.failed(error.message));
  worker.on('exit', () => {
    if (!terminated) events.failed('a worker has exited');
  });
  worker.unref();
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as []),
    hold: (held) => (held ? worker.ref() : worker.unref()),
    terminate: () => {
      terminated = true;
      worker.unref();
      void worker.terminate();
    },
  };
}

/** Processors that this process may use: those of the machine, its affinity, and its container's quota. */
export function nativeProcessors({ os, fs }: NodeModules): number {
  return Math.max(1, Math.min(os.availableParallelism(), Math.ceil(containerLimit(fs))));
}

interface DenoScope {
  readonly Deno?: { permissions: { querySync(wanted: { name: 'read'; path: string }): { state: string } } };
}

/** A small file of the system; undefined if it cannot be read. Deno would ask its user: not for this. */
function readSystem(fs: NodeModules['fs'], path: string): string | undefined {
  const { Deno } = globalThis as DenoScope;
  if (Deno && Deno.permissions.querySync({ name: 'read', path }).state !== 'granted') return undefined;
  try {
    return fs.readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Processors that the control group allows (version 2, then 1); Infinity without a limit. */
function containerLimit(fs: NodeModules['fs']): number {
  const [quota, period] =
    readSystem(fs, '/sys/fs/cgroup/cpu.max')?.split(' ') ??
    ['quota', 'period'].map((name) => readSystem(fs, `/sys/fs/cgroup/cpu/cpu.cfs_${name}_us`));
  const limit = Number(quota) / Number(period);
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}
