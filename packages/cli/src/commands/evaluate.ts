import { extname } from 'node:path';
import { encodeJson } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { Command } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { gpuAction } from '../gpu.js';
import { loadArchitecture } from '../modules.js';
import { policyName, seed, whole } from '../option-values.js';
import { saveOutputs, tryOutputs } from '../output.js';
import { printText } from '../print.js';

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
    )
    .option('--out <file>', 'JSON file to write', path, 'evaluation.json')
    .option('--page <file>', 'HTML page with figures, clusters and samples (default: named as the JSON file)', path)
    .option('--no-page', 'write no page')
    .option('--samples <n>', 'captions of held-out pictures that are drawn for the page', whole(0), 6)
    .option(
      '--pictures <n>',
      'pictures that are drawn and compared with held-out and training pictures; 0: none',
      whole(0),
      0,
    )
    .option('--seed <n>', 'decides the noise', seed, 0)
    .option('--batch <n>', 'pictures at once', whole(1), 32)
    .option(
      '--expert <file>',
      'a module with your own defineArchitecture(…); may be given several times',
      (file, all: string[]) => [...all, file],
      [],
    )
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
  return gpuAction(command, async ({ device, reporter, signal }, flags: Flags, model: string) => {
    const trainer = await import('@paris/trainer');
    const { checkControls, evaluate, evaluatePictures, formatEvaluation, formatPictures } = trainer;
    const { evaluationPage } = await import('../page/evaluation.js');
    const { out } = flags;
    const file = pageFile(out, flags.page);
    await tryOutputs('evaluate', [
      { option: '--out', file: out, format: 'JSON' },
      { option: '--page', file, format: 'HTML' },
    ]);
    reporter.info('loading the model, then compiling kernels for the first pictures');
    const [store, data] = [nodeStore(model), nodeStore(flags.data)];
    const experts = await Promise.all(flags.expert.map(loadArchitecture));
    const evaluation = await evaluate({
      device,
      model: store,
      data,
      compare: flags.compare,
      seed: flags.seed,
      architectures: { experts },
      batchSize: flags.batch,
      onProgress: (done, total) => reporter.work('evaluate', done, total),
      signal,
    });
    reporter.close();
    if (!flags.json) printText(formatEvaluation(evaluation)); // before the file: it is not lost with that
    const drawn =
      flags.pictures === 0
        ? undefined
        : await evaluatePictures({
            ...{ device, model: store, data, count: flags.pictures, seed: flags.seed, architectures: { experts } },
            onProgress: (done, total) => reporter.work('pictures', done, total),
            signal,
          });
    reporter.close();
    if (drawn && !flags.json) printText(`\n${formatPictures(drawn.evaluation)}`);
    const content = encodeJson({
      ...evaluation,
      controls: checkControls(evaluation),
      ...(drawn && { pictures: drawn.evaluation }),
    });
    await saveOutputs('evaluate', [{ file: out, content }]);
    if (file !== undefined) {
      const onProgress = (done: number, total: number) => reporter.work('samples for the page', done, total);
      const drawing = { device, model: store, seed: flags.seed, architectures: experts, onProgress, signal };
      const page = await evaluationPage({ name: model, data, evaluation, drawn, samples: flags.samples, drawing });
      reporter.close();
      await saveOutputs('evaluate', [{ file, content: page }]);
      reporter.info(`clusters and samples to look at → ${file}`);
    }
    const failed = checkControls(evaluation).filter((control) => !control.passed);
    for (const { name, detail } of failed) reporter.warn(`control failed: ${name}: ${detail}`);
    return flags.check && failed.length > 0 ? 1 : 0;
  });
}

/** `evaluation.json` → `evaluation.html`, if no other is named and one is wanted. */
function pageFile(out: string, page: Flags['page']): string | undefined {
  if (page === false) return undefined;
  // Commander makes `true` of an option that also has its negation.
  return typeof page === 'string' ? page : `${out.slice(0, out.length - extname(out).length)}.html`;
}
