// A plan as managed jobs of SkyPilot: one task for all of them, which differ in the command that they are given. SkyPilot starts a
// job again on another machine when its own is taken away, and after the exit codes that say that the same command may succeed.
import { stringify } from 'yaml';
import { EXIT } from '../exit-code.js';
import type { Plan } from './plan.js';
import { quoted } from './shell.js';

/** What the task and its scripts need to know. */
export interface SkyPilotOptions {
  /** A container image with the command, Vulkan's loader and the driver's manifest. Left out: the machine's own image. */
  readonly image?: string | undefined;
  /** A bucket, such as `s3://my-bucket`, that all jobs mount; the plan's paths are relative to it. */
  readonly bucket: string;
  /** Accelerators of a machine, such as `L4:1`. */
  readonly accelerators: string;
  /** Whether machines that may be taken away at any time are used. */
  readonly spot: boolean;
  /** How a job starts paris. */
  readonly paris: string;
  /** How often a job is started again that failed for a passing reason that has no code of its own. */
  readonly retries: number;
}

const folder = '/work';

/** Codes after which the same command is worth repeating: something is missing just now, or it was stopped with a checkpoint. */
export const passingCodes: readonly number[] = [EXIT.retry, EXIT.SIGHUP, EXIT.SIGINT, EXIT.SIGTERM];

/** The task, a script that launches experts and router, and one for what needs them. */
export function skypilotFiles(plan: Plan, options: SkyPilotOptions): Record<string, string> {
  const { experts, others } = plan;
  const first = [...experts, ...others.filter(({ after }) => after.length === 0)];
  const rest = others.filter(({ after }) => after.length > 0);
  const launch = ({ id, args }: { id: string; args: readonly string[] }, more: string) => {
    const command = quoted(args.map(quoted).join(' '));
    return `sky jobs launch --yes ${more}--name paris-${id} --env PARIS_ARGS=${command} "$here/job.yaml"`;
  };
  const script = (what: string, lines: readonly string[]) => `#!/bin/sh
# ${what}
set -e
here=$(cd "$(dirname "$0")" && pwd)
${lines.join('\n')}
`;
  return {
    'job.yaml': stringify(taskOf(options), { lineWidth: 0 }),
    'submit.sh': script(
      'Launches the experts and the router, which need nothing of each other. sky jobs queue shows them.',
      first.map((job) => launch(job, '--detach-run ')),
    ),
    'finish.sh': script(
      'When sky jobs queue says that all of submit.sh have succeeded: what needs them, one after the other.',
      rest.map((job) => launch(job, '')),
    ),
  };
}

/** Fields as SkyPilot's YAML reference has them. */
function taskOf({ image, bucket, accelerators, spot, paris, retries }: SkyPilotOptions): object {
  return {
    name: 'paris',
    resources: {
      accelerators,
      use_spot: spot,
      ...(image !== undefined && { image_id: `docker:${image}` }),
      job_recovery: {
        strategy: 'EAGER_NEXT_REGION',
        max_restarts_on_errors: retries,
        recover_on_exit_codes: passingCodes,
      },
    },
    envs: { PARIS_ARGS: 'doctor', NVIDIA_DRIVER_CAPABILITIES: 'compute,utility,graphics' },
    // Checkpoints are renamed when they are whole, which a plain mount of a bucket may not do; a cached one does.
    file_mounts: { [folder]: { source: bucket, mode: 'MOUNT_CACHED' } },
    run: `cd ${folder}\neval "exec ${paris} $PARIS_ARGS"\n`,
  };
}
