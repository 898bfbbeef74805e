// What `paris train expert` and `paris train router` share: their options, and what these become.
import { join } from 'node:path';
import { type FileStore, folderStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { noisePaths } from '@paris/model/options';
import type { Precision } from '@paris/tensor/optim';
import type { TrainControls } from '@paris/trainer';
import {
  defaultMaxLost,
  defaultObjective,
  defaultSize,
  type LearningRateSchedule,
  learningRateSchedules,
  parseTimeDensity,
  precisions,
  type TrainingOptions,
  type TransformerSize,
  trainingDefaults,
  uniformDensity,
} from '@paris/trainer/options';
import { type Command, Option } from 'commander';
import { checkOutputs, type Named, path } from '../../check-outputs.js';
import type { ConfigFlags } from '../../config/configurable.js';
import { sectionOf } from '../../config/file.js';
import { duration } from '../../duration.js';
import { exitCodesHelp } from '../../exit-code.js';
import type { GpuContext } from '../../gpu.js';
import { number, parsed, seed, whole } from '../../option-values.js';

/** Options of every training. */
export interface Flags extends TransformerSize, ConfigFlags {
  out: string;
  steps: number;
  batch: number;
  accumulate: number;
  learningRate: number;
  schedule: LearningRateSchedule;
  warmup: number;
  weightDecay: number;
  clip: number;
  ema: readonly number[];
  seed: number;
  precision: Precision;
  checkpointEvery?: number;
  checkpointMinutes?: number;
  grace?: number;
  validateEvery?: number;
  maxHours?: number;
  maxLost: number;
  proveEvery?: number;
  fresh?: boolean;
  watch?: boolean;
  tuning?: string;
}

/** Trains, with the report of the run on a page if that is asked for. */
export async function watched(
  { reporter }: GpuContext,
  { watch, out }: Flags,
  name: string,
  train: () => Promise<unknown>,
): Promise<void> {
  const page = watch
    ? await (await import('../../report/watch.js')).watchReport(folderStore(nodeStore(out), name), name)
    : undefined;
  if (page) reporter.info(`watch it at ${page.url}`);
  await train().finally(() => page?.close());
}

/** The folder of runs is apart from the data, and the run's own folder from all else that is read. */
export function checkRunOutputs<F extends Flags>(
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
    const config = flags.config && sectionOf(flags.config).file;
    return { folders, reads: [...reads, ['the tuning table', flags.tuning], ['the config file', config]] };
  });
}

/** The run's folder, unless it is to start again. */
export function runFolder({ out, fresh }: Flags, name: string): string | undefined {
  return fresh ? undefined : join(out, name);
}

/** Where runs are kept whose result goes elsewhere: `my-student/` → `my-student-runs`. */
export function runsOf({ runs, out }: { runs?: string | undefined; out: string }): string {
  return runs ?? `${out.replace(/[/\\]+$/, '')}-runs`;
}

/** The options that every training of an expert or a router has. */
export function trainingFlags(command: Command): Command {
  command.option('--out <folder>', 'where run folders are', path);
  return learningFlags(command, defaultSize).option(
    '--prove-every <n>',
    'keep the state every n steps, and a chain of hashes, for paris verify',
    whole(1),
  );
}

/** How often noise levels are learned from. */
export function timesOption(): Option {
  return new Option(
    '--times <density>',
    'how often noise levels come: uniform, logit-normal or logit-normal:MEAN,DEVIATION',
  )
    .argParser(parsed(parseTimeDensity))
    .default(uniformDensity, uniformDensity.name);
}

/**
 * The options of any training.
 * @param size - of the transformer, where none is given; what is undefined has no default. Without it, no transformer is trained
 * @param heldOut - where held-out pictures are
 */
export function learningFlags(command: Command, size?: Partial<TransformerSize>, heldOut?: string): Command {
  const d = trainingDefaults;
  command
    .option('--steps <n>', 'optimiser steps', whole(1), d.steps)
    .option('--batch <n>', 'pictures a step', whole(1), d.batchSize)
    .option(
      '--accumulate <n>',
      'equal parts in which a step computes its batch, one after another: less memory, the same step to rounding',
      whole(1),
      d.accumulate,
    );
  if (size) transformerFlags(command, size);
  optimizerFlags(command);
  command
    .option('--seed <n>', 'decides weights, batches and noise', seed, d.seed)
    .addOption(
      new Option('--precision <name>', 'mixed-f16 computes in f16 where the adapter has it')
        .choices(precisions)
        .default(d.precision),
    );
  return runFlags(command, heldOut).addHelpText('after', exitCodesHelp);
}

