import { nodeStore } from '@paris/tensor/node';
import { Command } from 'commander';
import { partitionData } from '../../partition.js';
import { whole } from '../failure.js';
import { gpuAction } from '../gpu.js';

interface Flags {
  clusters: number;
  seed: number;
}

export function partitionCommand(): Command {
  const command = new Command('partition')
    .description('cluster the training pictures into self-contained folders')
    .argument('<data>', 'data folder made by prepare')
    .option('--clusters <k>', 'how many clusters, and so experts', whole(1), 8)
    .option('--seed <n>', 'decides the starting centroids', whole(0), 0)
    .addHelpText('after', '\nExample:\n  paris partition data/ --clusters 8');
  return gpuAction(command, async ({ device, reporter, signal }, { clusters, seed }: Flags, data: string) => {
    const onProgress = (done: number, total: number) => reporter.work('partition', done, total);
    const { sizes, testSizes } = await partitionData({
      device,
      data: nodeStore(data),
      clusters,
      seed,
      onProgress,
      signal,
    });
    reporter.info(`pictures for training, by cluster: ${sizes.join(', ')}; held out: ${testSizes.join(', ')}`);
    return 0;
  });
}
