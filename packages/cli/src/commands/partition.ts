import { join } from 'node:path';
import { type Assignment, type Encoder, type Metric, statisticsEncoder } from '@paris/clustering';
import { transformersEncoder } from '@paris/clustering/transformers';
import { nodeStore } from '@paris/files/node';
import { dataFolder, formatPartition, formatSweep, partitionData, sweepPartitions } from '@paris/trainer';
import { Command, Option } from 'commander';
import { checkOutputs } from '../check-outputs.js';
import { number, whole } from '../failure.js';
import { gpuAction } from '../gpu.js';

interface Flags {
  clusters: number;
  sweep?: number[];
  stages: 1 | 2;
  fine?: number;
  assignment: Assignment;
  balance: 'none' | 'auction';
  metric: Metric;
  encoder: string;
  seed: number;
  ooc: number;
  tuning?: string;
}

export function partitionCommand(): Command {
  const command = new Command('partition')
    .description('cluster the training pictures into self-contained folders')
    .argument('<data>', 'data folder made by prepare')
    .option('--clusters <k>', 'how many clusters, and so experts', whole(1), 8)
    .option('--sweep <list>', 'compare several K, such as 2,4,8, and write nothing', wholeNumbers)
    .addOption(
      new Option('--stages <n>', 'k-means of the pictures, or to fine centroids and these to clusters')
        .choices(['1', '2'])
        .default('1'),
    )
    .option('--fine <n>', 'fine centroids of two stages (default: 1024, fewer for few pictures)', whole(1))
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
    .option('--seed <n>', 'decides the starting centroids', whole(0), 0)
    .option(
      '--ooc <share>',
      'share of each folder that is drawn from the other clusters',
      number({ min: 0, max: 0.99 }),
      0,
    )
    .addHelpText('after', examples);
  checkOutputs(command, 'partition', ({ tuning }: Flags, [data]) => ({
    folders: dataFolder.parts.map((part) => [`the output folder`, join(data!, part)]),
    reads: [['the tuning table', tuning]],
  }));
  return gpuAction(command, async ({ device, reporter, signal }, flags: Flags, folder: string) => {
    const { clusters, sweep, stages, fine, assignment, balance, metric, seed } = flags;
    const common = {
      device,
      data: nodeStore(folder),
      encoder: await encoderNamed(flags.encoder),
      metric,
      seed,
      signal,
    };
    if (sweep) {
      const onProgress = (done: number, total: number) => reporter.work('sweep', done, total);
      for (const line of formatSweep(await sweepPartitions({ ...common, clusters: sweep, onProgress }))) {
        reporter.info(line);
      }
      return 0;
    }
    const onProgress = (done: number, total: number) => reporter.work('partition', done, total);
    const how = { stages: fine === undefined ? (Number(stages) as 1 | 2) : 2, assignment, balance } as const;
    const chosen = { clusters, outOfCluster: flags.ooc, ...how, ...(fine === undefined ? {} : { fine }) };
    for (const line of formatPartition(await partitionData({ ...common, ...chosen, onProgress }))) reporter.info(line);
    return 0;
  });
}

const examples = `
Examples:
  paris partition data/ --clusters 8
  paris partition data/ --sweep 2,4,8,16
  paris partition data/ --clusters 8 --stages 2 --balance auction
  paris partition data/ --clusters 8 --encoder onnx-community/dinov2-small`;

async function encoderNamed(name: string): Promise<Encoder> {
  return name === 'statistics' ? statisticsEncoder() : transformersEncoder({ model: name });
}

function wholeNumbers(text: string): number[] {
  return text.split(',').map(whole(1));
}