function transformerFlags(command: Command, size: Partial<TransformerSize>): void {
  command
    .option('--width <n>', 'channels of the transformer', whole(1), size.width)
    .option('--depth <n>', 'blocks', whole(1), size.depth)
    .option('--heads <n>', 'attention heads', whole(1), size.heads)
    .option('--patch <pixels>', 'edge length of a patch', whole(1), size.patch);
}

function optimizerFlags(command: Command): void {
  const d = trainingDefaults;
  command
    .option('--learning-rate <x>', 'its peak, after the warm-up', number({ min: 0 }), d.learningRate)
    .addOption(
      new Option(
        '--schedule <name>',
        'of the learning rate: cosine takes it to zero at the last step; constant keeps it, and more --steps lengthen the run',
      )
        .choices(learningRateSchedules)
        .default(d.schedule),
    )
    .option('--warmup <n>', 'steps of linear warm-up', whole(0), d.warmupSteps)
    .option('--weight-decay <x>', 'of AdamW', number({ min: 0 }), d.weightDecay)
    .option('--clip <norm>', 'largest gradient norm; 0 does not clip', number({ min: 0 }), d.clipNorm)
    .addOption(
      new Option(
        '--ema <decays>',
        'moving average of the weights; 0 for none; of several by commas, the first is saved as the model',
      )
        .argParser(decays)
        .default([d.emaDecay], `${d.emaDecay}`),
    );
}

/** How a run is kept, measured, shown and ended: what may be another each time that it is resumed. */
export function runFlags(command: Command, heldOut = 'opens test/, too'): Command {
  return command
    .option('--checkpoint-every <n>', 'steps between checkpoints (default: 100, or none with minutes)', whole(1))
    .option('--checkpoint-minutes <x>', 'minutes between checkpoints', number({ above: 0 }))
    .option(
      '--grace <time>',
      'from SIGTERM to the end, such as 30s: a checkpoint that would take longer is left out',
      duration,
    )
    .option('--max-hours <x>', 'stop with a checkpoint after so long; the same command resumes', number({ above: 0 }))
    .option(
      '--max-lost <share>',
      'share of the pictures that may be left out because their files turn out to be damaged; more ends with 65',
      number({ min: 0, max: 1 }),
      defaultMaxLost,
    )
    .option(
      '--validate-every <n>',
      `steps between measurements of the loss on held-out pictures (${heldOut})`,
      whole(1),
    )
    .option('--watch', 'show the report of the run on a page of this machine while it trains')
    .option('--fresh', 'move an old run aside and start again');
}

/** Of a limit that began with the command, which has run for so long; a moment if it is over. */
export function hoursLeft(limit: number, elapsedMs: number): number {
  return Math.max(1e-9, limit - elapsedMs / 3_600_000);
}

/** What the flags say of a training. */
export function trainingOf(flags: Flags): TrainingOptions {
  const { steps, batch, accumulate, learningRate, schedule, warmup, weightDecay, clip, ema, seed, precision } = flags;
  return {
    steps,
    batchSize: batch,
    accumulate,
    learningRate,
    schedule,
    warmupSteps: warmup,
    weightDecay,
    clipNorm: clip,
    emaDecay: ema,
    seed,
    precision,
  };
}

/** What trainings of both kinds are given. */
export function common(
  { device, reporter, signal, restarted, elapsedMs }: GpuContext,
  flags: Flags,
  data: string,
): TrainControls & { data: FileStore; training: TrainingOptions } {
  return {
    device,
    data: nodeStore(data),
    runs: nodeStore(flags.out),
    training: trainingOf(flags),
    checkpointEvery: flags.checkpointEvery,
    checkpointMinutes: flags.checkpointMinutes,
    graceSeconds: flags.grace,
    maxHours: flags.maxHours && hoursLeft(flags.maxHours, elapsedMs),
    maxLost: flags.maxLost,
    validation: flags.validateEvery === undefined ? undefined : { data: nodeStore(data), every: flags.validateEvery },
    proveEvery: flags.proveEvery,
    fresh: flags.fresh === true && !restarted, // the restart resumes the run that --fresh began
    signal,
    onEvent: reporter.train,
  };
}

/** `--path`, with what it says. */
export function pathOption(what: string): Option {
  const names = noisePaths.map(({ name }) => name);
  return new Option('--path <name>', what).choices(names).default(defaultObjective.path);
}

/** `0.9999,0.999` */
function decays(text: string): number[] {
  return text.split(',').map(number({ min: 0, max: 1 }));
}
