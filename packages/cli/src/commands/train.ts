import { basename, dirname, join } from 'node:path';
import { dit, facebookLayout, parisLayout, pixartLayout } from '@paris/dit';
import { nodeStore } from '@paris/files/node';
import { noisePaths, type Objective } from '@paris/model';
import { routerTransformer } from '@paris/router';
import { ValueError } from '@paris/tensor';
import type { Precision } from '@paris/tensor/optim';
import type { InitialWeights } from '@paris/trainer';
import {
  defaultObjective,
  defaultSize,
  ditConfig,
  expertRunName,
  type LossWeight,
  parseLossWeight,
  parseTimeDensity,
  precisions,
  ROUTER_RUN,
  type RouterPrior,
  routerConfig,
  type TimeDensity,
  type TrainingOptions,
  type TransformerSize,
  trainExpert,
  trainingDefaults,
  trainRouter,
  uniformDensity,
  unweighted,
} from '@paris/trainer';
import { Command, Option } from 'commander';
import { checkOutputs, type Named, path } from '../check-outputs.js';
import { number, parsed, whole } from '../failure.js';
import { type GpuContext, gpuAction } from '../gpu.js';
import { loadArchitecture, loadConfig } from '../modules.js';

interface Flags extends TransformerSize {
  out: string;
  steps: number;
  batch: number;
  learningRate: number;
  warmup: number;
  weightDecay: number;
  clip: number;
  ema: number;
  seed: number;
  precision: Precision;
  checkpointEvery: number;
  fresh?: boolean;
  tuning?: string;
}

interface ExpertFlags extends Flags {
  cluster: number;
  dropout: number;
  prediction: Objective['prediction'];
  path: string;
  times: TimeDensity;
  lossWeight: LossWeight;
  init?: string;
  initLayout: keyof typeof layouts;
  remake?: string;
  expert?: string;
  config?: string;
}

interface RouterFlags extends Flags {
  prior: RouterPrior;
  path: string;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('train one expert, or the router; the same command again goes on where it was')
    .addCommand(trainExpertCommand())
    .addCommand(trainRouterCommand());
}

function trainExpertCommand(): Command {
  const command = new Command('expert')
    .description('train the expert of one cluster, from that cluster and nothing else')
    .argument('<data>', 'data folder; only clusters/NN of it is opened')
    .requiredOption('--cluster <k>', 'which cluster', whole(0))
    .option('--dropout <share>', 'share of pictures without their caption', number({ min: 0, max: 1 }), 0.1)
    .addOption(
      new Option('--prediction <what>', 'what the built-in expert predicts')
        .choices(['velocity', 'epsilon', 'sample'])
        .default(defaultObjective.prediction),
    )
    .addOption(pathOption('the path of its noise'))
    .addOption(
      new Option(
        '--times <density>',
        'how often noise levels come: uniform, logit-normal or logit-normal:MEAN,DEVIATION',
      )
        .argParser(parsed(parseTimeDensity))
        .default(uniformDensity, uniformDensity.name),
    )
    .addOption(
      new Option('--loss-weight <rule>', 'how much noise levels count: none, min-snr or min-snr:GAMMA')
        .argParser(parsed(parseLossWeight))
        .default(unweighted, unweighted.name),
    )
    .option('--init <file>', 'safetensors file of weights to start from')
    .addOption(
      new Option('--init-layout <name>', 'whose names the file has').choices(Object.keys(layouts)).default('paris'),
    )
    .option(
      '--remake <groups>',
      'of the file, what starts anew: head, text, cross-attention, modulation, by commas, or none ' +
        '(default: head,text, and cross-attention if the file has none)',
    )
    .option('--expert <file>', 'a module whose default export is your own defineArchitecture(…)')
    .option('--config <file>', 'JSON file with fields for config.json; they win over the options');
  checkRunOutputs(command, ({ cluster, init, expert, config }: ExpertFlags) => ({
    name: expertRunName(cluster),
    reads: [
      ['the file of weights to start from', init],
      ['the module', expert],
      ['the config file', config],
    ],
  }));
  return gpuAction(
    trainingFlags(command),
    async (context, flags: ExpertFlags, data: string) => {
      const base = ditConfig(flags, { prediction: flags.prediction, path: flags.path });
      const own = flags.config === undefined ? {} : await loadConfig(flags.config);
      await trainExpert({
        ...common(context, flags),
        data: nodeStore(data),
        cluster: flags.cluster,
        architecture: flags.expert === undefined ? dit : await loadArchitecture(flags.expert),
        config: (format) => ({ ...base(format), ...own }),
        conditionDropout: flags.dropout,
        times: flags.times,
        lossWeight: flags.lossWeight,
        initial: initialOf(flags),
      });
      return 0;
    },
    (flags) => runFolder(flags, expertRunName(flags.cluster)),
  );
}

const layouts = { paris: parisLayout, facebook: facebookLayout, pixart: pixartLayout };

