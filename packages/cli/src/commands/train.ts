// `paris train`: an expert, the router, a codec, or what a job bundle asks for.
import { nodeStore } from '@paris/files/node';
import { Command } from 'commander';
import { readBundle, readTrust } from '../bundle-file.js';
import { checkOutputs, path } from '../check-outputs.js';
import { type GpuContext, gpuAction } from '../gpu.js';
import { trainCodecCommand } from './train/codec.js';
import { trainExpertCommand } from './train/expert.js';
import { hoursLeft } from './train/flags.js';
import { trainRouterCommand } from './train/router.js';

export function trainCommand(): Command {
  const command = new Command('train')
    .description(
      'train one expert, the router, a codec, or what a job bundle asks for; run the same command again to resume',
    )
    .option('--bundle <file>', 'a job that somebody gave out: what is trained on what is in it', path)
    .option('--out <folder>', 'with --bundle: where run folders are', path, 'runs')
    .option('--trust <file>', 'with --bundle: list of keys; a job that others signed is refused')
    .option('--allow-private', 'with --bundle: take data from http and from this network, too')
    .addCommand(trainExpertCommand())
    .addCommand(trainRouterCommand())
    .addCommand(trainCodecCommand())
    .enablePositionalOptions() // --out after `expert` is the expert's
    .allowExcessArguments()
    .hook('preAction', (_, action) => {
      if (action !== command) return;
      // Commander's own sentence for a name that is no command, which its types leave out.
      if (command.args.length > 0) (command as Command & { unknownCommand(): never }).unknownCommand();
      if (action.opts<BundleFlags>().bundle === undefined) command.help({ error: true });
    });
  checkOutputs(command, 'train', ({ bundle, out, trust }: BundleFlags) =>
    bundle === undefined
      ? { reads: [] }
      : {
          folders: [['the folder of runs', out]],
          reads: [
            ['the bundle', bundle],
            ['the list of keys', trust],
          ],
        },
  );
  return gpuAction(command, async (context, flags: BundleFlags) => trainBundle(context, flags));
}

interface BundleFlags {
  bundle?: string;
  out: string;
  trust?: string;
  allowPrivate?: boolean;
}

/** What `paris train --bundle` does. */
async function trainBundle(
  { device, reporter, signal, elapsedMs }: GpuContext,
  { bundle, out, trust, allowPrivate }: BundleFlags,
): Promise<number> {
  const { openJob, trainJob } = await import('@paris/trainer');
  const opened = await openJob(await readBundle(bundle!), trust === undefined ? undefined : await readTrust(trust));
  const { job, signer } = opened;
  const licences = Object.entries(job.licences).map(([licence, count]) => `${count} ${licence}`);
  reporter.info(`cluster ${job.identity.cluster}, ${job.identity.data.count} pictures (${licences.join(', ')})`);
  reporter.info(`signed by ${signer}${trust === undefined ? ', whom no --trust FILE names' : ''}`);
  const maxHours = job.maxHours === undefined ? undefined : hoursLeft(job.maxHours, elapsedMs);
  const controls = { device, runs: nodeStore(out), allowPrivate, signal, onEvent: reporter.train };
  await trainJob(opened, { ...controls, maxHours });
  return 0;
}
