import { nodeStore } from '@paris/tensor/node';
import { Command } from 'commander';
import { partitionData } from '../../partition.js';
import { number, whole } from '../failure.js';
import { gpuAction } from '../gpu.js';

interface Flags {
  clusters: number;
  seed: number;
  ooc: number;
}

export function partitionCommand(): Command {
  const command = new Command('partition')
    .description('cluster the training pictures into self-contained folders')
    .argument('<data>', 'data folder made by prepare')
    .option('--clusters <k>', 'how many clusters, and so experts', whole(1), 8)
    .option('--seed <n>', 'decides the starting centroids', whole(0), 0)
    .option(
      '--ooc <share>',
      'share of each folder that is drawn from the other clusters',
      number({ min: 0, max: 0.99 }),
      0,
    )
    .addHelpText('after', '\nExample:\n  paris partition data/ --clusters 8');
  return gpuAction(command, async ({ device, reporter, signal }, { clusters, seed, ooc }: Flags, data: string) => {
    const onProgress = (done: number, total: number) => reporter.work('partition', done, total);
    const { sizes, outOfCluster, testSizes } = await partitionData({
      device,
      data: nodeStore(data),
      clusters,
      seed,
      outOfCluster: ooc,
      onProgress,
      signal,
    });
    reporter.info(`pictures for training, by cluster: ${sizes.join(', ')}; held out: ${testSizes.join(', ')}`);
    if (ooc > 0) reporter.info(`copied in from other clusters: ${outOfCluster.join(', ')}`);
    return 0;
  });
}
