// One `paris` command as a process: its JSON lines become events, everything it says goes to a log file, and a request to
// stop lets it write a checkpoint. (That a GPU process may hang or crash is the command's own business: it starts it again.)
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { printable } from '@paris/files';
import { spawnWithThisProcess } from '@paris/tensor/node';
import type { JsonProgress } from '../reporter.js';

/** How to start `paris`: a program and its first arguments. */
export type ParisCommand = readonly [program: string, ...args: string[]];

/** The command of this package, in the Node that runs now. */
export function installedParis(): ParisCommand {
  const root = dirname(createRequire(import.meta.url).resolve('@paris/cli/package.json'));
  return [process.execPath, join(root, 'bin', 'paris.js')];
}

/** How a command runs, and who hears of it. */
export interface RunParisOptions {
  readonly command: ParisCommand;
  /** What the command prints is added to it. */
  readonly logFile: string;
  /** Called for each line of `--json`. */
  readonly onEvent?: (event: JsonProgress) => void;
  readonly signal: AbortSignal;
  /** Threads of a command that computes on the CPU: commands that run side by side share the processors. */
  readonly threads?: number | undefined;
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** How a command ended. `code` is undefined for one that could not be started or was ended by a signal. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly reason: string; readonly code: number | undefined };

const GRACE_MS = 30_000; // for a checkpoint, after which a process that was asked to stop is ended

/** Runs `paris` once, with `--json`. Never throws for what the process does. */
export async function runParis(args: readonly string[], options: RunParisOptions): Promise<Outcome> {
  const { command, logFile, onEvent, signal, threads, env } = options;
  if (signal.aborted) return { kind: 'stopped' };
  await mkdir(dirname(logFile), { recursive: true });
  const [program, ...first] = command;
  // A process group of its own: Ctrl-C in the terminal reaches this program only, which passes it on once.
  const child = spawnWithThisProcess(program, [...first, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...(threads !== undefined && { PARIS_THREADS: String(threads) }), ...env },
  });
  const endGroup = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {} // it ended in the meantime
  };
  let grace: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill('SIGINT');
    grace = setTimeout(endGroup, GRACE_MS);
  };
  signal.addEventListener('abort', stop, { once: true });
  process.once('exit', endGroup); // nobody trains unseen

  const log = createWriteStream(logFile, { flags: 'a' });
  const keep = (line: string) => log.write(`${printable(line)}\n`);
  let lastError = '';
  createInterface(child.stderr!).on('line', (line) => {
    keep(line);
    if (line.trim()) lastError = printable(line.trim());
  });
  createInterface(child.stdout!).on('line', (line) => {
    keep(line);
    const event = parseEvent(line);
    if (event) onEvent?.(event);
  });
  try {
    return await new Promise<Outcome>((resolve) => {
      child.once('error', (error) => resolve({ kind: 'failed', reason: error.message, code: undefined }));
      child.once('close', (code, ended) => {
        if (code === 0) resolve({ kind: 'done' });
        else if (signal.aborted) resolve({ kind: 'stopped' });
        else {
          const reason = lastError || (ended ? `ended by ${ended}` : `exit code ${code}`);
          resolve({ kind: 'failed', reason, code: code ?? undefined });
        }
      });
    });
  } finally {
    clearTimeout(grace);
    signal.removeEventListener('abort', stop);
    process.off('exit', endGroup);
    await new Promise((resolve) => log.end(resolve));
  }
}

/** The event on a line, or undefined if the line is something else. The command is our own, so its lines are what they say. */
function parseEvent(line: string): JsonProgress | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as JsonProgress;
  } catch {
    return undefined;
  }
}
