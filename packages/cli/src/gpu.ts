// Commands on a GPU run twice: the parent chooses an adapter, prints it and watches; the child does the work. Where the processor
// computes there is no driver to choose or to watch, and one process does all.
import type { Device } from '@paris/tensor';
import {
  ADAPTER_CHOICES,
  type AdapterChoice,
  adapterEnvironment,
  calmPolling,
  chooseAdapter,
  describeAdapter,
} from '@paris/tensor/node';
import { type Command, Option } from 'commander';
import { number } from './option-values.js';
import { createReporter, type Reporter } from './reporter.js';
import { stoppable, watching } from './stop.js';
import { elapsedMs, endWithParent, GpuProcessError, startedBefore, supervise } from './supervise.js';

/** Seconds without progress after which a process on a GPU is ended. */
const PATIENCE = 120;

export interface GpuContext {
  device: Device;
  reporter: Reporter;
  /** Aborted by Ctrl-C and its kind: finish the step, save, end. */
  signal: AbortSignal;
  /** Whether this process was started again after a hang or a crash. */
  restarted: boolean;
  /** How long the command had run when its work began, in milliseconds: a process that is started again does not begin again. */
  elapsedMs: number;
}

/** The options of {@link gpuOptions}. */
export interface GpuFlags {
  adapter: AdapterChoice;
  watchdog?: number;
  json?: boolean;
  tuning?: string;
}

/**
 * Adds the options of every command that uses a GPU, and its action.
 * @param runFolder - where the run is that the command begins or resumes
 */
export function gpuAction<A extends unknown[], O extends object>(
  command: Command,
  action: (context: GpuContext, options: O, ...args: A) => Promise<number | undefined>,
  runFolder?: (options: O, ...args: A) => string | undefined,
): Command {
  return gpuOptions(command).action(async (...all: unknown[]) => {
    const [options] = all.splice(-2) as [O & GpuFlags, Command];
    const args = all as A;
    await onGpu(options, (context) => action(context, options, ...args), runFolder?.(options, ...args));
  });
}

/** Adds the options of every command that uses a GPU. */
export function gpuOptions(command: Command): Command {
  return command
    .addOption(adapterOption())
    .addOption(
      new Option(
        '--watchdog <seconds>',
        `start again after this long without progress, five times as long before the first step (default: ${PATIENCE}, none with cpu)`,
      ).argParser(number({ min: 1 })),
    )
    .option('--tuning <file>', 'kernels that `paris tune` measured on this adapter')
    .option('--json', 'print progress as JSON lines on stdout');
}

/**
 * Does something with a device: with a GPU in a process that is watched, which the first one starts, else in this one.
 * @param runFolder - where the run is that it begins or resumes
 */
export async function onGpu(
  options: GpuFlags,
  action: (context: GpuContext) => Promise<number | undefined>,
  runFolder?: string,
): Promise<void> {
  const before = startedBefore();
  const reporter = createReporter(options.json === true);
  if (before === undefined) {
    const adapter = await chooseAdapter({ adapter: options.adapter });
    reporter.adapter(adapter.kind, describeAdapter(adapter));
    const environment = adapterEnvironment(adapter);
    if (adapter.kind !== 'cpu' || options.watchdog !== undefined) {
      process.exitCode = await watch(options, environment, reporter);
      return;
    }
    Object.assign(process.env, environment);
  } else if (!endWithParent()) {
    // A child never becomes a parent: without its own it would start another, and that another.
    throw new GpuProcessError('adapter', 'the process that started this one is gone.');
  }
  process.exitCode = await work(options, reporter, runFolder, action);
}

export function adapterOption(): Option {
  return new Option('--adapter <name>', 'which GPU to use').choices(ADAPTER_CHOICES).default('auto');
}

/** For commands that use no GPU: scripts may pass the same options to all. */
export function ignoredAdapter(): Option {
  return new Option('--adapter <name>').choices(ADAPTER_CHOICES).hideHelp();
}

function watch({ watchdog = PATIENCE }: GpuFlags, environment: NodeJS.ProcessEnv, reporter: Reporter): Promise<number> {
  return watching((signal) =>
    supervise({
      argv: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
      env: { ...process.env, ...environment },
      timeoutMs: watchdog * 1000,
      onRestart: (reason, attempt) => reporter.warn(`${reason}; starting again (${attempt} of 2)`),
      signal,
    }),
  );
}

async function work(
  flags: GpuFlags,
  reporter: Reporter,
  runFolder: string | undefined,
  action: (context: GpuContext) => Promise<number | undefined>,
): Promise<number> {
  const restarted = (startedBefore() ?? 0) > 0;
  const elapsed = elapsedMs();
  return stoppable(async (signal) => {
    const { openTuned } = await import('./tuning.js');
    const device = await openTuned(flags.tuning, runFolder, (message) => reporter.warn(message));
    if (device.info.software) calmPolling();
    try {
      return (await action({ device, reporter, signal, restarted, elapsedMs: elapsed })) ?? 0;
    } finally {
      reporter.close();
      await device.close();
    }
  });
}
