import { encodeJson } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { checkControls, evaluate, formatEvaluation } from '@paris/trainer';
import { Command } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { policyName, whole } from '../failure.js';
import { gpuAction } from '../gpu.js';
import { loadArchitecture } from '../modules.js';
import { saveOutputs, tryOutputs } from '../output.js';
import { printText } from '../print.js';

interface Flags {
  expert: string[];
  data: string;
  compare: string[];
  out: string;
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
    .option('--seed <n>', 'decides the noise', whole(0), 0)
    .option('--batch <n>', 'pictures at once', whole(1), 32)
    .option(
      '--expert <file>',
      'a module with your own defineArchitecture(…); may be given several times',
      (file, all: string[]) => [...all, file],
      [],
    )
    .option('--check', 'exit with 1 if a control fails');
  checkOutputs(command, 'evaluate', ({ out, data, expert, tuning }: Flags, [model]) => ({
    files: [['the output file', out]],
    reads: [
      ['the model folder', model],
      ['the data folder', data],
      ['the tuning table', tuning],
      ...expert.map((file) => ['the module', file] as const),
    ],
  }));
  return gpuAction(command, async ({ device, reporter, signal }, flags: Flags, model: string) => {
    const { out } = flags;
    await tryOutputs('evaluate', [{ option: '--out', file: out, format: 'JSON' }]);
    reporter.info('loading the model, then compiling kernels for the first pictures');
    const evaluation = await evaluate({
      device,
      model: nodeStore(model),
      data: nodeStore(flags.data),
      compare: flags.compare,
      seed: flags.seed,
      architectures: { experts: await Promise.all(flags.expert.map(loadArchitecture)) },
      batchSize: flags.batch,
      onProgress: (done, total) => reporter.work('evaluate', done, total),
      signal,
    });
    reporter.close();
    if (!flags.json) printText(formatEvaluation(evaluation)); // before the file: it is not lost with that
    const content = encodeJson({ ...evaluation, controls: checkControls(evaluation) });
    await saveOutputs('evaluate', [{ file: out, content }]);
    const failed = checkControls(evaluation).filter((control) => !control.passed);
    for (const { name, detail } of failed) reporter.warn(`control failed: ${name}: ${detail}`);
    return flags.check && failed.length > 0 ? 1 : 0;
  });
}
