import { nodeStore } from '@paris/files/node';
import type { WeightFormat } from '@paris/model';
import { Command } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { ignoredAdapter } from '../gpu.js';
import { downloadReport } from '../loading.js';
import { folderOf } from '../model-argument.js';
import { whole } from '../option-values.js';
import { createReporter } from '../reporter.js';
import { weightsOption } from '../shared-options.js';
import { stoppable } from '../stop.js';

interface Flags {
  out: string;
  key?: string;
  codec?: string;
  heads?: number;
  inputSize?: number;
  weights?: WeightFormat;
  json?: boolean;
}

export function importCommand(): Command {
  const command = new Command('import')
    .description('write a model in another form (diffusers, PyTorch, Paris as released) as a model folder')
    .argument(
      '<source>',
      'folder, http(s) address, hf:owner/name, or a file of weights (.safetensors, .pt, .pth, .bin)',
    )
    .requiredOption('--out <folder>', 'model folder to write: a new or an empty one', path)
    .option('--key <name>', "which weights of a training's checkpoint: ema, model, … (default: its ema)")
    .option('--codec <source>', 'folder of the autoencoder, for weights that come without one')
    .option('--heads <n>', 'heads of the attention, where the width does not tell', whole(1))
    .option('--input-size <n>', 'height and width of the latents, where positions are not stored', whole(1))
    .addOption(
      weightsOption(
        'how weights are written; q8 and q4 store experts in 8 or 4 bits a number (default: as the source has them)',
      ),
    )
    .option('--json', 'print progress as JSON lines on stdout')
    .addOption(ignoredAdapter())
    .addHelpText('after', '\nExample:\n  paris import hf:facebook/DiT-XL-2-256 --out dit/ --weights f16');
  checkOutputs(command, 'import', ({ out, codec }: Flags, [source]) => ({
    folders: [['the model folder', out]],
    reads: [
      ['the source', folderOf(source)],
      ['the autoencoder', folderOf(codec)],
    ],
  }));
  return command.action(async (source: string, { out, weights, json, ...foreign }: Flags) => {
    const { importModel } = await import('@paris/sampler/import');
    const reporter = createReporter(json === true);
    let done = 0;
    const index = await stoppable((signal) =>
      importModel(source, nodeStore(out), {
        ...{ foreign, weights, signal },
        onDownload: downloadReport(reporter),
        onNotice: (line) => reporter.info(line),
        onPart: (_, parts) => reporter.work('networks', done++, parts),
      }),
    );
    const bytes = index.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    reporter.info(`${index.clusters} experts, ${(bytes / 1e6).toFixed(1)} MB → ${out}`);
  });
}
