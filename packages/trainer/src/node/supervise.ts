// A GPU command runs in a process of its own: drivers are chosen before a process starts, and a driver that hangs or
// crashes takes only that process with it. The parent watches for signs of life and starts it again from its checkpoint.
import { spawn } from 'node:child_process';
import { ParisError } from '@paris/tensor';
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
  /** Told before the child is started again. */
  onRestart?: (reason: string, attempt: number) => void;
}

/** The GPU process hung or crashed, again and again. */
export class GpuProcessError extends ParisError {
  override readonly code = 'GPU_PROCESS';
}

/** Set in the child; its value is how often it was started before. */
export const ATTEMPT_VARIABLE = 'PARIS_ATTEMPT';

/**
 * Runs a child to its end and resolves to its exit code. Standard streams and signals go through; the child shows life
 * with {@link signOfLife}.
 * @throws GpuProcessError when it hung or crashed once more than `retries`; an AbortError when Ctrl-C ended it before it
 *   listened
 */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { retries = 2 } = options;
  for (let attempt = 0; ; attempt++) {
    const end = await runOnce(options, attempt);
    if (typeof end === 'number') return end;
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

/** In the child: tells the parent that work goes on. Without a parent it does nothing. */
export function signOfLife(): void {
  if (process.connected) process.send?.({ type: 'alive' });
}

/** In the child: ends this process when the parent is gone, so that nobody trains unseen. */
export function endWithParent(): void {
  if (!process.connected) return;
  process.once('disconnect', () => process.exit(1));
  process.channel?.unref();
}

// What a driver does to a process when it goes wrong, in contrast to signals that somebody sends.
const CRASHES: readonly NodeJS.Signals[] = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP'];

async function runOnce(options: SuperviseOptions, attempt: number): Promise<number | string> {
  const { argv, env, timeoutMs, firstTimeoutMs = 5 * timeoutMs } = options;
  const child = spawn(argv[0]!, argv.slice(1), {
    env: { ...env, [ATTEMPT_VARIABLE]: String(attempt) },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  let stalled = false;
  const watch = (ms: number) =>
    setTimeout(() => {
      stalled = true;
      child.kill('SIGKILL'); // what hangs in a driver does not hear anything else
    }, ms);
  let timer = watch(firstTimeoutMs);
  child.on('message', () => {
    clearTimeout(timer);
    timer = watch(timeoutMs);
  });
  try {
    const { code, signal } = await endOf(child);
    if (stalled) return `made no progress for ${timeoutMs / 1000} s`;
    if (signal && CRASHES.includes(signal)) return `crashed (${signal})`;
    if (signal === 'SIGINT') throw new DOMException('stopped', 'AbortError'); // one that listens says so itself
    return code;
  } finally {
    clearTimeout(timer);
  }
}
