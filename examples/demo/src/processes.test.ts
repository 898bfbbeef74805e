// The demo as a process: what it starts ends with it, also when it is killed, its terminal hangs up, or nobody reads.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireCapability } from '@paris/test-tools';
import { expectNoProcesses, MARK, markedProcesses } from '@paris/test-tools/processes';
import { afterEach, beforeEach, expect, it } from 'vitest';

const main = new URL('../dist/main.js', import.meta.url).pathname;

let folder: string;
beforeEach(async (context) => {
  requireCapability(context, 'proc', process.platform === 'linux', 'there is no /proc here');
  folder = await mkdtemp(join(tmpdir(), 'paris-demo-end-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Starts the demo, and waits until it has started the first command. */
async function start(): Promise<{ demo: ChildProcess; mark: string; ended: Promise<number | string | null> }> {
  const mark = randomUUID();
  const demo = spawn(process.execPath, [main, '--out', join(folder, 'demo'), '--limit', '4', '--clusters', '2'], {
    env: { ...process.env, [MARK]: mark, INIT_CWD: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  demo.stderr.resume();
  demo.stdout.resume();
  const ended = new Promise<number | string | null>((resolve) =>
    demo.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  while ((await markedProcesses(mark)).length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  return { demo, mark, ended };
}

it.each([
  ['SIGHUP', 129],
  ['SIGTERM', 143],
  ['SIGKILL', 'SIGKILL'],
] as const)('ends for %s and leaves no process', async (signal, code) => {
  const { demo, mark, ended } = await start();
  demo.kill(signal);
  expect(await ended).toBe(code);
  await expectNoProcesses(mark);
});

it('ends when nobody reads what it prints', async () => {
  const { demo, mark, ended } = await start();
  demo.stdout!.destroy();
  expect([0, 1, 141]).toContain(await ended);
  await expectNoProcesses(mark);
});
