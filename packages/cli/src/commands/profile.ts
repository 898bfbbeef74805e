import type { Precision } from '@paris/tensor/optim';
import { defaultSize, precisions, type TransformerSize } from '@paris/trainer/options';
import { Command, Option } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { gpuAction } from '../gpu.js';
import { whole } from '../option-values.js';
import { saveOutputs, tryOutputs } from '../output.js';
import { printText } from '../print.js';

interface Flags extends TransformerSize {
  size: number;
  batch: number;
  steps: number;
  precision: Precision;
  trace?: string;
  tuning?: string;
}

export function profileCommand(): Command {
  const command = new Command('profile')
    .description('say what each kernel of a training step takes on this adapter')
    .option('--width <n>', 'channels of the transformer', whole(1), defaultSize.width)
    .option('--depth <n>', 'blocks', whole(1), defaultSize.depth)
    .option('--heads <n>', 'attention heads', whole(1), defaultSize.heads)
    .option('--patch <pixels>', 'edge length of a patch', whole(1), defaultSize.patch)
    .option('--size <pixels>', 'edge length of a picture', whole(1), 32)
    .option('--batch <n>', 'pictures a step', whole(1), 16)
    .option('--steps <n>', 'steps to time', whole(1), 3)
    .addOption(new Option('--precision <name>', 'as of `paris train`').choices(precisions).default('f32'))
    .option('--trace <file>', 'a trace that Perfetto (ui.perfetto.dev) and chrome://tracing open', path)
    .addHelpText('after', '\nExample:\n  paris profile --width 256 --depth 6 --trace trace.json');
  checkOutputs(command, 'profile', ({ trace, tuning }: Flags) => ({
    files: [['the trace', trace]],
    reads: [['the tuning table', tuning]],
  }));
  return gpuAction(command, async ({ device, reporter, signal }, flags: Flags) => {
    await tryOutputs('profile', [{ option: '--trace', file: flags.trace, format: 'JSON' }]);
    const { profileTable, profileTraining, traceEvents } = await import('@paris/trainer');
    const { size: pixels, batch: batchSize, steps, precision } = flags;
    const profile = await profileTraining(device, { ...flags, pixels }, { steps, batchSize, precision }, signal);
    printText(profileTable(profile));
    if (flags.trace !== undefined) {
      await saveOutputs('profile', [{ file: flags.trace, content: traceEvents(profile) }]);
      reporter.info(`trace → ${flags.trace}`);
    }
    return 0;
  });
}
