import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { Command } from 'commander';
import { readSecretKey } from '../bundle-file.js';
import { checkOutputs, path } from '../check-outputs.js';
import { number, whole } from '../option-values.js';
import { saveOutputs } from '../output.js';
import { createReporter } from '../reporter.js';
import { type ExpertFlags, expertCommand, expertOptions } from './train/expert.js';

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
    .option('--max-hours <x>', 'the volunteer stops after so long, and may resume', number({ min: 0 }))
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
    const content =
      flags.cluster === undefined
        ? await createResultBundle(nodeStore(source), secretKey)
        : await jobOf(source, training, flags, flags.cluster, secretKey);
    await saveOutputs('bundle', [{ file: flags.out, content }]);
    createReporter(flags.json === true).info(`${(content.length / 1e6).toFixed(1)} MB → ${flags.out}`);
  });
}

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
  inner.action((_: string, flags: ExpertFlags) => {
    given = flags;
  });
  const nowhere = join(tmpdir(), 'paris-bundle'); // nothing is written
  await inner.parseAsync([source, '--cluster', `${cluster}`, '--out', nowhere, ...training], { from: 'user' });
  const options = await expertOptions(given!, source);
  const { createJobBundle } = await import('@paris/trainer');
  return createJobBundle({ ...options, proveEvery, maxHours, dataAt, secretKey });
}
