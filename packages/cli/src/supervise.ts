// A GPU command runs in a process of its own: drivers are chosen before a process starts, and a driver that hangs or
// crashes takes only that process with it. The parent watches for signs of life and starts it again from its checkpoint.
import { spawn } from 'node:child_process';
import { ParisError } from '@paris/files';
import { endOf } from '@paris/tensor/node';

/** Which child is watched, and how long and how often it may fail. */
export interface SuperviseOptions {
  /** Program and arguments of the child. */
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Ends the child after this time without a sign of life. */
  timeoutMs: number;
  /** The same up to the first sign of life, which has shaders to compile. Default five times as long. */
  firstTimeoutMs?: number;
  /** How often the child is started again. Default 2. */
  retries?: number;
  /** Called before the child is started again. */
  onRestart?: (reason: string, attempt: number) => void;
  /** When it is aborted, the child is asked to end (SIGTERM) and none is started again. */
  signal?: AbortSignal | undefined;
}

/** The GPU process hung or crashed, again and again. */
export class GpuProcessError extends ParisError {
  override readonly code = 'GPU_PROCESS';
}

/** Set in the child; its value is how often it was started before. */
export const ATTEMPT_VARIABLE = 'PARIS_ATTEMPT';
/** Set in the child; its value is how long the command has run before it, in milliseconds: not when, since clocks are set. */
export const ELAPSED_VARIABLE = 'PARIS_ELAPSED_MS';

/**
 * Runs a child to its end and resolves to its exit code. Standard streams and signals go through; the child shows life
 * with {@link signOfLife}. After a signal that ends (Ctrl-C, SIGTERM, SIGHUP) none is started again, even if this one
 * hangs; a second such signal a moment later ends it at once.
 * @throws GpuProcessError when it hung or crashed once more than `retries`; an AbortError when it was stopped and ended
 *   without an exit code of its own
 */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { retries = 2, signal } = options;
  const stop: Stop = {};
  for (let attempt = 0; ; attempt++) {
    if (signal?.aborted) throw stopped();
    const end = await runOnce(options, attempt, stop);
    if (typeof end === 'number') return end;
    if (stop.since !== undefined) throw stopped();
    if (attempt === retries) {
      const times = `${attempt + 1} time${attempt === 0 ? '' : 's'}`;
      throw new GpuProcessError(
        'adapter',
        `the GPU process ${end} ${times}. Try another one with --adapter, or see paris doctor.`,
      );
    }
    options.onRestart?.(`the GPU process ${end}`, attempt + 1);
  }
}

/**
 * In the child: how often it was started before; undefined in a process that no supervisor started. It is asked of the
 * environment once and then removed from it, so that commands which this process starts are not taken for its kind.
 */
export function startedBefore(): number | undefined {
  const value = process.env[ATTEMPT_VARIABLE];
  if (value !== undefined) {
    before = Number(value);
    delete process.env[ATTEMPT_VARIABLE];
  }
  return before;
}
let before: number | undefined;

/** How long this command has run, in milliseconds: from its first process on, if this one was started again. */
export function elapsedMs(): number {
  const value = process.env[ELAPSED_VARIABLE];
  if (value !== undefined) {
    elapsedBefore = Number(value);
    delete process.env[ELAPSED_VARIABLE];
  }
  return elapsedBefore + performance.now();
}
let elapsedBefore = 0;

/** In the child: shows the parent that work continues. In a process that no supervisor started it does nothing. */
export function signOfLife(): void {
  // The parent may end between the question and the message: then `disconnect` ends this process.
  if (startedBefore() !== undefined && process.connected)
    process.send?.({ type: 'alive' }, undefined, undefined, () => undefined);
}

/**
 * In the child: ends this process when the parent is gone, so that nobody trains unseen.
 * @returns false if the parent is gone already
 */
export function endWithParent(): boolean {
  if (!process.connected) return false;
  process.once('disconnect', () => process.exit(1));
  process.channel?.unref();
  return true;
}

// What a driver does to a process when it goes wrong, in contrast to signals that somebody sends.
const CRASHES: readonly NodeJS.Signals[] = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP'];

/** Since when the child is to end, by `performance.now()`. */
type Stop = { since?: number };

/** A terminal and a parent may both pass on the same signal; one that comes later than this was meant as a second. */
const SECOND_MS = 1000;

async function runOnce(options: SuperviseOptions, attempt: number, stop: Stop): Promise<number | string> {
  const { argv, env, timeoutMs, firstTimeoutMs = 5 * timeoutMs, signal: abort } = options;
  const child = spawn(argv[0]!, argv.slice(1), {
    env: { ...env, [ATTEMPT_VARIABLE]: String(attempt), [ELAPSED_VARIABLE]: String(Math.round(elapsedMs())) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  let stalledMs: number | undefined;
  const watch = (ms: number) =>
    setTimeout(() => {
      stalledMs = ms;
      child.kill('SIGKILL'); // what hangs in a driver does not hear anything else
    }, ms);
  let timer = watch(firstTimeoutMs);
  child.on('message', () => {
    clearTimeout(timer);
    timer = watch(timeoutMs);
  });
  const onSignal = () => {
    if (stop.since === undefined) stop.since = performance.now();
    else if (performance.now() - stop.since > SECOND_MS) child.kill('SIGKILL');
  };
  const onAbort = () => {
    stop.since ??= performance.now();
    child.kill('SIGTERM');
  };
  abort?.addEventListener('abort', onAbort, { once: true });
  try {
    const { code, signal } = await endOf(child, onSignal);
    if (stop.since !== undefined && signal) throw stopped(); // one that listens says so itself
    if (stalledMs !== undefined) return `made no progress for ${stalledMs / 1000} s`;
    if (signal && CRASHES.includes(signal)) return `crashed (${signal})`;
    if (signal === 'SIGINT') throw stopped();
    return code;
  } finally {
    clearTimeout(timer);
    abort?.removeEventListener('abort', onAbort);
  }
}

function stopped(): DOMException {
  return new DOMException('stopped', 'AbortError');
}
