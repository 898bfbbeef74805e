import { mkdir } from 'node:fs/promises';
import { isAbsolute, normalize, sep } from 'node:path';
import { ConfigError, printable, ValueError } from '@paris/files';
import { Command } from 'commander';
import { assertOutputs, type Named, path } from '../check-outputs.js';
import { collected } from '../config/file.js';
import { adapterOption } from '../gpu.js';
import type { Job, Plan } from '../launch/plan.js';
import { installedParis } from '../launch/process.js';
import { quoted } from '../launch/shell.js';
import { writeScripts } from '../launch/write-scripts.js';
import { whole } from '../option-values.js';
import { printText } from '../print.js';
import { stoppable } from '../stop.js';

export function launchCommand(): Command {
  return new Command('launch')
    .description('train all experts and the router of a model, here or on a cluster, from one file')
    .addHelpText('after', example)
    .addCommand(planCommand())
    .addCommand(localCommand())
    .addCommand(slurmCommand())
    .addCommand(kubernetesCommand())
    .addCommand(skypilotCommand());
}

const planFile = 'YAML or JSON: data, runs, model, and options of expert, router, assemble, evaluate';

function planCommand(): Command {
  return new Command('plan')
    .description('check a plan and print its commands, each after those that it needs')
    .argument('<plan>', planFile)
    .option('--json', 'print jobs as JSON')
    .action(async (file: string, { json }: { json?: boolean }) => {
      const plan = await planIn(file);
      const jobs = [...plan.experts, ...plan.others];
      printText(json ? JSON.stringify(jobs, null, 2) : planText(jobs));
    });
}

function planText(jobs: readonly Job[]): string {
  const lines = jobs.map(({ id, args, after }) => {
    const needs = after.length === 0 ? '' : `   # after ${after.length > 3 ? 'all of these' : after.join(', ')}`;
    return `${id.padEnd(10)} paris ${args.map(quoted).join(' ')}${needs}`;
  });
  return lines.join('\n');
}

interface LocalFlags {
  jobs?: number;
  each?: string[];
  retries: number;
  logs: string;
  adapter: string;
  json?: boolean;
}

function localCommand(): Command {
  return new Command('local')
    .description('run all jobs on this machine; run the same command again to resume')
    .argument('<plan>', planFile)
    .option('--jobs <n>', 'jobs at once (default: as many as values of --each, or 1)', whole(1))
    .option(
      '--each <NAME=a,b>',
      'a variable of which jobs that run at the same time get different values, such as the card that a driver takes; repeat it for more',
      collected,
    )
    .option('--retries <n>', 'how often a job is started again that a lost device or a full disk ended', whole(0), 3)
    .option('--logs <folder>', 'folder of a log for each job', path, 'logs')
    .addOption(adapterOption())
    .option('--json', 'print progress as JSON lines on stdout')
    .action(async (file: string, { jobs: wanted, each = [], retries, logs, adapter, json }: LocalFlags) => {
      const slots = slotsOf(each);
      const jobs = wanted ?? slots?.length ?? 1;
      if (slots && jobs > slots.length) {
        const what = `--each has ${slots.length} values, and --jobs runs ${jobs} at once`;
        throw new ValueError('launch', `${what}. Give a value for each, or fewer jobs.`);
      }
      const { launchLocal } = await import('../launch/local.js');
      const { launchView } = await import('../launch/view.js');
      const plan = await planIn(file, [logsIn(logs)]);
      const view = launchView(json === true, plan);
      const extra = adapter === 'auto' ? [] : ['--adapter', adapter];
      const options = { command: installedParis(), jobs, slots, retries, pauseMs: 10_000, logs, extra, ...view };
      await stoppable((signal) => launchLocal(plan, { ...options, signal }).finally(view.close));
    });
}

/**
 * What a plan asks for; it is checked with the options of all commands that it names.
 * @param folders - that are written to beside it: each is apart from what its jobs read and write
 */
async function planIn(file: string, folders: readonly Named[] = []): Promise<Plan> {
  const { readPlan } = await import('../launch/plan.js');
  const plan = await readPlan(file);
  const { data, runs, model } = plan.places;
  const reads: Named[] = [
    ['the data folder', data],
    ['the folder of runs', runs],
    ['the model folder', model],
  ];
  for (const folder of folders) await assertOutputs('launch', { folders: [folder], reads });
  return plan;
}

/** A plan for machines that mount one volume, as `what` says. @throws ConfigError for a path that is not in it */
async function mountedPlan(file: string, out: string, what: string): Promise<Plan> {
  const plan = await planIn(file, [scriptsIn(out)]);
  const paths = Object.entries({ 'the plan': file, ...plan.places });
  const outside = paths.find(([, place]) => isAbsolute(place) || normalize(place).split(sep)[0] === '..');
  if (!outside) return plan;
  const [name, place] = outside;
  throw new ConfigError(
    'launch',
    `${name}, ${JSON.stringify(place)}, is not in the folder that jobs see. They mount ${what}, to which paths are relative: give relative ones.`,
  );
}

const scriptsIn = (out: string): Named => ['the folder of scripts', out];
const logsIn = (logs: string): Named => ['the folder of logs', logs];

