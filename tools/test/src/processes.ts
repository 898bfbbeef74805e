// Which processes a test has left behind: it starts them with a mark in their environment, which their children inherit.
import { readdir, readFile } from 'node:fs/promises';

/** The variable of the environment that holds the mark. */
export const MARK = 'PARIS_TEST_MARK';

/** A process with the mark that has not ended. */
export interface MarkedProcess {
  pid: number;
  command: string;
}

/** All living processes with the mark, in the order of their numbers. Needs `/proc`. */
export async function markedProcesses(mark: string): Promise<MarkedProcess[]> {
  const found: MarkedProcess[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [environment, status, command] = await Promise.all(
      ['environ', 'status', 'cmdline'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')),
    );
    // One that ended and that nobody has asked for yet (a zombie) has no environment any more on most systems.
    if (!environment!.split('\0').includes(`${MARK}=${mark}`) || /^State:\s+[ZX]/m.test(status!)) continue;
    found.push({ pid: Number(name), command: command!.split('\0').join(' ').slice(0, 200) });
  }
  return found.sort((a, b) => a.pid - b.pid);
}

/**
 * Waits until no process has the mark any more.
 * @throws Error that names those left over after `withinMs`, which are ended then
 */
export async function expectNoProcesses(mark: string, withinMs = 30_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const left = await markedProcesses(mark);
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      throw new Error(`[test] left over: ${left.map(({ pid, command }) => `${pid} ${command}`).join('; ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
