import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ValueError } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { Command } from 'commander';
import { readSecretKey } from '../bundle-file.js';
import { checkOutputs, path } from '../check-outputs.js';
import { number, whole } from '../option-values.js';
import { saveOutputs } from '../output.js';
import { createReporter } from '../reporter.js';
import { type ExpertFlags, expertCommand, expertOptions, sampleFlags } from './train/expert.js';
import { runFlags } from './train/flags.js';

interface Flags {
  out: string;
  key: string;
  cluster?: number;
  proveEvery: number;
  maxHours?: number;
  dataAt?: string;
  json?: boolean;
}

export function bundleCommand(): Command {
  const command = new Command('bundle')
    .description(
      'make one signed file: a job from a data folder (with --cluster), or a result from the folder of a run',
    )
    .argument('<source>', 'a data folder, or the folder of a finished run that kept a chain')
    .argument('[training...]', 'of a job, after --: options as of paris train expert')
    .requiredOption('--out <file>', 'the bundle', path)
    .requiredOption('--key <file>', 'your secret key, which paris key makes', path)
    .option('--cluster <k>', 'the cluster that the job is about', whole(0))
    .option('--prove-every <n>', 'steps between states that the result holds for paris verify', whole(1), 100)
    .option('--max-hours <x>', 'the volunteer stops after so long, and may resume', number({ above: 0 }))
    .option('--data-at <address>', 'leave the data out: it is in this https folder, with clusters/NN below')
    .option('--json', 'print progress as JSON lines on stdout')
    .addHelpText(
      'after',
      `
Example:
  paris bundle data/ --cluster 3 --key my.key --out job.paris -- --steps 4000 --width 128
  paris train --bundle job.paris --out runs/
  paris bundle runs/expert-03 --key volunteer.key --out result.paris
  paris verify result.paris --data data/ --job job.paris`,
    );
  checkOutputs(command, 'bundle', ({ out, key }: Flags, [source]) => ({
    files: [['the bundle', out]],
    reads: [
      ['the source', source],
      ['the key', key],
    ],
  }));
  return command.action(async (source: string, training: string[], flags: Flags) => {
    const secretKey = await readSecretKey(flags.key);
    const { createResultBundle } = await import('@paris/trainer');
    if (flags.cluster === undefined) assertNothingOfAJob(command, training);
    const content =
      flags.cluster === undefined
        ? await createResultBundle(nodeStore(source), secretKey)
        : await jobOf(source, training, flags, flags.cluster, secretKey);
    await saveOutputs('bundle', [{ file: flags.out, content }]);
    createReporter(flags.json === true).info(`${(content.length / 1e6).toFixed(1)} MB → ${flags.out}`);
  });
}

/** @throws ValueError for options of a job without the one that makes it a job */
function assertNothingOfAJob(command: Command, training: readonly string[]): void {
  const given = ['proveEvery', 'maxHours', 'dataAt'].some((name) => command.getOptionValueSource(name) === 'cli');
  if (!given && training.length === 0) return;
  const what = '--prove-every, --max-hours, --data-at and options after -- are those of a job';
  throw new ValueError('bundle', `${what}. Give its --cluster, or leave them out to bundle a run.`);
}

/** Options of `paris train expert` that a job takes from `paris bundle`. */
const ofBundle = ['--cluster', '--out', '--prove-every', '--max-hours'];

/** Those that are decided where the job is trained. */
const ofTraining = (): readonly string[] => sampleFlags(runFlags(new Command())).options.map(({ long }) => long!);

/** The rest of the command line is read as `paris train expert` reads it. */
async function jobOf(
  source: string,
  training: readonly string[],
  { proveEvery, maxHours, dataAt }: Flags,
  cluster: number,
  secretKey: string,
): Promise<Uint8Array> {
  let given: ExpertFlags | undefined;
  const inner = expertCommand().exitOverride();
  refuseMisplaced(inner);
  inner.action((_: string, flags: ExpertFlags) => {
    given = flags;
  });
  const nowhere = join(tmpdir(), 'paris-bundle'); // nothing is written
  for (const [name, value] of Object.entries({ cluster, out: nowhere })) {
    inner.setOptionValueWithSource(name, value, 'cli'); // a config file has its own, which lose
  }
  await inner.parseAsync([source, ...training], { from: 'user' });
  const options = await expertOptions(given!, source);
  const { createJobBundle } = await import('@paris/trainer');
  return createJobBundle({ ...options, proveEvery, maxHours, dataAt, secretKey });
}

/** What a job would lose is refused, on the command line and, if it is the job's, in a config file. */
function refuseMisplaced(inner: Command): void {
  const refuse = (long: string) => {
    throw ofBundle.includes(long)
      ? new ValueError('bundle', `${long} of a job is an option of paris bundle. Give it before --.`)
      : new ValueError('bundle', `${long} is no part of a job: who trains it decides. Leave it out.`);
  };
  const misplaced = [...ofBundle, ...ofTraining()];
  for (const option of inner.options) {
    const long = option.long!;
    if (!misplaced.includes(long)) continue;
    inner.on(`option:${option.name()}`, () => refuse(long));
    const isConfigured = () => inner.getOptionValueSource(option.attributeName()) === 'config';
    if (ofBundle.includes(long)) inner.hook('preAction', () => (isConfigured() ? refuse(long) : undefined));
  }
}
