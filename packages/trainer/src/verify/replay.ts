// One segment, trained again: from the state at its beginning, with the recorded data and options, to the state at its end.
import { type FileSource, sha256 } from '@paris/files';
import { DataError } from '../errors.js';
import { type Chain, statePath } from '../run/chain.js';
import { hashContent, isIntact } from '../run/checkpoint.js';
import { WEIGHTS_FILE } from '../run/claim.js';
import type { TrainingJob } from '../run/run.js';

/** Steps [from, to) of a run, between two states of its chain. */
export interface Segment {
  index: number;
  from: number;
  to: number;
}

/** The segments of a chain: the first begins with the initial weights, the last ends with the final ones. */
export function segmentsOf({ states }: Pick<Chain, 'states'>, steps: number): Segment[] {
  const ends = [...states.map(({ step }) => step), steps];
  return ends.map((to, index) => ({ index, from: ends[index - 1] ?? 0, to }));
}

/** A training that is replayed, and the run that says it was that training. */
export interface Replayed<State> {
  job: TrainingJob<State>;
  store: FileSource;
  chain: Chain;
}

/**
 * The state at the beginning of a segment: drawn from the seed for the first, else what the chain commits to.
 * @throws DataError if the file is not that
 */
export async function stateBefore<State>({ job, store, chain }: Replayed<State>, { index }: Segment): Promise<State> {
  if (index === 0) return job.start();
  const saved = chain.states[index - 1]!;
  await assertCommitted(store, saved);
  return job.restore(store, statePath(saved.step));
}

/** Makes the steps of a segment. Consumes the state. */
export async function replay<State>(
  job: TrainingJob<State>,
  before: State,
  { from, to }: Segment,
  { onStep, signal }: { onStep?: (() => void) | undefined; signal?: AbortSignal | undefined } = {},
): Promise<State> {
  let state = before;
  for (let step = from; step < to; step++) {
    signal?.throwIfAborted();
    const next = await job.advance(state, step);
    state = next.state;
    await next.values(); // nobody reads them, but their tensor is to be freed
    onStep?.();
  }
  return state;
}

/** Whether a state is, bit for bit, the one that the chain has at the end of a segment. */
export async function endsAlike<State>(
  { job, chain }: Pick<Replayed<State>, 'job' | 'chain'>,
  state: State,
  { index }: Segment,
): Promise<boolean> {
  const claimed = chain.states[index];
  if (claimed) return (await hashContent(await job.snapshot(state))).sha256 === claimed.sha256;
  for (const { path, weights } of [{ path: WEIGHTS_FILE, weights: job.weights }, ...(job.averages ?? [])]) {
    if ((await sha256(await weights(state))) !== chain.weights[path]) return false;
  }
  return true;
}

/** @throws DataError if a state's file is missing or not the one that the chain commits to */
export async function assertCommitted(store: FileSource, saved: Chain['states'][number]): Promise<void> {
  const path = statePath(saved.step);
  if (!(await store.exists(path))) {
    throw new DataError('verify', `${path}, a state that the chain lists, is missing. Ask for the whole result.`);
  }
  if (await isIntact(store, saved, path)) return;
  throw new DataError(
    'verify',
    `${path} is not the state that the chain commits to: the result was changed, or is damaged.`,
  );
}