/** `CARD=0,1` → [{ CARD: '0' }, { CARD: '1' }]; several variables side by side. @throws ValueError if they do not fit together */
function slotsOf(each: readonly string[]): Record<string, string>[] | undefined {
  const variables = each.map((text) => {
    const [, name, values] = /^([A-Za-z_]\w*)=(.+)$/.exec(text) ?? [];
    if (name === undefined) throw new ValueError('launch', `"${printable(text)}" is no --each. Write NAME=a,b.`);
    return { name, values: values!.split(',') };
  });
  const [first] = variables;
  if (!first) return undefined;
  const other = variables.find(({ values }) => values.length !== first.values.length);
  if (other) {
    const what = `${first.name} has ${first.values.length} values and ${other.name} ${other.values.length}`;
    throw new ValueError('launch', `${what}. Give as many of each.`);
  }
  const again = variables.find(({ name }, i) => variables.findIndex((each) => each.name === name) < i);
  if (again)
    throw new ValueError('launch', `--each names ${again.name} twice. Write its values in one: ${again.name}=a,b.`);
  return first.values.map((_, i) => Object.fromEntries(variables.map(({ name, values }) => [name, values[i]!])));
}

interface SlurmFlags {
  out: string;
  paris: string;
  sbatch: string;
  logs: string;
  grace: number;
  retries: number;
}

function slurmCommand(): Command {
  return new Command('slurm')
    .description('write scripts for Slurm: an array of experts that are requeued, and what needs them')
    .argument('<plan>', planFile)
    .requiredOption('--out <folder>', 'where the scripts go; sh OUT/submit.sh submits them', path)
    .option('--sbatch <options>', 'options of sbatch, such as "--partition=gpu --gres=gpu:1 --time=12:00:00"', '')
    .option('--paris <command>', 'how a job starts paris', 'npx paris')
    .option('--logs <folder>', 'folder of a log for each job', path, 'logs')
    .option('--grace <seconds>', 'how long before the time limit a training is asked to save', whole(1), 120)
    .option('--retries <n>', 'how often a job is requeued that a lost device or a full disk ended', whole(0), 3)
    .action(async (file: string, flags: SlurmFlags) => {
      const { slurmScripts } = await import('../launch/slurm.js');
      const { out, paris, logs, grace: graceSeconds, retries } = flags;
      const sbatch = flags.sbatch.trim().replace(/\s*\n\s*/g, ' ');
      const plan = await planIn(file, [scriptsIn(out), logsIn(logs)]);
      await writeScripts(out, slurmScripts(plan, { paris, sbatch, logs, graceSeconds, retries }), 'submit.sh');
      await mkdir(logs, { recursive: true });
    });
}

interface KubernetesFlags {
  out: string;
  image: string;
  claim: string;
  paris: string;
  gpus: number;
  grace: number;
  retries: number;
}

function kubernetesCommand(): Command {
  return new Command('kubernetes')
    .description('write manifests for Kubernetes: an Indexed Job of the experts, and what needs them')
    .argument('<plan>', planFile)
    .requiredOption('--out <folder>', 'where the manifests go; sh OUT/apply.sh applies them', path)
    .requiredOption('--image <name>', 'container image with paris, Vulkan and the driver')
    .requiredOption('--claim <name>', 'claim of a volume that all pods may write; paths of the plan are relative to it')
    .option('--paris <command>', 'how a job starts paris in the container', 'npx paris')
    .option('--gpus <n>', 'GPUs of a pod that computes', whole(0), 1)
    .option('--grace <seconds>', 'how long a pod that must go has to save', whole(1), 120)
    .option('--retries <n>', 'how often a pod that failed for a passing reason is replaced', whole(0), 3)
    .action(async (file: string, { out, grace, ...options }: KubernetesFlags) => {
      const { kubernetesFiles } = await import('../launch/kubernetes.js');
      const plan = await mountedPlan(file, out, `the volume of the claim ${options.claim}`);
      await writeScripts(out, kubernetesFiles(plan, { ...options, graceSeconds: grace }), 'apply.sh');
    });
}

interface SkyPilotFlags {
  out: string;
  bucket: string;
  image?: string;
  accelerators: string;
  spot: boolean;
  paris: string;
  retries: number;
}

function skypilotCommand(): Command {
  return new Command('skypilot')
    .description('write a managed job for SkyPilot, and scripts that launch it for each command of the plan')
    .argument('<plan>', planFile)
    .requiredOption('--out <folder>', 'where the job and the scripts go; sh OUT/submit.sh launches them', path)
    .requiredOption(
      '--bucket <address>',
      'bucket that all jobs mount, such as s3://pictures; paths of the plan are relative to it',
    )
    .option('--image <name>', 'container image with paris, Vulkan and the driver')
    .option('--accelerators <what>', 'accelerators of a machine', 'L4:1')
    .option('--no-spot', 'take machines that are not taken away')
    .option('--paris <command>', 'how a job starts paris', 'npx paris')
    .option('--retries <n>', 'how often a job is started again after an error of its own', whole(0), 3)
    .action(async (file: string, { out, ...options }: SkyPilotFlags) => {
      const { skypilotFiles } = await import('../launch/skypilot.js');
      const plan = await mountedPlan(file, out, `the bucket ${options.bucket}`);
      await writeScripts(out, skypilotFiles(plan, options), 'submit.sh');
    });
}

const example = `
A plan, model.yaml; the sections hold options of the commands by their names (paris train expert --print-config):
  data: data/            # partitioned
  runs: runs/
  model: my-model/
  expert:
    steps: 1600
    learning-rate: 0.01
  router:
    steps: 720
    condition: words

Examples:
  paris launch plan model.yaml
  paris launch local model.yaml --jobs 2
  paris launch slurm model.yaml --out slurm/ --sbatch "--partition=gpu --gres=gpu:1 --time=12:00:00"
  paris launch kubernetes model.yaml --out k8s/ --image registry.example/paris:1 --claim shared
  paris launch skypilot model.yaml --out sky/ --bucket s3://pictures --accelerators L4:1`;
