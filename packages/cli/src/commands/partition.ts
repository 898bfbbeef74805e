import { join } from 'node:path';
import type { Assignment, Encoder, Metric } from '@paris/clustering';
import { ValueError } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { Command, Option } from 'commander';
import { checkOutputs } from '../check-outputs.js';
import { type GpuContext, gpuAction } from '../gpu.js';
import { number, seed, whole } from '../option-values.js';
import { shardBytes, shardSizeOption } from '../shard-size.js';

interface Flags {
  clusters: number;
  like?: string;
  add?: number | 'all';
  sweep?: number[];
  stages: '1' | '2';
  fine?: number;
  assignment: Assignment;
  balance: 'none' | 'auction';
  metric: Metric;
  encoder: string;
  seed: number;
  ooc: number;
  shardSize: number;
  tuning?: string;
}

export function partitionCommand(): Command {
  const command = new Command('partition')
    .description('cluster the training pictures into self-contained folders')
    .argument('<data>', 'data folder made by prepare');
  howToCluster(command);
  whatToTakeOver(command);
  command
    .option(
      '--ooc <share>',
      'share of each folder that is drawn from the other clusters',
      number({ min: 0, max: 0.99 }),
      0,
    )
    .addOption(shardSizeOption())
    .addHelpText('after', examples);
  checkOutputs(command, 'partition', ({ tuning, like }: Flags, [data]) => ({
    parts: ['clusters', 'router', 'test', 'partition'].map((part) => ['the output folder', join(data!, part)]),
    reads: [
      ['the tuning table', tuning],
      ['the partitioned folder', like],
    ],
  }));
  return gpuAction(command, run);
}

function howToCluster(command: Command): void {
  command
    .option('--clusters <k>', 'how many clusters, and so experts', whole(1), 8)
    .addOption(
      new Option('--sweep <list>', 'compare several K, such as 2,4,8, in one stage each, and write nothing')
        .argParser(wholeNumbers)
        .conflicts(['clusters', 'stages', 'fine', 'assignment', 'balance', 'ooc', 'add']),
    )
    .addOption(
      new Option('--stages <n>', 'k-means of the pictures, or to fine centroids and these to clusters')
        .choices(['1', '2'])
        .default('1'),
    )
    .addOption(
      new Option('--fine <n>', 'fine centroids of two stages (default: 1024, fewer for few pictures)')
        .argParser(whole(1))
        .implies({ stages: '2' }),
    )
    .addOption(
      new Option('--assignment <rule>', 'which cluster a picture belongs to; random is a control')
        .choices(['nearest-centroid', 'fine-to-coarse', 'random'])
        .default('nearest-centroid'),
    )
    .addOption(
      new Option('--balance <method>', 'equal sizes while clusters are made')
        .choices(['none', 'auction'])
        .default('none'),
    )
    .addOption(
      new Option('--metric <name>', 'how far pictures are apart')
        .choices(['spherical', 'euclidean'])
        .default('spherical'),
    )
    .option('--encoder <name>', 'statistics, or a model for @huggingface/transformers', 'statistics')
    .option('--seed <n>', 'decides the starting centroids', seed, 0);
}

/** Of a partition that was made before. */
function whatToTakeOver(command: Command): void {
  command
    .addOption(
      new Option(
        '--like <folder>',
        'a partitioned data folder, or a model, whose centroids place these pictures, too',
      ).conflicts(['clusters', 'sweep', 'stages', 'fine', 'assignment', 'balance', 'metric', 'seed']),
    )
    .addOption(
      new Option(
        '--add <n>',
        'with --like: new clusters of the pictures that are far from all centroids, or all: these pictures are one new cluster',
      ).argParser((text) => (text === 'all' ? text : whole(1)(text))),
    );
}

async function run({ device, reporter, signal }: GpuContext, flags: Flags, folder: string): Promise<number> {
  const { formatPartition, formatSweep, partitionData, sweepPartitions } = await import('@paris/trainer');
  const { clusters, sweep, stages, fine, assignment, balance, metric, seed } = flags;
  const most = shardBytes(flags.shardSize);
  const shared = {
    device,
    data: nodeStore(folder),
    encoder: await encoderNamed(flags.encoder),
    shardBytes: most,
    signal,
  };
  const common = { ...shared, metric, seed };
  if (sweep) {
    const onProgress = (done: number, total: number) => reporter.work('sweep', done, total);
    for (const line of formatSweep(await sweepPartitions({ ...common, clusters: sweep, onProgress }))) {
      reporter.info(line);
    }
    return 0;
  }
  const onProgress = (done: number, total: number) => reporter.work('partition', done, total);
  const own = { ...shared, outOfCluster: flags.ooc, onProgress };
  if (flags.like !== undefined) {
    const report = await partitionData({ ...own, like: nodeStore(flags.like), add: flags.add });
    for (const line of formatPartition(report)) reporter.info(line);
    return 0;
  }
  if (flags.add !== undefined) {
    throw new ValueError(
      'partition',
      '--add says how many clusters a partition grows by. Give that, too: --like FOLDER.',
    );
  }
  if (fine !== undefined && stages === '1') {
    throw new ValueError('partition', '--fine says how many centroids the first of two stages has. Give --stages 2.');
  }
  const how = { stages: Number(stages) as 1 | 2, assignment, balance } as const;
  const chosen = { metric, seed, clusters, ...how, ...(fine === undefined ? {} : { fine }) };
  for (const line of formatPartition(await partitionData({ ...own, ...chosen }))) reporter.info(line);
  return 0;
}

const examples = `
Examples:
  paris partition data/ --clusters 8
  paris partition data/ --sweep 2,4,8,16
  paris partition data/ --clusters 8 --stages 2 --balance auction
  paris partition more-data/ --like data/
  paris partition more-data/ --like data/ --add 1
  paris partition data/ --clusters 8 --encoder onnx-community/dinov2-small`;

async function encoderNamed(name: string): Promise<Encoder> {
  if (name === 'statistics') return (await import('@paris/clustering')).statisticsEncoder();
  return (await import('@paris/clustering/transformers')).transformersEncoder({ model: name });
}

function wholeNumbers(text: string): number[] {
  return text.split(',').map(whole(1));
}
