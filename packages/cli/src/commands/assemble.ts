import type { FileStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import type { WeightFormat } from '@paris/model';
import type { Device } from '@paris/tensor';
import type { GateOptions, GateReport } from '@paris/trainer';
import { Command } from 'commander';
import { readBundle, readTrust } from '../bundle-file.js';
import { checkOutputs, path } from '../check-outputs.js';
import { collected } from '../config/file.js';
import { type GpuFlags, gpuOptions, onGpu } from '../gpu.js';
import { fileAt, partAt } from '../modules.js';
import { number, policyName, some } from '../option-values.js';
import { createReporter, type Reporter } from '../reporter.js';
import { weightsOption } from '../shared-options.js';
import { stoppable } from '../stop.js';

interface Flags extends GpuFlags {
  out: string;
  data?: string;
  codec?: string;
  text?: string;
  licence?: string;
  routing?: string;
  weights?: WeightFormat;
  ema?: number;
  complete?: boolean;
  gate: boolean;
  init?: string;
  result?: string[];
  trust?: string;
}

export function assembleCommand(): Command {
  const command = new Command('assemble')
    .description('put finished runs together into a model folder; experts may come later')
    .argument('<runs>', 'folder with expert-00, … and router')
    .requiredOption('--out <folder>', 'model folder to write: a new or an empty one, or a model to replace', path)
    .option(
      '--data <folder>',
      'check that the runs were trained on this data folder, and each expert on its held-out pictures',
    )
    .option('--no-gate', 'with --data: take experts as they are, without a look at their weights and their losses')
    .option('--init <file>', 'with --data: the weights that the experts started from, if they did')
    .option('--result <file>', 'a result bundle that is put among the runs first; repeat it for more', collected)
    .option('--trust <file>', 'list of keys: results that others signed are refused')
    .option('--codec <folder>', 'what the latents were encoded with, which the model takes along')
    .option('--text <folder>', 'what the captions were encoded with, which the model takes along')
    .option('--licence <text>', "licence of the model (default: the pictures' licences)", some)
    .option('--routing <policy>', 'routing policy where none is given (default: top2)', policyName)
    .addOption(
      weightsOption(
        'how weights are written; q8 and q4 store experts in 8 or 4 bits a number (default: as they were trained)',
      ),
    )
    .option(
      '--ema <decay>',
      "the experts' moving average to take, where they kept several (default: the first)",
      number({ min: 0, max: 1 }),
    )
    .option('--complete', 'fail where an expert is missing or not finished, instead of leaving it out')
    .addHelpText('after', examples);
  checkOutputs(command, 'assemble', ({ out, data, codec, text, result = [], trust, init, tuning }: Flags, [runs]) => ({
    folders: [['the model folder', out]],
    reads: [
      ['the folder of runs', runs],
      ['the data folder', data],
      ['the codec', codec],
      ['the text encoder', text],
      ['the weights that experts started from', init],
      ['the list of keys', trust],
      ['the tuning table', tuning],
      ...result.map((file) => ['the result', file] as const),
    ],
  }));
  return gpuOptions(command).action(async (runs: string, flags: Flags) => {
    // Without pictures to look at there is nothing to compute.
    if (flags.data === undefined || !flags.gate) {
      await stoppable((signal) => carryOut(runs, flags, createReporter(flags.json === true), signal));
      return;
    }
    await onGpu(flags, async ({ device, reporter, signal }) => {
      await carryOut(runs, flags, reporter, signal, device);
      return 0;
    });
  });
}

async function carryOut(
  runs: string,
  { out, data, codec, text, licence, routing, weights, ema, complete, result = [], trust, init }: Flags,
  reporter: Reporter,
  signal: AbortSignal,
  device?: Device,
): Promise<void> {
  const { acceptResult, assemble, openResult } = await import('@paris/trainer');
  const { presentExperts } = await import('@paris/model');
  const trusted = trust === undefined ? undefined : await readTrust(trust);
  for (const file of result) {
    const opened = await openResult(await readBundle(file), trusted);
    await acceptResult(opened, nodeStore(runs));
    reporter.info(`${opened.name} of ${opened.signer} → ${runs}`);
  }
  const folder = data === undefined ? undefined : nodeStore(data);
  const index = await assemble({
    signal,
    runs: nodeStore(runs),
    out: nodeStore(out),
    ...(folder && { data: folder }),
    ...(codec !== undefined && { codec: partAt(codec) }),
    ...(text !== undefined && { text: partAt(text) }),
    ...(licence !== undefined && { licence }),
    ...(routing !== undefined && { routing }),
    ...(weights !== undefined && { weights }),
    ...(folder && device && { gate: gateOf(folder, device, init, reporter, signal) }),
    emaDecay: ema,
    complete,
    onNotice: reporter.warn,
  });
  const bytes = index.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const there = presentExperts(index).length;
  const experts = there === index.clusters ? `${there}` : `${there} of ${index.clusters}`;
  reporter.info(`${experts} experts, ${(bytes / 1e6).toFixed(1)} MB → ${out}`);
}

function gateOf(
  data: FileStore,
  device: Device,
  init: string | undefined,
  reporter: Reporter,
  signal: AbortSignal,
): GateOptions {
  return {
    ...(init !== undefined && { initial: fileAt(init) }),
    ...{ device, data, signal },
    onProgress: (done, total) => reporter.work('experts on held-out pictures', done, total),
    onReport: (report) => {
      reporter.close();
      for (const line of report.map(lineOf)) reporter.info(line);
    },
  };
}

/** `expert-03: loss 0.31 on 16 held-out pictures of its cluster; untrained 1.02, others 0.36` */
function lineOf({ name, pictures, levels, effect, expected, unjudged }: GateReport): string {
  if (levels.length === 0) return `${name}: its loss was not measured (${unjudged})`;
  const mean = (of: (level: GateReport['levels'][number]) => number | undefined) => {
    const values = levels.flatMap((level) => of(level) ?? []);
    return values.length > 0 ? (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(3) : undefined;
  };
  const [initial, others] = [mean((level) => level.initial), mean((level) => level.others)];
  const untrained =
    initial === undefined ? `not compared with its initial weights (${unjudged})` : `untrained ${initial}`;
  const beside = others === undefined ? '' : `, others ${others}`;
  const own = `${name}: loss ${mean(({ loss }) => loss)} on ${pictures} held-out pictures of its cluster`;
  const far =
    effect && expected
      ? `; its weights moved ${Math.round((100 * effect.moved) / expected.moved)} % of what is usual for ${expected.steps} steps`
      : '';
  return `${own}; ${untrained}${beside}${far}`;
}

const examples = `
Examples:
  paris assemble runs/ --data data/ --out my-model/
  paris assemble runs/ --codec model/codec --text model/text --out my-model/`;
