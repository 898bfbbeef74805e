// A process of its own for whatever needs the GPU: LD_LIBRARY_PATH and the driver must be set before a process starts.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ValueError } from '../errors.js';
import { type AdapterChoice, adapterEnvironment, chooseAdapter, type WorkingAdapter } from './adapters.js';
import { type ProbeSystem, thisSystem } from './candidates.js';

/** On which adapter, in which folder and with which environment a child runs. */
export type RunOptions = {
  adapter?: AdapterChoice | undefined;
  /** The child's environment before the adapter's variables are added; default: this process's. */
  environment?: NodeJS.ProcessEnv | undefined;
  cwd?: string | undefined;
  /** Called once with the adapter that was chosen, before the child starts. */
  onAdapter?: ((adapter: WorkingAdapter) => void) | undefined;
  /** For tests: the machine to choose on. */
  system?: ProbeSystem | undefined;
};

// What a terminal or a supervisor sends to end a process.
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `argv` with an adapter's environment and waits for its end. Arguments, standard streams and signals go through
 * to the child; its exit code comes back (128 + the signal's number if a signal ended it, as in a shell).
 *
 * @example
 * process.exitCode = await runWithAdapter(['node', 'script.js'], { adapter: 'swiftshader' });
 */
export async function runWithAdapter(argv: readonly string[], options: RunOptions = {}): Promise<number> {
  const [command, ...rest] = argv;
  if (!command) throw new ValueError('exec', 'there is no command to run. Write it after --, as in: -- node app.js');
  const environment = options.environment ?? process.env;
  const adapter = await chooseAdapter({ adapter: options.adapter }, options.system ?? thisSystem(environment));
  options.onAdapter?.(adapter);
  const child = spawn(command, rest, {
    stdio: 'inherit',
    env: { ...environment, ...adapterEnvironment(adapter) },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  // Ctrl-C in a terminal reaches the child by itself; this process only has to outlive it.
  const forward = (signal: NodeJS.Signals) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (error) =>
        reject(new ValueError('exec', `${command} did not start: ${error.message}.`, { cause: error })),
      );
      child.once('close', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : (code ?? 1)));
    });
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}
