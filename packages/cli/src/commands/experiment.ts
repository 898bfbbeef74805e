import { join } from 'node:path';
import { type FileSource, memoryStore, ValueError } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { experimentNames } from '@paris/trainer/options';
import { Argument, Command } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { gpuAction } from '../gpu.js';
import { parsed, seed, whole } from '../option-values.js';
import { saveOutputs } from '../output.js';
import { printText } from '../print.js';

interface Flags {
  data?: string;
  out: string;
  smoke?: boolean;
  seeds?: number[];
  steps?: number;
  pictures?: number;
  width?: number;
  depth?: number;
  tuning?: string;
  json?: boolean;
}

export function experimentCommand(): Command {
  const command = new Command('experiment')
    .description("measure the papers' claims: train, sample and compare by seeds; run the same command again to resume")
    .addHelpText('after', example)
    .addArgument(new Argument('<name>', 'which').choices(experimentNames))
    .requiredOption('--out <folder>', 'where the runs, results.json and index.html go', path)
    .option(
      '--data <folder>',
      'pictures, as paris prepare writes them; default with --smoke: shapes that are made',
      path,
    )
    .option('--smoke', 'the size of a minute, which shows that it works and no more')
    .option('--seeds <list>', 'seeds, separated by commas (default: 0 to 4, with --smoke 0 and 1)', parsed(seedList))
    .option('--steps <n>', 'training steps of each network (default: 3200, with --smoke 24)', whole(1))
    .option('--pictures <n>', 'pictures drawn for each row (default: 256, with --smoke 16)', whole(3))
    .option('--width <n>', 'channels of the transformers (default: 64, with --smoke 16)', whole(2))
    .option('--depth <n>', 'blocks of the transformers (default: 3, with --smoke 1)', whole(1));
  checkOutputs(command, 'experiment', ({ out, data, tuning }: Flags) => ({
    folders: [['the output folder', out]],
    reads: [
      ['the data folder', data],
      ['the tuning table', tuning],
    ],
  }));
  return gpuAction(command, async ({ device, reporter, signal }, flags: Flags, name: string) => {
    const { experimentDesign, readTimes, runExperiment } = await import('@paris/trainer');
    const { claimLines, experimentPage } = await import('../page/experiment.js');
    const { seeds, steps, pictures, width, depth, smoke } = flags;
    const change = { seeds, steps, pictures, width, depth };
    const design = experimentDesign(name, smoke ? 'smoke' : 'recorded', change);
    const data = await dataOf(flags);
    const out = nodeStore(flags.out);
    const results = await runExperiment({
      ...{ device, design, data, out, signal },
      onPiece: (piece, done, total) => {
        reporter.close();
        reporter.info(`${piece} (${done + 1} of ${total})`);
      },
      onTrain: (event) => (event.type === 'progress' ? reporter.train(event) : reporter.alive()),
      onProgress: (done, total) => reporter.work('measuring', Math.round(100 * (done / total)), 100),
    });
    reporter.close();
    const page = join(flags.out, 'index.html');
    await saveOutputs('experiment', [{ file: page, content: experimentPage(results, await readTimes(out)) }]);
    if (flags.json) reporter.result(results);
    else printText(claimLines(results).join('\n'));
    reporter.info(`results → ${join(flags.out, 'results.json')}, ${page}`);
    return 0;
  });
}

async function dataOf({ data, smoke }: Flags): Promise<FileSource> {
  if (data !== undefined) return nodeStore(data);
  if (!smoke) {
    throw new ValueError(
      'experiment',
      'there are no pictures. Give a data folder: --data data/, or --smoke for shapes.',
    );
  }
  const { writeShapes } = await import('@paris/trainer');
  const shapes = memoryStore();
  await writeShapes(shapes);
  return shapes;
}

function seedList(text: string): number[] {
  return text.split(',').map((each) => seed(each.trim()));
}

const example = `
Experiments:
  main        one model against eight isolated experts at equal FLOPs and data, by every way to route
  clusters    1 to 16 clusters; by content, random, balanced; routers of several sizes, and one on a tenth of the data
  objectives  experts that predict noise on a cosine path beside velocity on a straight one
  alignment   errors of picked and unpicked experts; stability against quality
  compute     hours on n machines, isolated or exchanging gradients, on paper: one seed, at most 200 steps and 16 pictures

Examples:
  paris experiment main --smoke --out out/smoke
  paris experiment main --data data/ --out out/main
  paris experiment clusters --data data/ --out out/clusters --seeds 0,1 --steps 800`;
