import { extname } from 'node:path';
import { encodeJson } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import type { PicturesEvaluation } from '@paris/trainer';
import { Command, InvalidArgumentError } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { type GpuContext, gpuAction } from '../gpu.js';
import { loadArchitecture } from '../modules.js';
import { policyName, seed, whole } from '../option-values.js';
import { saveOutputs, tryOutputs } from '../output.js';
import { printText } from '../print.js';
import { expertsOption } from '../shared-options.js';

interface Flags {
  expert: string[];
  data: string;
  compare: string[];
  out: string;
  /** Undefined: next to `out`. False: none. */
  page?: string | false;
  samples: number;
  pictures: number;
  tuning?: string;
  seed: number;
  batch: number;
  check?: boolean;
  json?: boolean;
}

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('measure a model on the held-out pictures: router, mixture, single experts, controls')
    .argument('<model>', 'model folder')
    .requiredOption('--data <folder>', 'the data folder it was trained from')
    .option(
      '--compare <policies>',
      'routing policies, separated by commas: top1, top2@0.5, full, …',
      (text: string) => text.split(',').map((name) => policyName(name.trim())),
      ['top1', 'top2', 'full'],
    );
  whereToWrite(command);
  whatToDraw(command);
  command
    .option('--seed <n>', 'decides the noise', seed, 0)
    .option('--batch <n>', 'pictures at once', whole(1), 32)
    .addOption(expertsOption())
    .option('--check', 'exit with 1 if a control fails');
  checkOutputs(command, 'evaluate', ({ out, page, data, expert, tuning }: Flags, [model]) => ({
    files: [
      ['the output file', out],
      ['the page', pageFile(out, page)],
    ],
    reads: [
      ['the model folder', model],
      ['the data folder', data],
      ['the tuning table', tuning],
      ...expert.map((file) => ['the module', file] as const),
    ],
  }));
  return gpuAction(command, run);
}

function whereToWrite(command: Command): void {
  command
    .option('--out <file>', 'JSON file to write', path, 'evaluation.json')
    .option('--page <file>', 'HTML page with figures, clusters and samples (default: named as the JSON file)', path)
    .option('--no-page', 'write no page');
}

function whatToDraw(command: Command): void {
  command
    .option('--samples <n>', 'captions of held-out pictures that are drawn for the page', whole(0), 6)
    .option(
      '--pictures <n>',
      'pictures that are drawn and compared with held-out and training pictures; 0: none',
      picturesOf,
      0,
    );
}

/** Said before anything is measured. */
function picturesOf(text: string): number {
  const count = whole(0)(text);
  if (count === 0 || count >= 3) return count;
  throw new InvalidArgumentError('It must be 0, or a whole number from 3 on.');
}

/** Measures, then draws, and says and writes what came of each as soon as it is there. */
async function run({ device, reporter, signal }: GpuContext, flags: Flags, model: string): Promise<number> {
  const trainer = await import('@paris/trainer');
  const { checkControls, evaluate, evaluatePictures, formatEvaluation, formatPictures } = trainer;
  const { evaluationPage } = await import('../page/evaluation.js');
  const { out, seed } = flags;
  const file = pageFile(out, flags.page);
  await tryOutputs('evaluate', [
    { option: '--out', file: out, format: 'JSON' },
    { option: '--page', file, format: 'HTML' },
  ]);
  reporter.info('loading the model, then compiling kernels for the first pictures');
  const data = nodeStore(flags.data);
  const experts = await Promise.all(flags.expert.map(loadArchitecture));
  const common = { device, model: nodeStore(model), data, seed, architectures: { experts }, signal };
  const evaluation = await evaluate({
    ...common,
    compare: flags.compare,
    batchSize: flags.batch,
    onProgress: (done, total) => reporter.work('evaluate', done, total),
  });
  reporter.close();
  if (!flags.json) printText(formatEvaluation(evaluation)); // before the file: it is not lost with that
  const controls = checkControls(evaluation);
  const save = (pictures?: PicturesEvaluation) =>
    saveOutputs('evaluate', [
      { file: out, content: encodeJson({ ...evaluation, controls, ...(pictures && { pictures }) }) },
    ]);
  const onPicture = (done: number, total: number) => reporter.work('pictures', done, total);
  const drawn =
    flags.pictures === 0
      ? undefined
      : await evaluatePictures({ ...common, count: flags.pictures, onProgress: onPicture }).catch(async (error) => {
          reporter.close();
          await save(); // what was measured before
          throw error;
        });
  reporter.close();
  if (drawn && !flags.json) printText(`\n${formatPictures(drawn.evaluation)}`);
  await save(drawn?.evaluation);
  if (file !== undefined) {
    const onProgress = (done: number, total: number) => reporter.work('samples for the page', done, total);
    const drawing = { device, model: common.model, seed, architectures: experts, onProgress, signal };
    const page = await evaluationPage({ name: model, data, evaluation, drawn, samples: flags.samples, drawing });
    reporter.close();
    await saveOutputs('evaluate', [{ file, content: page }]);
    reporter.info(`clusters and samples to look at → ${file}`);
  }
  const failed = controls.filter((control) => !control.passed);
  for (const { name, detail } of failed) reporter.warn(`control failed: ${name}: ${detail}`);
  return flags.check && failed.length > 0 ? 1 : 0;
}

/** `evaluation.json` → `evaluation.html`, if no other is named and one is wanted. */
function pageFile(out: string, page: Flags['page']): string | undefined {
  if (page === false) return undefined;
  // Commander makes `true` of an option that also has its negation.
  return typeof page === 'string' ? page : `${out.slice(0, out.length - extname(out).length)}.html`;
}
