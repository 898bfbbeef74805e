// A plan as Slurm jobs: an array of experts, the router at the same time, and what needs them after they succeeded. Experts
// never hear of each other, so each element of the array is requeued by itself.
import { resolve } from 'node:path';
import { EXIT } from '../exit-code.js';
import { neededBy, type Plan } from './plan.js';
import { quoted, withCluster } from './shell.js';

/** What scripts for Slurm need to know. */
export interface SlurmOptions {
  /** The command as jobs start it, such as `paris` or `npx paris`. */
  readonly paris: string;
  /** Options of sbatch as it takes them in one line: `--partition=gpu --gres=gpu:1 --time=12:00:00`. */
  readonly sbatch: string;
  /** Folder of the logs. */
  readonly logs: string;
  /** Seconds before the time limit at which a training is asked to save. */
  readonly graceSeconds: number;
  /** How often a job that failed for a passing reason is requeued. */
  readonly retries: number;
}

/** The scripts of a plan by their names; `submit.sh` submits the others. */
export function slurmScripts(plan: Plan, options: SlurmOptions): Record<string, string> {
  const { experts, others } = plan;
  const files: Record<string, string> = {};
  const args = withCluster(experts[0]!.args, 'SLURM_ARRAY_TASK_ID');
  files['experts.sh'] = script('experts', args, options, [`--array=0-${experts.length - 1}`]);
  for (const job of others) files[`${job.id}.sh`] = script(job.id, job.args.map(quoted).join(' '), options, []);
  files['submit.sh'] = submit(plan);
  return files;
}

function script(name: string, args: string, options: SlurmOptions, own: readonly string[]): string {
  const { paris, sbatch, logs, graceSeconds, retries } = options;
  const log = resolve(logs, own.length > 0 ? '%x-%a.log' : '%x.log');
  const tries = resolve(logs, `paris-${name}`);
  const lines = [
    `--job-name=paris-${name}`,
    `--chdir=${quoted(process.cwd())}`,
    `--output=${quoted(log)}`,
    '--open-mode=append',
    '--requeue',
    // To the step, not to this script: the command saves and ends, and the script decides what then.
    `--signal=TERM@${graceSeconds}`,
    ...own,
    // In one line: a value may be a word of its own, as in `-p gpu`, or hold spaces between quotes.
    ...(sbatch === '' ? [] : [sbatch]),
  ];
  return `#!/bin/sh
${lines.map((line) => `#SBATCH ${line}`).join('\n')}

srun ${paris} ${args}
code=$?
job=\${SLURM_ARRAY_JOB_ID:+\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}}
job=\${job:-$SLURM_JOB_ID}
case $code in
  # The time limit or a preemption: a checkpoint is saved, and the next run resumes from it.
  ${EXIT.SIGHUP}|${EXIT.SIGINT}|${EXIT.SIGTERM}) scontrol requeue "$job" ;;
  # A device, a disk or a server that is missing just now. Slurm's own count of restarts has preemptions, too.
  ${EXIT.retry})
    retries=${quoted(tries)}-$job.retries
    [ "$(wc -c 2>/dev/null < "$retries" || echo 0)" -lt ${retries} ] && printf x >> "$retries" && scontrol requeue "$job" ;;
esac
# Any other code is for good: bad data, bad options, a training that diverged, a bug.
exit $code
`;
}

function submit(plan: Plan): string {
  const { others } = plan;
  const lines = others.map((job) => {
    const { id } = job;
    const needed = neededBy(job, plan);
    const when = needed.length > 0 ? ` --dependency="afterok:${needed.map((name) => `$${name}`).join(':')}"` : '';
    return `${id}=$(sbatch --parsable --kill-on-invalid-dep=yes${when} "$here/${id}.sh")`;
  });
  const names = ['experts', ...others.map(({ id }) => id)];
  return `#!/bin/sh
# Submits all jobs; run again after a failure, it does what is left.
set -e
here=$(cd "$(dirname "$0")" && pwd)
experts=$(sbatch --parsable "$here/experts.sh")
${lines.join('\n')}
echo ${names.map((name) => `"${name} $${name}"`).join(' ')}
`;
}
