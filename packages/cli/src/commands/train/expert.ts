// `paris train expert`.
import { nodeStore } from '@paris/files/node';
import type { Objective } from '@paris/model';
import type { TrainControls, TrainExpertOptions } from '@paris/trainer';
import {
  type ConditionName,
  conditionNames,
  defaultObjective,
  expertRunName,
  type LossWeight,
  parseLossWeight,
  type TimeDensity,
  unweighted,
} from '@paris/trainer/options';
import { Command, Option } from 'commander';
import { configurable } from '../../config/configurable.js';
import { collected } from '../../config/file.js';
import { initialOf, type LayoutName, layoutNames, samplesOf } from '../../expert-options.js';
import { gpuAction } from '../../gpu.js';
import { loadArchitecture } from '../../modules.js';
import { parsed, whole } from '../../option-values.js';
import { dropoutOption } from '../../shared-options.js';
import {
  checkRunOutputs,
  common,
  type Flags,
  pathOption,
  runFolder,
  timesOption,
  trainingFlags,
  trainingOf,
  watched,
} from './flags.js';

/** Options of `paris train expert`. */
export interface ExpertFlags extends Flags {
  cluster: number;
  dropout: number;
  prediction: Objective['prediction'];
  path: string;
  times: TimeDensity;
  lossWeight: LossWeight;
  init?: string;
  initLayout: LayoutName;
  remake?: string;
  expert?: string;
  condition?: ConditionName;
  sampleEvery?: number;
  samplePrompt?: string[] | undefined;
  codec?: string;
  text?: string;
}

/** `paris train expert` without what it does. */
export function expertCommand(): Command {
  const command = new Command('expert')
    .description('train the expert of one cluster, from that cluster and nothing else')
    .argument('[data]', 'data folder; only clusters/NN of it is opened')
    .option('--cluster <k>', 'which cluster', whole(0))
    .addOption(
      new Option(
        '--condition <what>',
        'what it learns to draw by: words, text (features of captions), label (classes), none (default: text or label if the data has it, else words)',
      ).choices(conditionNames),
    )
    .addOption(dropoutOption())
    .addOption(
      new Option('--prediction <what>', 'what the built-in expert predicts')
        .choices(['velocity', 'epsilon', 'sample', 'v'])
        .default(defaultObjective.prediction),
    )
    .addOption(pathOption('the path of its noise'))
    .addOption(timesOption())
    .addOption(
      new Option(
        '--loss-weight <rule>',
        'how much noise levels count: none, min-snr, min-snr:GAMMA, velocity or velocity:BOUND',
      )
        .argParser(parsed(parseLossWeight))
        .default(unweighted, unweighted.name),
    )
    .option('--init <file>', 'safetensors file of weights to start from')
    .addOption(new Option('--init-layout <name>', 'whose names the file has').choices(layoutNames).default('paris'))
    .option(
      '--remake <groups>',
      'of the file, what is initialised again: head, text, cross-attention, modulation, by commas, or none ' +
        '(default: head,text, and cross-attention if the file has none)',
    )
    .option('--expert <file>', 'a module whose default export is your own defineArchitecture(…)');
  sampleFlags(command);
  configurable(command, ['out', 'cluster']);
  checkRunOutputs(command, ({ cluster, init, expert, codec, text }: ExpertFlags) => ({
    name: expertRunName(cluster),
    reads: [
      ['the file of weights to start from', init],
      ['the module', expert],
      ['the codec', codec],
      ['the text encoder', text],
    ],
  }));
  return trainingFlags(command);
}

/** Trains an expert. */
export function trainExpertCommand(): Command {
  return gpuAction(
    expertCommand(),
    async (context, flags: ExpertFlags, data: string) => {
      const { trainExpert } = await import('@paris/trainer');
      const options = await expertOptions(flags, data);
      const samples = await samplesOf(context.device, flags);
      await watched(context, flags, expertRunName(flags.cluster), () =>
        trainExpert({ ...common(context, flags, data), ...options, samples }),
      );
      return 0;
    },
    (flags) => runFolder(flags, expertRunName(flags.cluster)),
  );
}

/** What is trained, without a device and folders to write to. */
export async function expertOptions(
  flags: ExpertFlags,
  data: string,
): Promise<Omit<TrainExpertOptions, keyof TrainControls>> {
  const { ditConfig } = await import('@paris/trainer');
  const { dit } = await import('@paris/dit');
  const base = ditConfig(flags, { prediction: flags.prediction, path: flags.path }, flags.condition);
  return {
    data: nodeStore(data),
    training: trainingOf(flags),
    cluster: flags.cluster,
    architecture: flags.expert === undefined ? dit : await loadArchitecture(flags.expert),
    config: (format) => ({ ...base(format), ...flags.network }),
    conditionDropout: flags.dropout,
    times: flags.times,
    lossWeight: flags.lossWeight,
    initial: await initialOf(flags),
    // Networks of one's own may have another config: they are said what comes.
    ...(flags.expert !== undefined && { condition: flags.condition }),
  };
}

/** Pictures that are drawn on the way. */
export function sampleFlags(command: Command): Command {
  return command
    .option('--sample-every <n>', 'steps between sample pictures, in samples/ of the run', whole(1))
    .option(
      '--sample-prompt <text>',
      'a prompt of the samples, or a class; repeat it for more (default: four captions or classes)',
      collected,
    )
    .option('--codec <folder>', 'decodes the samples of an expert that learns latents: what prepare had')
    .option(
      '--text <folder>',
      'encodes the prompts of the samples of an expert that learns features: what prepare had',
    );
}
