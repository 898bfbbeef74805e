import type { AttentionShape, MatmulShape } from '@paris/tensor';
import { Command } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { gpuAction } from '../gpu.js';
import { whole } from '../option-values.js';
import { saveOutputs, tryOutputs } from '../output.js';

interface Flags {
  out: string;
  tuning?: string;
  width: number;
  heads: number;
  tokens: number;
  words: number;
  batch: number;
  candidates?: number;
  repetitions: number;
}

export function tuneCommand(): Command {
  const command = new Command('tune')
    .description('measure which kernels are fastest on this adapter, for transformers of one size')
    .option('--out <file>', 'the table to write', path, 'tuning.json')
    .option('--width <n>', 'channels of the transformer', whole(1), 64)
    .option('--heads <n>', 'attention heads', whole(1), 4)
    .option('--tokens <n>', 'tokens a picture', whole(1), 64)
    .option('--words <n>', 'tokens of text', whole(1), 8)
    .option('--batch <n>', 'pictures a step', whole(1), 16)
    .option('--candidates <n>', 'kernels to try for each shape (default: all)', whole(1))
    .option('--repetitions <n>', 'how often each is timed', whole(1), 7)
    .addHelpText(
      'after',
      '\nExample:\n  paris tune --width 256 --tokens 256\n  paris train expert data/ --cluster 3 --out runs/ --tuning tuning.json',
    );
  checkOutputs(command, 'tune', ({ out, tuning }: Flags) => ({
    files: [['the output file', out]],
    reads: [['the tuning table', tuning]],
  }));
  return gpuAction(command, async ({ device, reporter, signal }, flags: Flags) => {
    await tryOutputs('tune', [{ option: '--out', file: flags.out, format: 'JSON' }]);
    const { tune } = await import('@paris/tensor');
    const table = await tune(device, {
      matmul: products(flags),
      attention: attentions(flags),
      repetitions: flags.repetitions,
      signal,
      ...(flags.candidates !== undefined && { candidates: flags.candidates }),
      onProgress: ({ name, presetMs, bestMs, kernel, candidates }) => {
        reporter.alive();
        const times = `${presetMs.toFixed(2)} → ${bestMs.toFixed(2)} ms, of ${candidates}`;
        reporter.info(`${name}: ${bestMs < presetMs ? kernel : 'the rules choose best'} (${times})`);
      },
    });
    signal.throwIfAborted();
    await saveOutputs('tune', [{ file: flags.out, content: `${JSON.stringify(table, null, 2)}\n` }]);
    const found = Object.keys(table.matmul).length + Object.keys(table.attention).length;
    reporter.info(`${found} kernels better than the rules' → ${flags.out}`);
    return 0;
  });
}

/** The products of a block, forward and backward: of activations with weights, and of activations with gradients. */
function products({ width: d, tokens, words, batch }: Flags): MatmulShape[] {
  const layers: [rows: number, inputs: number, outputs: number][] = [
    [batch * tokens, d, 3 * d],
    [batch * tokens, d, d],
    [batch * tokens, d, 4 * d],
    [batch * tokens, 4 * d, d],
    [batch * words, d, 2 * d],
    [batch, d, 6 * d],
  ];
  return layers.flatMap(([rows, inputs, outputs]) => [
    { m: rows, n: outputs, k: inputs, batch: 1 },
    { m: rows, n: inputs, k: outputs, batch: 1 },
    { m: outputs, n: inputs, k: rows, batch: 1 },
  ]);
}

function attentions({ width, heads, tokens, batch }: Flags): AttentionShape[] {
  return [{ batch, tokens, heads, headDim: Math.floor(width / heads) }];
}
