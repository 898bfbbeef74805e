// All jobs of a plan on this machine: as many at once as it can take, each after those that it needs, again where that helps.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ParisError, UnavailableError } from '@paris/files';
import { EXIT } from '../exit-code.js';
import type { JsonProgress } from '../reporter.js';
import type { Job, Plan } from './plan.js';
import { type Outcome, type ParisCommand, type RunParisOptions, runParis } from './process.js';

/** How a plan is carried out. */
export interface LaunchLocalOptions {
  readonly command: ParisCommand;
  /** Jobs at once. */
  readonly jobs: number;
  /** How often a job that failed for a passing reason is started again. */
  readonly retries: number;
  /** Before it is; twice as long each time. */
  readonly pauseMs: number;
  /** Folder of a log for each job. */
  readonly logs: string;
  /** More arguments for jobs that compute, such as `--adapter gpu`. */
  readonly extra?: readonly string[];
  /** Variables of which jobs that run at the same time get different values, such as one card each; as many as `jobs` at least. */
  readonly slots?: readonly Readonly<Record<string, string>>[] | undefined;
  readonly signal: AbortSignal;
  readonly onEvent?: (job: Job, event: JsonProgress) => void;
  readonly onState?: (job: Job, state: JobState) => void;
}

/** What becomes of a job. */
export type JobState =
  | { readonly state: 'running' }
  | { readonly state: 'done' }
  | { readonly state: 'again'; readonly reason: string; readonly pauseMs: number }
  | { readonly state: 'failed'; readonly reason: string };

/** A job of a plan failed for a reason that does not pass. */
class LaunchError extends ParisError {
  override readonly code = 'LAUNCH';
}

/**
 * Runs the jobs of a plan. Those that need one that failed do not run; others run to their end.
 * Run again, it resumes: finished trainings do nothing, stopped ones continue.
 * @throws LaunchError that names the jobs that failed, UnavailableError if all of them may succeed later; the signal's reason when it is aborted, once all have saved
 */
export async function launchLocal({ experts, others }: Plan, options: LaunchLocalOptions): Promise<void> {
  const { signal } = options;
  const jobs = [...experts, ...others];
  const waiting = new Set(jobs);
  const done = new Set<string>();
  const failed: { what: string; passing: boolean }[] = [];
  const running = new Map<Job, Promise<void>>();
  const threads = Math.max(1, Math.floor(availableParallelism() / Math.min(options.jobs, jobs.length)));
  const free = [...(options.slots ?? [])];
  const start = async (job: Job) => {
    const slot = free.shift();
    const outcome = await untilItEnds(job, options, { threads, env: slot });
    if (slot) free.unshift(slot);
    if (outcome.kind === 'done') done.add(job.id);
    else if (outcome.kind === 'failed') {
      const what = `${job.id} (${outcome.reason}; log: ${logOf(job, options)})`;
      failed.push({ what, passing: isPassing(outcome) });
    }
    running.delete(job);
  };
  while (!signal.aborted) {
    for (const job of waiting) {
      if (running.size >= options.jobs) break;
      if (!job.after.every((id) => done.has(id))) continue;
      waiting.delete(job);
      running.set(job, start(job));
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  await Promise.all(running.values());
  signal.throwIfAborted();
  if (failed.length === 0) return;
  const sentence = `failed: ${failed.map(({ what }) => what).join('; ')}. Run the same command to resume.`;
  if (failed.every(({ passing }) => passing)) throw new UnavailableError('launch', sentence);
  throw new LaunchError('launch', sentence);
}

async function untilItEnds(
  job: Job,
  options: LaunchLocalOptions,
  share: Pick<RunParisOptions, 'threads' | 'env'>,
): Promise<Outcome> {
  const { command, extra = [], signal, onEvent, onState, retries } = options;
  const args = job.id === 'assemble' ? job.args : [...job.args, ...extra];
  for (let attempt = 0; ; attempt++) {
    onState?.(job, { state: 'running' });
    const outcome = await runParis(args, {
      command,
      logFile: logOf(job, options),
      signal,
      ...share,
      onEvent: (event) => onEvent?.(job, event),
    });
    if (outcome.kind === 'done') onState?.(job, { state: 'done' });
    if (outcome.kind !== 'failed') return outcome;
    if (attempt === retries || !isPassing(outcome)) {
      onState?.(job, { state: 'failed', reason: outcome.reason });
      return outcome;
    }
    const pauseMs = options.pauseMs * 2 ** attempt;
    onState?.(job, { state: 'again', reason: outcome.reason, pauseMs });
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return { kind: 'stopped' };
  }
}

/** A command says by its code that trying again may help; one that a signal ended did not get to say anything. */
function isPassing({ code }: Extract<Outcome, { kind: 'failed' }>): boolean {
  return code === EXIT.retry || code === undefined || code > 128;
}

const logOf = (job: Job, { logs }: LaunchLocalOptions) => join(logs, `${job.id}.log`);