function initialOf({ init, initLayout, remake }: ExpertFlags): InitialWeights | undefined {
  if (init === undefined) {
    if (remake === undefined) return undefined;
    throw new ValueError(
      'train',
      '--remake says what of a checkpoint starts anew. Give the checkpoint, too: --init FILE.',
    );
  }
  const groups = remake === 'none' ? [] : remake?.split(',').map((name) => name.trim());
  const file = { store: nodeStore(dirname(init)), path: basename(init) };
  return { ...file, layout: layouts[initLayout], ...(groups && { remake: groups }) };
}

function pathOption(what: string): Option {
  const names = noisePaths.map(({ name }) => name);
  return new Option('--path <name>', what).choices(names).default(defaultObjective.path);
}

function trainRouterCommand(): Command {
  const command = new Command('router')
    .description('train the router, from the training pictures of all clusters')
    .argument('<data>', 'data folder; router and partition of it are opened')
    .addOption(pathOption('the path that will be sampled on'))
    .addOption(
      new Option(
        '--prior <which>',
        'how often clusters are drawn: in the proportions of the data, as the theory wants it, or all as often',
      )
        .choices(['natural', 'balanced'])
        .default('natural'),
    );
  checkRunOutputs(command, () => ({ name: ROUTER_RUN, reads: [] }));
  return gpuAction(
    trainingFlags(command),
    async (context, flags: RouterFlags, data: string) => {
      await trainRouter({
        ...common(context, flags),
        data: nodeStore(data),
        architecture: routerTransformer,
        config: routerConfig(flags),
        path: flags.path,
        prior: flags.prior,
      });
      return 0;
    },
    (flags) => runFolder(flags, ROUTER_RUN),
  );
}

/** The folder of runs is apart from the data, and the run's own folder from all else that is read. */
function checkRunOutputs<F extends Flags>(
  command: Command,
  run: (flags: F) => { name: string; reads: readonly Named[] },
): void {
  checkOutputs(command, 'train', ({ out }: F, [data]) => ({
    folders: [['the folder of runs', out]],
    reads: [['the data folder', data]],
  }));
  checkOutputs(command, 'train', (flags: F) => {
    const { name, reads } = run(flags);
    const folders = [[`the run's folder`, join(flags.out, name)] as const];
    return { folders, reads: [...reads, ['the tuning table', flags.tuning]] };
  });
}

/** The run's folder, unless it is to begin anew. */
function runFolder({ out, fresh }: Flags, name: string): string | undefined {
  return fresh ? undefined : join(out, name);
}

function trainingFlags(command: Command): Command {
  const d = trainingDefaults;
  return command
    .requiredOption('--out <folder>', 'where run folders are', path)
    .option('--steps <n>', 'optimiser steps', whole(1), d.steps)
    .option('--batch <n>', 'pictures a step', whole(1), d.batchSize)
    .option('--width <n>', 'channels of the transformer', whole(1), defaultSize.width)
    .option('--depth <n>', 'blocks', whole(1), defaultSize.depth)
    .option('--heads <n>', 'attention heads', whole(1), defaultSize.heads)
    .option('--patch <pixels>', 'edge length of a patch', whole(1), defaultSize.patch)
    .option('--learning-rate <x>', 'its peak; a cosine takes it to zero', number({ min: 0 }), d.learningRate)
    .option('--warmup <n>', 'steps of linear warm-up', whole(0), d.warmupSteps)
    .option('--weight-decay <x>', 'of AdamW', number({ min: 0 }), d.weightDecay)
    .option('--clip <norm>', 'largest gradient norm; 0 does not clip', number({ min: 0 }), d.clipNorm)
    .option('--ema <decay>', 'moving average of the weights; 0 for none', number({ min: 0, max: 1 }), d.emaDecay)
    .option('--seed <n>', 'decides weights, batches and noise', whole(0), d.seed)
    .addOption(
      new Option('--precision <name>', 'mixed-f16 computes in f16 where the adapter has it')
        .choices(precisions)
        .default(d.precision),
    )
    .option('--checkpoint-every <n>', 'steps between checkpoints', whole(1), 100)
    .option('--fresh', 'move an old run aside and begin anew');
}

function common({ device, reporter, signal, restarted }: GpuContext, flags: Flags) {
  const { steps, batch, learningRate, warmup, weightDecay, clip, ema, seed, precision } = flags;
  const training: TrainingOptions = {
    steps,
    batchSize: batch,
    learningRate,
    warmupSteps: warmup,
    weightDecay,
    clipNorm: clip,
    emaDecay: ema,
    seed,
    precision,
  };
  return {
    device,
    runs: nodeStore(flags.out),
    training,
    checkpointEvery: flags.checkpointEvery,
    fresh: flags.fresh === true && !restarted, // the run that was begun anew before the restart is the one to go on with
    signal,
    onEvent: reporter.train,
  };
}
