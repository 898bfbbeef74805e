import { ValueError } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import type { Verification } from '@paris/trainer';
import { Command } from 'commander';
import { isFile, readBundle, readTrust } from '../bundle-file.js';
import { checkOutputs, path } from '../check-outputs.js';
import { type GpuContext, gpuAction } from '../gpu.js';
import { fileAt, loadArchitecture } from '../modules.js';
import { number, seed } from '../option-values.js';
import { printText } from '../print.js';

interface Flags {
  data: string;
  confidence: number;
  fraction: number;
  root?: string;
  seed?: number;
  exact?: boolean;
  tolerance?: number;
  maxLost?: number;
  job?: string;
  trust?: string;
  init?: string;
  expert?: string;
  tuning?: string;
  json?: boolean;
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('replay parts of a run that was trained with --prove-every, drawn by chance, and say what that proves')
    .argument('<result>', 'folder of a run, such as runs/expert-03, or a result bundle')
    .requiredOption('--data <folder>', 'the data folder that it was to be trained on', path)
    .option('--confidence <p>', 'probability of catching a forgery of the fraction', number({ min: 0, max: 1 }), 0.95)
    .option('--fraction <f>', 'share of the segments that a forgery has at least', number({ min: 0, max: 1 }), 0.1)
    .option('--root <hash>', 'the root that the worker handed over before (default: that of the result)', rootOf)
    .option('--job <file>', 'the job bundle: what was to be trained (default: what the result says of itself)')
    .option('--trust <file>', 'list of keys: bundles that others signed are refused')
    .option('--exact', 'refuse what this adapter cannot compare bit for bit')
    .option(
      '--tolerance <share>',
      'drift that is taken for rounding between adapters (default: 0.01)',
      number({ min: 0 }),
    )
    .option(
      '--max-lost <share>',
      'share of the pictures that it may have left out because their files were damaged (default: 0.01)',
      number({ min: 0, max: 1 }),
    )
    .option('--init <file>', 'the weights that the training started from, if it did')
    .option('--expert <file>', 'a module whose default export is your own defineArchitecture(…)')
    .option('--seed <n>', 'for tests: draw by this number, which a worker could know (default: fresh randomness)', seed)
    .addHelpText('after', example);
  checkOutputs(command, 'verify', ({ data }: Flags, [result]) => ({
    reads: [
      ['the result', result],
      ['the data folder', data],
    ],
  }));
  return gpuAction(command, run, (_, result) => result);
}

/** Replays, and says what that proves. */
async function run({ device, reporter, signal }: GpuContext, flags: Flags, result: string): Promise<number> {
  const { openJob, openResult, verifyRun } = await import('@paris/trainer');
  const { data, confidence, fraction, root, exact, tolerance, maxLost } = flags;
  const trust = flags.trust === undefined ? undefined : await readTrust(flags.trust);
  const opened = (await isFile(result)) ? await openResult(await readBundle(result), trust) : undefined;
  if (opened) reporter.info(`signed by ${opened.signer}${trust ? '' : ', whom no --trust FILE names'}`);
  const job = flags.job === undefined ? undefined : (await openJob(await readBundle(flags.job), trust)).job;
  if (!job) reporter.info('without --job, seed and options are those that the worker says');
  const found = await verifyRun({
    ...{ device, run: opened?.run ?? nodeStore(result), data: nodeStore(data), signal },
    ...{ confidence, fraction, root, exact, tolerance, maxLost },
    expected: job?.identity,
    ...(flags.seed !== undefined && { randomness: new TextEncoder().encode(`${flags.seed}`) }),
    ...(flags.init !== undefined && { initial: fileAt(flags.init) }),
    ...(flags.expert !== undefined && { experts: [await loadArchitecture(flags.expert)] }),
    onProgress: (done, total) => reporter.work('replay', done, total),
  });
  reporter.close();
  if (flags.json) reporter.result(found);
  else printText(formatVerification(found));
  return 0;
}

const example = `
A run that was not trained as it says ends with 65 and the segment that shows it.

Example:
  paris train expert data/ --cluster 3 --out runs/ --prove-every 20
  paris verify runs/expert-03 --data data/ --confidence 0.95 --fraction 0.1`;

/** 64 hexadecimal digits. */
function rootOf(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new ValueError('verify', '--root is a SHA-256: 64 hexadecimal digits, as chain.json has it.');
}

/** What was bought, in a few lines. */
function formatVerification({
  root,
  randomness,
  segments,
  checked,
  wanted,
  odds,
  tolerance,
  identity,
  lost = [],
}: Verification): string {
  const inexact = checked.filter(({ exact }) => !exact);
  const largest = Math.max(0, ...inexact.map(({ drift }) => drift));
  const { fraction } = wanted;
  const bits =
    inexact.length === 0 ? 'the same bits' : `within ${tolerance} of the way, ${largest.toPrecision(2)} at most`;
  const { kind, cluster } = identity;
  return [
    `${kind === 'router' ? 'the router' : `the expert of cluster ${cluster}`}: ${checked.length} of ${segments} segments replayed, each ends where the chain says (${bits})`,
    `a forgery of ${percent(fraction)} of the segments would have been found with probability ${odds === 1 ? '1: all were replayed' : odds.toFixed(4)}`,
    ...lost.map(
      ({ file, rows, fromStep }) =>
        `from step ${fromStep + 1} on without ${file} (${rows} of ${identity.data.count} pictures), which it says was damaged`,
    ),
    `root ${root}`,
    `drawn with ${randomness}`,
    '',
  ].join('\n');
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}
