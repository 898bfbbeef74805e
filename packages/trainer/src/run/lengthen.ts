// Lengthens an existing run by more steps, or says why that is impossible.
import type { FileSource } from '@paris/files';
import { RunError } from '../errors.js';
import { checkpointPath } from './checkpoint.js';
import { assertSameRun, isSameRun, type RunIdentity, type RunRecord } from './record.js';
import type { RunOptions } from './run.js';

/**
 * The record of the run that is asked for: the one that was found, or, if only the steps are more now and its states are those
 * of a longer run too, that with more steps to take. Nothing is written.
 * @throws RunError if it is another run
 */
export async function sameOrLonger(
  found: RunRecord,
  { identity, name, mayLengthen }: RunOptions,
  store: FileSource,
): Promise<RunRecord> {
  const [before, now] = [found.options.steps, identity.options.steps];
  if (typeof before !== 'number' || typeof now !== 'number' || before === now || !onlyStepsDiffer(found, identity)) {
    assertSameRun(found, identity, name);
    return found;
  }
  if (!mayLengthen) throw new RunError('train', decayed(found, name, before, now));
  if (now < before) {
    const what = `${name} holds a run of ${before} steps, which cannot be shortened to ${now}`;
    throw new RunError('train', `${what}. Give ${before} steps or more, or --fresh to start again.`);
  }
  const done = found.result?.steps;
  if (done !== undefined && !(await store.exists(checkpointPath(done)))) {
    const what = `${name} cannot be lengthened: ${checkpointPath(done)}, from which it would continue, is missing`;
    throw new RunError('train', `${what}. Train it from the start with --fresh.`);
  }
  const { result, proof, checkpoints, ...record } = found;
  const kept = proof && { proof: { every: proof.every } }; // the root is that of the shorter run
  const timed = result ? checkpoints?.map((each) => ({ ...each, seconds: result.seconds })) : checkpoints;
  return { ...record, status: 'running', options: identity.options, checkpoints: timed, ...kept };
}

function onlyStepsDiffer(found: RunRecord, { options, ...rest }: RunIdentity): boolean {
  return isSameRun(found, { ...rest, options: { ...options, steps: found.options.steps! } });
}

function decayed({ kind }: RunRecord, name: string, before: number, now: number): string {
  const what = `${name} holds a run of ${before} steps, over which its learning rate falls to zero: ${now} steps are another run`;
  const init = kind === 'expert' ? ', or from its weights with --init and another --out' : '';
  return `${what}. Train it from the start with --fresh${init}. Runs with --schedule constant can be lengthened.`;
}
