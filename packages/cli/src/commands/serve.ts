import { basename, resolve } from 'node:path';
import { ValueError } from '@paris/files';
import type { ImageServer } from '@paris/serve';
import { defaultLimits } from '@paris/serve/options';
import type { Device } from '@paris/tensor';
import { Command } from 'commander';
import { EXIT, stopCause } from '../exit-code.js';
import { sentence } from '../failure.js';
import { type GpuContext, gpuAction } from '../gpu.js';
import { downloadReport } from '../loading.js';
import { MODEL_ARGUMENT } from '../model-argument.js';
import { loadArchitecture } from '../modules.js';
import { number, whole } from '../option-values.js';
import type { Reporter } from '../reporter.js';
import { expertsOption, memoryBudgetOption } from '../shared-options.js';

interface Flags {
  expert: string[];
  host: string;
  port: number;
  name?: string;
  apiKey?: string;
  cors: string[];
  allowHost: string[];
  maxQueue: number;
  maxSteps: number;
  batchSize: number;
  grace: number;
  memoryBudget?: number;
  autoguidance?: string;
}

const list = (text: string, all: string[]) => [...all, text];

export function serveCommand(): Command {
  const command = new Command('serve')
    .description("answer OpenAI's images API with a model")
    .argument('<model>', MODEL_ARGUMENT);
  whoIsAnswered(command);
  howMuch(command);
  command
    .option(
      '--autoguidance <model>',
      'a weaker model, such as an earlier checkpoint, that requests with the field autoguidance are led away from',
    )
    .addOption(expertsOption())
    .addHelpText('after', '\nExample:\n  PARIS_API_KEY=… paris serve my-model/ --port 8080');
  return gpuAction(command, run);
}

function whoIsAnswered(command: Command): void {
  command
    .option(
      '--host <address>',
      'address to listen on; other machines reach the server only if you change it',
      '127.0.0.1',
    )
    .option('--port <n>', '0 takes a free one', number({ min: 0, max: 65_535, whole: true }), 8080)
    .option('--name <name>', "the model's name in requests (default: the folder's)")
    .option(
      '--api-key <key>',
      'what clients must send; better in the variable PARIS_API_KEY, which no process list shows',
    )
    .option('--cors <origin>', 'pages of this origin may call it; may be given several times', list, [])
    .option('--allow-host <name>', 'a name that clients call it by, if not localhost; several times', list, []);
}

function howMuch(command: Command): void {
  command
    .option('--max-queue <n>', 'requests that wait or are drawn, at most', whole(1), defaultLimits.queue)
    .option('--max-steps <n>', 'steps that a request may ask for', whole(1), defaultLimits.steps)
    .option('--batch-size <n>', 'most pictures to draw together, in powers of two', whole(1), defaultLimits.batch)
    .option('--grace <seconds>', 'for requests that are there when it is stopped', number({ min: 0 }), 30)
    .addOption(memoryBudgetOption());
}

async function run({ device, reporter, signal }: GpuContext, flags: Flags, model: string): Promise<number> {
  const { host, port, cors, allowHost, grace } = flags;
  const apiKey = flags.apiKey ?? process.env.PARIS_API_KEY;
  if (apiKey === '') throw new ValueError('serve', 'the API key is empty. Give one, or leave the option out.');
  const { createServer } = await import('@paris/serve');
  const { listen } = await import('@paris/serve/node');
  const server = createServer({
    name: flags.name ?? basename(resolve(model)),
    ...(await openers(model, device, flags, { reporter, signal })),
    ...{ apiKey, origins: cors, hosts: ['localhost', ...allowHost.map((name) => name.toLowerCase())] },
    limits: { queue: flags.maxQueue, steps: flags.maxSteps, batch: flags.batchSize },
    onFailure: (error) => reporter.warn(`a request failed: ${sentence(error)}`),
    log: ({ method, path, status, milliseconds }) => reporter.info(`${method} ${path} ${status} ${milliseconds} ms`),
  });
  await server.load(); // to fail early
  const listening = await listen(server, { host, port });
  if (!isLoopback(host) && apiKey === undefined) {
    reporter.warn(`ANYONE who reaches ${listening.url} can use this server: it has no API key. Set PARIS_API_KEY.`);
  }
  reporter.info(`listening on ${listening.url}`);
  const heart = beat(server, reporter);
  try {
    await new Promise<void>((stopped) => {
      if (signal.aborted) stopped();
      else signal.addEventListener('abort', () => stopped(), { once: true });
    });
    reporter.info('stopping: requests that are there are finished');
  } finally {
    await listening.close(1000 * grace);
    clearInterval(heart);
  }
  return EXIT[stopCause() ?? 'SIGTERM'];
}

/** The model on the device that is open, and after that is lost on one of its own; and the weaker one on the same device. */
async function openers(
  model: string,
  device: Device,
  flags: Flags,
  { reporter, signal }: { reporter: Reporter; signal: AbortSignal },
) {
  const { loadPipeline } = await import('@paris/sampler');
  const architectures = await Promise.all(flags.expert.map(loadArchitecture));
  const { memoryBudget: memoryBudgetBytes, autoguidance } = flags;
  const onDownload = downloadReport(reporter);
  const load = (from: string, given: { device?: Device }) =>
    loadPipeline(from, { ...given, architectures, memoryBudgetBytes, onDownload, signal });
  let given: { device?: Device } = { device };
  return {
    open: () => {
      const pipeline = load(model, given);
      given = {};
      return pipeline;
    },
    openWeaker: autoguidance === undefined ? undefined : (device: Device) => load(autoguidance, { device }),
  };
}

/** Tells the watchdog that all is well: nothing to draw, or steps that are taken. */
function beat(server: ImageServer, reporter: Reporter): ReturnType<typeof setInterval> {
  let steps = -1;
  return setInterval(() => {
    const { state } = server;
    if (state.drawing === 0 || state.steps !== steps) reporter.alive();
    steps = state.steps;
  }, 500);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}
