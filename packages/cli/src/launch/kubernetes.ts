// A plan as Kubernetes jobs: an Indexed Job with an index for each expert, a Job for the router, and what needs them, suspended
// until they are complete. A pod that is evicted does not count as a failure; a code that says never fails its index for good.
import { stringify } from 'yaml';
import { neverAgain } from '../exit-code.js';
import { neededBy, type Plan } from './plan.js';
import { quoted, withCluster } from './shell.js';

/** What manifests need to know. */
export interface KubernetesOptions {
  /** A container image with the command, Vulkan's loader and the driver's manifest. */
  readonly image: string;
  /** A claim of a volume that all pods may write; the plan's paths are relative to it. */
  readonly claim: string;
  /** How a job starts paris in the container. */
  readonly paris: string;
  /** GPUs of a pod that computes. */
  readonly gpus: number;
  readonly graceSeconds: number;
  readonly retries: number;
}

const folder = '/work';

/** The manifests of a plan and a script that applies them in order, by their names. */
export function kubernetesFiles(plan: Plan, options: KubernetesOptions): Record<string, string> {
  const { experts, others } = plan;
  const [completions, backoffLimitPerIndex] = [experts.length, options.retries];
  const indexed = { completionMode: 'Indexed', completions, parallelism: completions, backoffLimitPerIndex };
  const args = withCluster(experts[0]!.args, 'JOB_COMPLETION_INDEX');
  const files: Record<string, string> = {};
  files['experts.yaml'] = stringify(jobOf('experts', args, indexed, 'FailIndex', options));
  for (const { id, args, after } of others) {
    const spec = { backoffLimit: options.retries, suspend: after.length > 0 };
    files[`${id}.yaml`] = stringify(jobOf(id, args.map(quoted).join(' '), spec, 'FailJob', options));
  }
  files['apply.sh'] = applyScript(plan);
  return files;
}

function jobOf(
  name: string,
  args: string,
  spec: object,
  action: 'FailIndex' | 'FailJob',
  { image, claim, paris, gpus, graceSeconds }: KubernetesOptions,
) {
  const computes = name !== 'assemble' && gpus > 0;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: `paris-${name}` },
    spec: {
      ...spec,
      podReplacementPolicy: 'Failed', // two trainings on one run would wait for each other's lock
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action, onExitCodes: { containerName: 'paris', operator: 'In', values: neverAgain } },
        ],
      },
      template: {
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: graceSeconds,
          containers: [
            {
              name: 'paris',
              image,
              command: ['sh', '-c', `exec ${paris} ${args}`],
              workingDir: folder,
              volumeMounts: [{ name: 'work', mountPath: folder }],
              ...(computes && { resources: { limits: { 'nvidia.com/gpu': gpus } } }),
            },
          ],
          volumes: [{ name: 'work', persistentVolumeClaim: { claimName: claim } }],
        },
      },
    },
  };
}

function applyScript(plan: Plan): string {
  const { others } = plan;
  const names = ['experts', ...others.map(({ id }) => id)];
  const steps = others
    .filter(({ after }) => after.length > 0)
    .flatMap((job) => {
      const { id } = job;
      const waits = neededBy(job, plan).map((name) => `complete ${name}`);
      return [...waits, `kubectl patch job paris-${id} --patch '{"spec":{"suspend":false}}'`];
    });
  return `#!/bin/sh
# Starts all jobs, each when those that it needs are complete.
set -e
here=$(cd "$(dirname "$0")" && pwd)
# Waits until a job is complete, or ends where it has failed: what fails for good is never complete.
complete() {
  until kubectl wait --for=condition=complete --timeout=30s "job/paris-$1" 2>/dev/null; do
    failed=$(kubectl get "job/paris-$1" --output='jsonpath={.status.conditions[?(@.type=="Failed")].message}')
    [ -z "$failed" ] && continue
    echo "paris-$1 failed: $failed. Fix what its log says, delete the job and run this again: trainings resume." >&2
    exit 1
  done
}
kubectl apply ${names.map((name) => `-f "$here/${name}.yaml"`).join(' ')}
${steps.join('\n')}
`;
}
