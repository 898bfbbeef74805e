import { ValueError } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import type { DataItem, Sightings, Withdrawn } from '@paris/trainer';
import { OutputError } from '@paris/trainer/options';
import { Command, Option } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { collected } from '../config/file.js';
import { ignoredAdapter } from '../gpu.js';
import { quoted } from '../launch/shell.js';
import { createReporter, type Reporter } from '../reporter.js';
import { stoppable } from '../stop.js';

interface Flags {
  source?: string;
  licence?: string;
  expert?: string[];
  data?: string;
  dataOut?: string;
  out?: string;
  inPlace?: boolean;
  json?: boolean;
}

export function withdrawCommand(): Command {
  const command = new Command('withdraw')
    .description('say which experts saw a source or a licence, and take them, or experts by number, out of a model')
    .argument('<model>', 'model folder')
    .addOption(new Option('--source <name>', 'the source of pictures, as their records name it').conflicts('licence'))
    .option('--licence <name>', 'the licence of pictures, as their records name it')
    .addOption(
      new Option('--expert <k>', 'an expert by the number of its cluster; repeat it for more')
        .argParser(collected)
        .conflicts(['source', 'licence']),
    )
    .option('--data <folder>', 'the data folder, by whose records it is said who saw what')
    .option(
      '--data-out <folder>',
      'write the data there without those pictures, or, with --expert, with its pictures handed over to the nearest clusters that are left; other clusters keep their bytes',
      path,
    )
    .addOption(new Option('--out <folder>', 'write the model without those experts there').argParser(path))
    .addOption(new Option('--in-place', 'take those experts out of the model folder itself').conflicts('out'))
    .option('--json', 'print progress as JSON lines on stdout')
    .addOption(ignoredAdapter())
    .addHelpText('after', examples);
  checkOutputs(command, 'withdraw', ({ data, dataOut, out }: Flags, [model]) => ({
    folders: [
      ['the output folder', out],
      ['the new data folder', dataOut],
    ],
    reads: [
      ['the model', model],
      ['the data folder', data],
    ],
  }));
  return command.action(async (model: string, flags: Flags) => {
    const reporter = createReporter(flags.json === true);
    await stoppable((signal) => withdraw(model, flags, reporter, signal)).finally(() => reporter.close());
  });
}

async function withdraw(model: string, flags: Flags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const { assertPresent, recoverOutput, whoSaw, withdrawExperts } = await import('@paris/trainer');
  const { presentExperts, readModelIndex } = await import('@paris/model');
  const { data, dataOut, out, inPlace } = flags;
  const pick = pickOf(flags);
  const store = nodeStore(model);
  let experts = [...new Set(flags.expert?.map(numberOf))];
  if (pick) {
    if (inPlace && (await recoverOutput(store)))
      reporter.info(
        'an interrupted command had begun to change the model: it is completed, or undone if it was not ready',
      );
    const seen = await whoSaw(store, pick, data === undefined ? undefined : nodeStore(data));
    experts = [...seen.experts.keys()];
    for (const line of sightings(seen)) reporter.info(line);
  }
  if (dataOut !== undefined) {
    if (data === undefined)
      throw new OutputError('withdraw', '--data-out needs the data folder that it changes. Add --data FOLDER.');
    if (pick) await writeData(dataOut, data, pick, reporter, signal);
    else await handOver(dataOut, data, experts, reporter, signal);
  }
  if (out !== undefined || inPlace) {
    if (experts.length > 0) {
      const index = await withdrawExperts({
        model: store,
        experts,
        out: out === undefined ? undefined : nodeStore(out),
        signal,
      });
      const left = presentExperts(index).join(', ');
      reporter.info(`withdrawn: ${experts.join(', ')}; experts ${left} are as they were → ${out ?? model}`);
    } else
      reporter.info(`no expert that is there saw it: ${inPlace ? 'the model is as it was' : 'no model was written'}`);
  } else {
    assertPresent(await readModelIndex(store, model), experts);
    reporter.info('nothing is changed: --in-place takes them out of the model, --out writes one without them');
  }
  if (!pick) return;
  const { clusters, provenance } = await readModelIndex(store, model);
  const kind = provenance.teacher !== undefined ? 'student' : clusters > 1 ? 'mixture' : 'single';
  const again = dataOut === undefined ? experts : await withPictures(dataOut, experts, reporter);
  for (const line of retraining(model, again, kind, dataOut)) reporter.info(line);
}

