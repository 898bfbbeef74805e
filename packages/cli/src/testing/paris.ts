// Runs the built `paris` command in tests, as a user would.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { JsonProgress } from '../reporter.js';

const bin = fileURLToPath(new URL('../../bin/paris.js', import.meta.url));
const built = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Ended {
  /** 128 + the signal's number where a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ParisOptions {
  env?: NodeJS.ProcessEnv;
  /** In front of the command: `['unshare', '-n']`. */
  wrapper?: string[];
  /** JSON lines, with the process (which leads a group of its own). */
  onEvent?: (event: JsonProgress, child: ChildProcess) => void;
}

export async function paris(args: readonly string[], options: ParisOptions = {}): Promise<Ended> {
  if (!existsSync(built)) throw new Error('the paris command is not built: run npm run build first.');
  const [program, ...rest] = [...(options.wrapper ?? []), process.execPath, bin, ...args] as [string, ...string[]];
  const child = spawn(program, rest, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended: Ended = { code: null, signal: null, stdout: '', stderr: '' };
  child.stderr.on('data', (chunk) => {
    ended.stderr += chunk;
  });
  createInterface(child.stdout).on('line', (line) => {
    ended.stdout += `${line}\n`;
    if (line.startsWith('{')) options.onEvent?.(JSON.parse(line), child);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ ...ended, code, signal }));
  });
}
