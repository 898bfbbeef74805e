// One `paris` command as a process: its JSON lines become events, everything it says goes to a log file, and a request to
// stop lets it write a checkpoint. (That a GPU process may hang or crash is the command's own business: it starts it again.)

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { printable } from '@paris/files';
import { endWithThisProcess, expectChild } from '@paris/tensor/node';
import { type ParisEvent, parseEvent } from './events.js';

/** How to start `paris`: a program and its first arguments. */
export type ParisCommand = readonly [program: string, ...args: string[]];

/** The command of the package @paris/cli, in the Node that runs now. */
export function installedParis(): ParisCommand {
  const root = dirname(createRequire(import.meta.url).resolve('@paris/cli/package.json'));
  return [process.execPath, join(root, 'bin', 'paris.js')];
}

export interface RunOptions {
  readonly command: ParisCommand;
  readonly logFile: string;
  readonly onEvent: (event: ParisEvent) => void;
  readonly signal: AbortSignal;
  /** Threads of a command that computes on the CPU: commands that run side by side share the processors. */
  readonly threads?: number;
}

export type Outcome = { kind: 'done' } | { kind: 'stopped' } | { kind: 'failed'; reason: string };

const GRACE_MS = 30_000; // for a checkpoint, after which a process that was asked to stop is ended

/** Runs `paris` once. Never throws for what the process does. */
export async function runParis(args: readonly string[], options: RunOptions): Promise<Outcome> {
  if (options.signal.aborted) return { kind: 'stopped' };
  await mkdir(dirname(options.logFile), { recursive: true });
  const [program, ...first] = options.command;
  // A process group of its own: Ctrl-C in the terminal reaches this program only, which passes it on once.
  const { threads } = options;
  expectChild();
  const child = spawn(program, [...first, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: threads === undefined ? process.env : { ...process.env, PARIS_THREADS: String(threads) },
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
  options.signal.addEventListener('abort', stop, { once: true });
  process.once('exit', endGroup); // nobody trains unseen,
  const release = endWithThisProcess(child); // not even when this program is killed

  const log = createWriteStream(options.logFile, { flags: 'a' });
  const keep = (line: string) => log.write(`${printable(line)}\n`);
  let lastError = '';
  createInterface(child.stderr).on('line', (line) => {
    keep(line);
    if (line.trim()) lastError = printable(line.trim());
  });
  createInterface(child.stdout).on('line', (line) => {
    keep(line);
    const event = parseEvent(line);
    if (event) options.onEvent(event);
  });
  try {
    return await new Promise<Outcome>((resolve) => {
      child.once('error', (error) => resolve({ kind: 'failed', reason: error.message }));
      child.once('close', (code, signal) => {
        if (code === 0) resolve({ kind: 'done' });
        else if (options.signal.aborted) resolve({ kind: 'stopped' });
        else resolve({ kind: 'failed', reason: lastError || (signal ? `ended by ${signal}` : `exit code ${code}`) });
      });
    });
  } finally {
    clearTimeout(grace);
    options.signal.removeEventListener('abort', stop);
    process.off('exit', endGroup);
    release();
    await new Promise((resolve) => log.end(resolve));
  }
}
