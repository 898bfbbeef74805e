// One `paris` command as a process: its JSON lines become events, everything it says goes to a log file, a stop request lets
// it write a checkpoint, and silence for too long ends it.

import { spawn } from 'node:child_process';
import { appendFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ParisEvent, parseEvent } from './events.js';

/** How to start `paris`: a program and its first arguments. */
export type ParisCommand = readonly [program: string, ...args: string[]];

/** The command of the trainer package, in the Node that runs now. */
export function installedParis(): ParisCommand {
  const root = dirname(createRequire(import.meta.url).resolve('@paris/trainer/package.json'));
  return [process.execPath, join(root, 'bin', 'paris.js')];
}

export interface RunOptions {
  readonly command: ParisCommand;
  readonly logFile: string;
  readonly onEvent: (event: ParisEvent) => void;
  readonly signal: AbortSignal;
  /** A process that says nothing for this long hangs (a driver can do that). */
  readonly silenceMs: number;
}

/** How a process ended. `hung`: it was silent too long or died of a signal that was not ours. */
export type Outcome =
  | { kind: 'done' }
  | { kind: 'stopped' }
  | { kind: 'hung'; reason: string }
  | { kind: 'failed'; reason: string };

const GRACE_MS = 30_000; // for a checkpoint, after which a process that was asked to stop is ended

/** Runs `paris` once. Never throws for what the process does. */
export async function runParis(args: readonly string[], options: RunOptions): Promise<Outcome> {
  if (options.signal.aborted) return { kind: 'stopped' };
  await mkdir(dirname(options.logFile), { recursive: true });
  const [program, ...first] = options.command;
  // A process group of its own: Ctrl-C in the terminal reaches this program only, which passes it on once.
  const child = spawn(program, [...first, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const killGroup = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {} // it ended in the meantime
  };
  let hung = '';
  let watchdog: NodeJS.Timeout;
  const heard = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      hung = `said nothing for ${Math.round(options.silenceMs / 1000)} s`;
      killGroup();
    }, options.silenceMs);
  };
  let grace: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill('SIGINT');
    grace = setTimeout(killGroup, GRACE_MS);
  };
  options.signal.addEventListener('abort', stop, { once: true });
  process.once('exit', killGroup);

  let log = Promise.resolve();
  const keep = (line: string) => {
    heard();
    log = log.then(() => appendFile(options.logFile, `${line}\n`));
  };
  let lastError = '';
  createInterface(child.stderr).on('line', (line) => {
    keep(line);
    if (line.trim()) lastError = line.trim();
  });
  createInterface(child.stdout).on('line', (line) => {
    keep(line);
    const event = parseEvent(line);
    if (event) options.onEvent(event);
  });
  heard();
  try {
    const { code, signal, error } = await new Promise<{ code?: number | null; signal?: string | null; error?: Error }>(
      (resolve) => {
        child.once('error', (error) => resolve({ error }));
        child.once('close', (code, signal) => resolve({ code, signal }));
      },
    );
    if (options.signal.aborted) return code === 0 ? { kind: 'done' } : { kind: 'stopped' };
    if (error) return { kind: 'failed', reason: error.message };
    if (hung) return { kind: 'hung', reason: hung };
    if (code === 0) return { kind: 'done' };
    // 128 + n: a shell's way, and that of `paris`, to say that signal n ended the process below.
    if (signal || code! > 128) return { kind: 'hung', reason: `died of ${signal ?? `signal ${code! - 128}`}` };
    return { kind: 'failed', reason: lastError || `exit code ${code}` };
  } finally {
    clearTimeout(watchdog!);
    clearTimeout(grace);
    options.signal.removeEventListener('abort', stop);
    process.off('exit', killGroup);
    await log;
  }
}
