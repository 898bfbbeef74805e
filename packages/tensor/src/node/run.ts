// A process of its own for whatever needs the GPU: LD_LIBRARY_PATH and the driver must be set before a process starts.
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { ValueError } from '../errors.js';
import { type AdapterChoice, adapterEnvironment, chooseAdapter, type WorkingAdapter } from './adapters.js';
import { type ProbeSystem, thisSystem } from './candidates.js';
import { endWithThisProcess, spawnWithThisProcess } from './end-with-this-process.js';

/** On which adapter a child runs. */
export type RunOptions = {
  adapter?: AdapterChoice | undefined;
  /** Called once with the adapter that was chosen, before the child starts. */
  onAdapter?: ((adapter: WorkingAdapter) => void) | undefined;
};

/**
 * Runs `argv` with an adapter's environment and waits for its end. Arguments, standard streams and signals go through
 * to the child; its exit code comes back (128 + the signal's number if a signal ended it, as in a shell).
 *
 * @example
 * process.exitCode = await runWithAdapter(['node', 'script.js'], { adapter: 'swiftshader' });
 */
export async function runWithAdapter(
  argv: readonly string[],
  { adapter: asked, onAdapter }: RunOptions = {},
  system: ProbeSystem = thisSystem(),
): Promise<number> {
  const [command, ...rest] = argv;
  if (!command) throw new ValueError('exec', 'there is no command to run. Write it after --, as in: -- node app.js');
  const adapter = await chooseAdapter({ adapter: asked }, system);
  onAdapter?.(adapter);
  const env = { ...system.environment, ...adapterEnvironment(adapter) };
  try {
    return (await endOf(spawnWithThisProcess(command, rest, { stdio: 'inherit', env }))).code;
  } catch (cause) {
    throw new ValueError('exec', `${command} did not start: ${(cause as Error).message}.`, { cause });
  }
}

// What a terminal or a supervisor sends to end a process.
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Waits for the end of a child, which meanwhile gets the signals that would end this process, and which does not
 * outlive it.
 * @param onSignal - called with each signal that this process gets meanwhile
 * @returns its exit code, which is 128 + the signal's number if a signal ended it, as in a shell
 * @throws the system's error if the child did not start
 */
export async function endOf(
  child: ChildProcess,
  onSignal?: (signal: NodeJS.Signals) => void,
): Promise<{ code: number; signal: NodeJS.Signals | null }> {
  // Ctrl-C in a terminal reaches the child by itself; this process only has to outlive it.
  const forward = (signal: NodeJS.Signals) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    onSignal?.(signal);
  };
  const release = endWithThisProcess(child);
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve({ code: signal ? 128 + constants.signals[signal] : (code ?? 1), signal });
      });
    });
  } finally {
    release();
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}