/** Those whose cluster has pictures left. */
async function withPictures(data: string, experts: readonly number[], reporter: Reporter): Promise<number[]> {
  const { readCluster } = await import('@paris/trainer');
  const left: number[] = [];
  for (const k of experts) {
    const { manifest } = await readCluster(nodeStore(data), k, { mayBeEmpty: true });
    if (manifest.count > 0) left.push(k);
    else reporter.info(`cluster ${k} has no picture left: nobody can train its expert again`);
  }
  return left;
}

function pickOf({ source, licence, expert }: Flags): Withdrawn | undefined {
  if (source !== undefined) return { source };
  if (licence !== undefined) return { licence };
  if (expert !== undefined) return undefined;
  throw new ValueError('withdraw', 'nothing is named to withdraw. Give --source, --licence or --expert.');
}

function numberOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new ValueError('withdraw', `"${text}" is no number of an expert. Give one from 0 on.`);
}

function sightings({ experts, router }: Sightings): string[] {
  const pictures = (count: number) => `${count} ${count === 1 ? 'picture' : 'pictures'}`;
  const lines = [...experts].map(([k, count]) => `expert ${k} learned from ${pictures(count)} of it`);
  return router > 0 ? [...lines, `the router learned from ${pictures(router)} of it`] : lines;
}

async function writeData(
  out: string,
  data: string,
  pick: Withdrawn,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const { isPicked, joinData } = await import('@paris/trainer');
  const keep = (item: DataItem) => !isPicked(item, pick);
  const { pictures, left, untouched } = await joinData({ data: [nodeStore(data)], out: nodeStore(out), keep, signal });
  reporter.info(
    `${pictures} pictures stay, ${left} do not; clusters ${untouched.join(', ') || 'none'} are as they were → ${out}`,
  );
}

/** The pictures of experts that leave go to the nearest clusters that stay; the router is then told so in a short training. */
async function handOver(
  out: string,
  data: string,
  clusters: readonly number[],
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const { openDevice } = await import('@paris/tensor');
  const { handOverClusters } = await import('@paris/trainer');
  const device = await openDevice({ require: 'cpu' }); // a few distances
  try {
    const { to } = await handOverClusters({ device, data: nodeStore(data), out: nodeStore(out), clusters, signal });
    const lines = to.flatMap((count, k) => (count > 0 ? [`${count} to cluster ${k}`] : []));
    reporter.info(`pictures handed over: ${lines.join(', ') || 'none'} → ${out}`);
    reporter.info(`to teach the router: paris train router ${quoted(out)} --from MODEL --steps 144 --out RUNS`);
  } finally {
    await device.close();
  }
}

/** What starts the retraining of those that saw it. */
function retraining(
  model: string,
  experts: readonly number[],
  kind: 'mixture' | 'single' | 'student',
  dataOut = 'CLEAN-DATA',
): string[] {
  const data = dataOut === 'CLEAN-DATA' ? dataOut : quoted(dataOut);
  const begin = [
    'to train them again without it:',
    ...(dataOut === 'CLEAN-DATA' ? [`  paris withdraw ${quoted(model)} … --data DATA --data-out ${data}`] : []),
  ];
  if (kind === 'student')
    return [...begin, `  paris distil TEACHER --data ${data} --out MODEL      (of a teacher without it)`];
  return [
    ...begin,
    ...experts.map((k) => `  paris train expert ${data} --cluster ${k} --out RUNS`),
    ...(kind === 'mixture' ? [`  paris train router ${data} --out RUNS`] : []),
    '  paris assemble RUNS --out MODEL      (with the runs of the others)',
  ];
}

const examples = `
Examples:
  paris withdraw my-model/ --source "my camera"                        who saw it
  paris withdraw my-model/ --source "my camera" --out smaller-model/   a model without those experts
  paris withdraw my-model/ --licence CC-BY-NC-4.0 --data data/ --data-out clean/
  paris withdraw my-model/ --expert 3 --in-place
  paris withdraw my-model/ --expert 3 --data data/ --data-out handed-over/ --out smaller-model/`;
