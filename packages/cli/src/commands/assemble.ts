import { nodeStore } from '@paris/files/node';
import { assemble } from '@paris/trainer';
import { Command, Option } from 'commander';
import { path } from '../check-outputs.js';
import { policyName } from '../failure.js';
import { ignoredAdapter } from '../gpu.js';
import { createReporter } from '../reporter.js';
import { stoppable } from '../stop.js';

interface Flags {
  out: string;
  data?: string;
  licence?: string;
  routing?: string;
  weights?: 'f32' | 'f16';
  json?: boolean;
}

export function assembleCommand(): Command {
  return new Command('assemble')
    .description('put finished runs together into a model folder')
    .argument('<runs>', 'folder with expert-00, … and router')
    .requiredOption('--out <folder>', 'model folder to write: a new or an empty one, or a model to replace', path)
    .option('--data <folder>', 'check that the runs were trained on this data folder')
    .option('--licence <text>', "licence of the model (default: the pictures' licences)")
    .option('--routing <policy>', 'routing policy where none is given (default: top2)', policyName)
    .addOption(
      new Option('--weights <dtype>', 'how weights are written (default: as they were trained)').choices([
        'f32',
        'f16',
      ]),
    )
    .option('--json', 'print progress as JSON lines on stdout')
    .addOption(ignoredAdapter())
    .addHelpText('after', '\nExample:\n  paris assemble runs/ --out my-model/')
    .action(async (runs: string, { out, data, licence, routing, weights, json }: Flags) => {
      const index = await stoppable((signal) =>
        assemble({
          signal,
          runs: nodeStore(runs),
          out: nodeStore(out),
          ...(data !== undefined && { data: nodeStore(data) }),
          ...(licence !== undefined && { licence }),
          ...(routing !== undefined && { routing }),
          ...(weights !== undefined && { weights }),
        }),
      );
      const bytes = index.files.reduce((sum, file) => sum + file.sizeBytes, 0);
      createReporter(json === true).info(`${index.clusters} experts, ${(bytes / 1e6).toFixed(1)} MB → ${out}`);
    });
}
