import { basename, dirname } from 'node:path';
import { byCodeUnit } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import type { RunRecord } from '@paris/trainer';
import { DataError, OutputError } from '@paris/trainer/options';
import { Command } from 'commander';
import { path } from '../check-outputs.js';
import { ignoredAdapter } from '../gpu.js';
import { inBytes } from '../in-bytes.js';
import { printText } from '../print.js';
import type { Contents } from '../publish/contents.js';
import { hubAddress, parseTarget, publishToHub } from '../publish/hub.js';
import { createReporter } from '../reporter.js';
import { stoppable } from '../stop.js';

interface Flags {
  to: string;
  yes?: boolean;
  private?: boolean;
  message?: string;
  evaluation?: string;
  runs?: string;
  card?: string;
  json?: boolean;
}

export function publishCommand(): Command {
  return new Command('publish')
    .description('put a model on the Hugging Face Hub: says what would be sent, and sends it with --yes')
    .argument('<model>', 'model folder')
    .requiredOption('--to <repository>', 'hf:owner/name, or hf:owner/name@branch; it is made if there is none')
    .option('--yes', 'send it; HF_TOKEN must be a token that may write there')
    .option('--private', 'make the repository private, if it is made')
    .option('--message <text>', 'of the commit (default: the number of experts)')
    .option('--evaluation <file>', 'evaluation.json, for the card of a model without README.md', path)
    .option('--runs <folder>', 'the runs of the model, for the same card: steps, time and adapters', path)
    .option('--card <file>', 'write the card that would be sent to a new file', path)
    .option('--json', 'print progress as JSON lines on stdout')
    .addOption(ignoredAdapter())
    .addHelpText('after', examples)
    .action((model: string, flags: Flags) => stoppable((signal) => publish(model, flags, signal)));
}

async function publish(model: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const { contentsOf } = await import('../publish/contents.js');
  const target = parseTarget(flags.to);
  const reporter = createReporter(flags.json === true);
  const { repository: name, branch } = target;
  const sources = { name, ...(branch !== 'main' && { branch }), ...(await cardSources(flags)) };
  const contents = await contentsOf(
    nodeStore(model),
    sources,
    (done, total) => reporter.work('checking kB', Math.ceil(done / 1000), Math.ceil(total / 1000)),
    signal,
  ).finally(() => reporter.close());
  if (flags.card !== undefined) await writeNew(flags.card, contents.card);
  if (!flags.json) printText(listing(contents));
  if (!flags.yes) {
    reporter.result({ files: contents.files.map(({ path: file, sizeBytes }) => ({ path: file, sizeBytes })) });
    reporter.info(
      `Nothing was sent. --yes sends this to ${hubAddress()}/${target.repository}, branch ${target.branch}.`,
    );
    return;
  }
  const url = await publishToHub({
    target,
    folder: model,
    files: contents.files,
    message: flags.message ?? `A model of ${contents.index.clusters} experts`,
    isPrivate: flags.private === true,
    onFile: (file, share) => reporter.work(`sending ${file} %`, Math.floor(100 * share), 100),
    signal,
  }).finally(() => reporter.close());
  reporter.result({ url });
  reporter.info(`published: ${url}`);
}

async function cardSources({ evaluation, runs }: Flags) {
  const { readCardEvaluation } = await import('@paris/trainer');
  const measured = evaluation && (await readCardEvaluation(nodeStore(dirname(evaluation)), basename(evaluation)));
  const trained = runs && (await runRecords(runs));
  return { ...(measured && { evaluation: measured }), ...(trained && { runs: trained }) };
}

async function runRecords(folder: string): Promise<RunRecord[]> {
  const { readRun } = await import('@paris/trainer');
  const names = new Set((await nodeStore(folder).list()).map((file) => file.split('/')[0]!));
  const records = await Promise.all([...names].sort(byCodeUnit).map((name) => readRun(nodeStore(`${folder}/${name}`))));
  const found = records.filter((record) => record !== undefined);
  if (found.length > 0) return found;
  throw new DataError('publish', `${folder} holds no runs (expert-00, …). Check --runs.`);
}

/** A card is edited by hand, so none is written over. */
async function writeNew(file: string, text: string): Promise<void> {
  const [store, name] = [nodeStore(dirname(file)), basename(file)];
  if (await store.exists(name)) {
    throw new OutputError('publish', `${file} is there already. Name another file, or move it away.`);
  }
  await store.write(name, new TextEncoder().encode(text));
}

function listing({ files }: Contents): string {
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const rows = files.map(({ path: file, sizeBytes }) => `  ${inBytes(sizeBytes).padStart(10)}  ${file}`);
  return [`${files.length} files, ${inBytes(total)}, as model_index.json describes them:`, ...rows].join('\n');
}

const examples = `
Examples:
  paris publish my-model/ --to hf:me/cats                           (sends nothing)
  HF_TOKEN=hf_… paris publish my-model/ --to hf:me/cats --yes
  paris publish my-model/ --to hf:me/cats --evaluation evaluation.json --runs runs/ --card card.md`;
