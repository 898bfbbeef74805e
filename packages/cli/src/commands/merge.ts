import { nodeStore } from '@paris/files/node';
import type { Manifest } from '@paris/trainer';
import { Command, Option } from 'commander';
import { path } from '../check-outputs.js';
import { reportData } from '../data-report.js';
import { ignoredAdapter } from '../gpu.js';
import { createReporter, type Reporter } from '../reporter.js';
import { shardBytes, shardSizeOption } from '../shard-size.js';
import { nearCopiesOption, splitOptions } from '../shared-options.js';
import { stoppable } from '../stop.js';

interface Flags {
  out: string;
  holdout: number;
  seed: number;
  vocabulary: number;
  nearCopies: boolean;
  shardSize: number;
  fresh?: boolean;
  keepClusters?: boolean;
  json?: boolean;
}

export function mergeCommand(): Command {
  const command = new Command('merge')
    .description('put data folders together, such as the parts of prepare --shard')
    .argument('<data...>', 'data folders made by prepare, of one size')
    .requiredOption('--out <folder>', 'data folder to write: a new or an empty one, or one to write again', path);
  return splitOptions(command)
    .addOption(shardSizeOption())
    .addOption(nearCopiesOption())
    .option('--fresh', 'write other pictures into a folder that is partitioned: its clusters are removed')
    .addOption(
      new Option(
        '--keep-clusters',
        'of folders that are partitioned alike (partition --like): every picture stays in its cluster, split and vocabulary stay',
      ).conflicts(['holdout', 'seed', 'vocabulary', 'nearCopies']),
    )
    .option('--json', 'print progress as JSON lines on stdout')
    .addOption(ignoredAdapter())
    .addHelpText('after', examples)
    .action(async (data: string[], flags: Flags, command: Command) => {
      const { out, vocabulary, shardSize, json, keepClusters, ...options } = flags;
      const { joinData, mergeData } = await import('@paris/trainer');
      const reporter = createReporter(json === true);
      if (keepClusters) {
        const stores = data.map((folder) => nodeStore(folder));
        const joined = await stoppable((signal) =>
          joinData({
            ...{ data: stores, out: nodeStore(out), shardBytes: shardBytes(shardSize), signal },
            fresh: options.fresh,
          }),
        );
        reporter.info(`${joined.pictures} pictures in ${joined.clusters} clusters → ${out}`);
        if (joined.left > 0)
          reporter.info(`${joined.left} pictures of a name that an earlier folder has were left out`);
        return;
      }
      const manifest = await stoppable((signal) =>
        mergeData({
          ...options,
          data: data.map((folder) => nodeStore(folder)),
          out: nodeStore(out),
          vocabularyLimit: vocabulary,
          shardBytes: shardBytes(shardSize),
          onProgress: (done, total) => reporter.work('folders', done, total),
          signal,
        }).finally(() => reporter.close()),
      );
      await reportData(reporter, manifest, out);
      const isGiven = (name: string) => command.getOptionValueSource(name) !== 'default';
      if (!isGiven('holdout') && !isGiven('seed')) await warnOfOtherSplit(reporter, manifest, data);
    });
}

/** Parts that were split otherwise have held-out pictures that are for training now. */
async function warnOfOtherSplit(reporter: Reporter, { holdout }: Manifest, data: readonly string[]): Promise<void> {
  const { readManifest } = await import('@paris/trainer');
  for (const folder of data) {
    const { fraction, seed } = (await readManifest(nodeStore(folder))).holdout;
    if (fraction === holdout.fraction && seed === holdout.seed) continue;
    const what = `${folder} was split with --holdout ${fraction} --seed ${seed}, and this with ${holdout.fraction} and ${holdout.seed}`;
    return reporter.warn(`${what}: give these options here, too, for the same held-out pictures`);
  }
}

const examples = `
Example, on three machines and then on one of them:
  paris prepare shards/*.tar --shard 1/3 --out part-1/      (2/3 and 3/3 on the others)
  paris merge part-1/ part-2/ part-3/ --out data/

Data of a ninth expert, and all of it for the router:
  paris partition more-data/ --like data/ --add 1
  paris merge data/ more-data/ --keep-clusters --out all-data/`;
