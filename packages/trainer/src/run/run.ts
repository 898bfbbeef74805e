// A run from its first step or its last checkpoint to its end. What is trained is defined by the job; this file has what is
// the same for all: identity, checkpoints, metrics, stopping, resuming. Nothing here depends on a GPU.

import {
  type FileContent,
  type FileLock,
  FileLockedError,
  type FileSource,
  type FileStore,
  folderStore,
  sha256,
} from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import type { LostShard } from '../data/lost.js';
import { DamagedShardError, DataError } from '../errors.js';
import { STATES_FILE } from './chain.js';
import { checkpointPath, isIntact, listCheckpoints, removeCheckpoints } from './checkpoint.js';
import { type Companions, claimRun, moveRunAside, WEIGHTS_FILE } from './claim.js';
import type { OnTrainEvent, StepMetrics } from './events.js';
import { sameOrLonger } from './lengthen.js';
import { cutLines } from './lines.js';
import { type Machine, RunLog } from './log.js';
import { type LossOptions, leaveOut, leaveOutAsBefore } from './losses.js';
import { lastLoss, truncateMetrics } from './metrics.js';
import { OBSERVED_FILES, type Observer, observe } from './observer.js';
import { type Position, Progress, type Saving } from './progress.js';
import { assertSameProof, Prover, type Proving } from './prover.js';
import { type RunIdentity, type RunRecord, readRun, writeRun } from './record.js';
import { Saver } from './saver.js';
import { type StopOptions, Stopping } from './stopping.js';

/** Something that can be trained a step at a time, deterministically: state and step number decide the next state. */
export interface TrainingJob<State> {
  steps: number;
  batchSize: number;
  /** For the start event. */
  parameters: number;
  /** The state before the first step. */
  start(): Promise<State>;
  /** From a checkpoint. @throws CheckpointError if it cannot be read. */
  restore(store: FileSource, path: string): Promise<State>;
  /**
   * Consumes the state, which must not be used afterwards. `values` waits for the GPU, so several steps are read at once.
   * @throws DataError, with the state as it was, if what the step is to learn from cannot be used: a DamagedShardError if it can be
   *   left out
   */
  advance(
    state: State,
    step: number,
  ): Promise<{
    state: State;
    /** Loss and accuracy of the step, read from the device. */
    values: () => Promise<Omit<StepMetrics, 'step'>>;
  }>;
  /**
   * From now on, steps are made without the records of these files.
   * @throws CheckpointError if they are not of what is learned from
   */
  leaveOut?(lost: readonly LostShard[]): void;
  /** A copy of all that `restore` needs, on the host: the bytes of a checkpoint. The state may be used up after that. */
  snapshot(state: State): Promise<FileContent>;
  /** The bytes of `model.safetensors`: what is sampled from. */
  weights(state: State): Promise<Uint8Array>;
  /** Further files of weights, written next to it: other moving averages. */
  averages?: readonly FurtherWeights<State>[];
  /** Frees what the state holds on the device; it cannot be used after that. */
  release(state: State): void;
  /** What log.jsonl says of the device. */
  machine?: Machine;
  /** What looks at the training on the way. */
  observers?: readonly Observer<State>[];
}

/** A further file of weights. */
export interface FurtherWeights<State> {
  /** In the run's folder. */
  readonly path: string;
  /** Its bytes. */
  weights(state: State): Promise<Uint8Array>;
}

/** Where a run lives, what identifies it, and how often it is saved. */
export interface RunOptions extends Saving, Proving, StopOptions, LossOptions {
  /** Holds the run folders. */
  runs: FileStore;
  /** The run's folder in it: `expert-03`, `router`. */
  name: string;
  identity: RunIdentity;
  versions: { [name: string]: string };
  adapter: { fingerprint: string; name: string };
  /** Files written next to run.json when the run begins. */
  companions?: Companions;
  /**
   * Whether the states of a run of more steps are the same as far as this one goes. Its last state stays as a checkpoint, and
   * more steps continue from it. Default false.
   */
  mayLengthen?: boolean | undefined;
  /** Moves an old run aside. */
  fresh?: boolean | undefined;
  onEvent?: OnTrainEvent | undefined;
}

/**
 * Begins, resumes, lengthens or just reports a run.
 * @throws RunError if the folder holds another run, or anything that is not of a run; InterruptedError after the checkpoint that `signal` asked for;
 *   DivergedError if a loss is not finite.
 */
export async function runTraining<State>(
  createJob: () => Promise<TrainingJob<State>>,
  options: RunOptions,
): Promise<RunRecord> {
  const { runs, name, companions = {} } = options;
  if (options.fresh && (await runs.exists(`${name}/run.json`))) {
    await (await lockRun(options)).release(); // moving a run from under a trainer would be no help to either
    await moveRunAside(runs, name, companions);
  }
  await claimRun(runs, name, companions); // before the lock: a folder of somebody else is not touched at all
  const lock = await lockRun(options);
  try {
    const store = folderStore(runs, name);
    const found = await readRun(store);
    const known = found && (await sameOrLonger(found, options, store));
    if (known) assertSameProof(known, options, name);
    if (known?.status === 'finished') {
      await clearCheckpoints(known, store, options); // where the process died between its last two touches
      return reportFinished(known, options);
    }
    const job = await createJob(); // first: one that cannot be made leaves no run behind, and an old one as it was
    const record = known ?? (await begin(store, options));
    if (known !== found) await writeRun(store, record);
    return await carryOut(job, record, store, options);
  } finally {
    await lock.release();
  }
}

async function carryOut<State>(
  job: TrainingJob<State>,
  record: RunRecord,
  store: FileStore,
  options: RunOptions,
): Promise<RunRecord> {
  const { onEvent, identity } = options;
  leaveOutAsBefore(job, record, onEvent);
  const at = await resume(job, record, store, options);
  const log = new RunLog(store, job.batchSize, job.machine ?? {});
  const saver = new Saver(store, record, log, onEvent);
  try {
    const lost = await truncateMetrics(store, at.step);
    if (lost > 0) {
      const message = `metrics.jsonl has no line for ${lost} of the first ${at.step} steps; the weights do not depend on them`;
      onEvent?.({ type: 'notice', message });
    }
    for (const file of [...OBSERVED_FILES, STATES_FILE]) await cutLines(store, file, at.step);
    await noteAdapter(record, at.step, store, options);
    onEvent?.({
      type: 'start',
      step: at.step,
      steps: job.steps,
      parameters: job.parameters,
      count: identity.data.count,
    });
    await log.begin(at.step, options.adapter.name);
    const seconds = record.checkpoints?.find((each) => each.step === at.step)?.seconds;
    const progress = new Progress(job, at, { store, saver, log, onEvent, seconds });
    const prover = Prover.of(job, record, store, options);
    using stopping = new Stopping(options, saver);
    while (at.step < job.steps) {
      if (stopping.isDue) await stopping.end(progress, at, job.steps, store);
      const next = await advance(job, at, record, { ...options, store, progress, saver });
      at.state = next.state;
      at.step += 1;
      progress.note(next.values);
      await observe(job.observers ?? [], { ...at, steps: job.steps }, store, onEvent);
      await prover?.note(at); // before the checkpoint from which a later process goes on
      await progress.next(options);
    }
    if (options.mayLengthen) await progress.save();
    else await progress.report();
    await saver.settle();
    return await finish(job, at, progress, record, store, options);
  } finally {
    await saver.end();
    job.release(at.state);
  }
}

/** Makes a step, without what turns out to be damaged, as far as that may be lost. */
async function advance<State>(
  job: TrainingJob<State>,
  { state, step }: Position<State>,
  record: RunRecord,
  on: RunOptions & { store: FileStore; progress: Progress<State>; saver: Saver },
): ReturnType<TrainingJob<State>['advance']> {
  for (;;) {
    try {
      return await job.advance(state, step);
    } catch (error) {
      if (error instanceof DamagedShardError) await on.saver.settle(); // it writes the record, too
      const { store, maxLost, onEvent } = on;
      await leaveOut(error, step, job, record, { store, maxLost, onEvent }).catch((reason) =>
        saveBefore(reason, on.progress, on.saver),
      );
    }
  }
}

/** Bad data is no reason to lose steps: what was learned before is saved. @throws the error, always */
async function saveBefore<State>(error: unknown, progress: Progress<State>, saver: Saver): Promise<never> {
  if (error instanceof DataError && !progress.isSaved) {
    await progress.save();
    await saver.settle();
  }
  throw error;
}

/** The weights first, then the record that says so, then the checkpoints go. */
async function finish<State>(
  job: TrainingJob<State>,
  { state, step }: Position<State>,
  { pace }: Progress<State>,
  record: RunRecord,
  store: FileStore,
  options: RunOptions,
): Promise<RunRecord> {
  const averages: { [path: string]: string } = {};
  for (const { path, weights } of job.averages ?? []) {
    const bytes = await weights(state);
    await store.write(path, bytes);
    averages[path] = await sha256(bytes);
  }
  const weights = await job.weights(state);
  await store.write(WEIGHTS_FILE, weights);
  const { seconds, imagesPerSecond } = pace.total(step);
  const digest = await sha256(weights);
  record.status = 'finished';
  const last = record.checkpoints?.filter((each) => each.step === step);
  record.checkpoints = options.mayLengthen ? last?.map(({ seconds: _, ...each }) => each) : undefined;
  record.result = {
    ...{ steps: step, loss: await lastLoss(store), seconds, imagesPerSecond },
    sha256: digest,
    ...(job.averages?.length && { averages }),
  };
  await Prover.of(job, record, store, options)?.finish();
  await writeRun(store, record);
  await clearCheckpoints(record, store, options);
  options.onEvent?.({ type: 'finished', step, steps: job.steps, alreadyDone: false, seconds, sha256: digest });
  return record;
}

/** Of a finished run: no checkpoint is needed any more, but that of the last step where the run may be lengthened. */
async function clearCheckpoints({ result }: RunRecord, store: FileStore, { mayLengthen }: RunOptions): Promise<void> {
  await removeCheckpoints(store, mayLengthen ? result?.steps : undefined);
}

/** Waits a moment for a trainer that is just ending. @throws FileLockedError if it does not end */
async function lockRun({ runs, name }: RunOptions): Promise<FileLock> {
  for (let patience = 20; ; patience--) {
    try {
      return await runs.lock(name);
    } catch (error) {
      if (!(error instanceof FileLockedError) || patience === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** The state of the newest checkpoint that can be read, or the initial state. */
async function resume<State>(
  job: TrainingJob<State>,
  { checkpoints }: RunRecord,
  store: FileStore,
  options: RunOptions,
): Promise<Position<State>> {
  for (const step of await listCheckpoints(store)) {
    try {
      const saved = checkpoints?.find((each) => each.step === step);
      if (saved && !(await isIntact(store, saved))) {
        throw new CheckpointError('train', `its bytes are not those that were written`);
      }
      return { state: await job.restore(store, checkpointPath(step)), step };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      options.onEvent?.({ type: 'notice', message: `checkpoint ${step} cannot be read (${error.message})` });
    }
  }
  return { state: await job.start(), step: 0 };
}

async function begin(
  store: FileStore,
  { runs, name, identity, versions, companions = {}, proveEvery }: RunOptions,
): Promise<RunRecord> {
  await claimRun(runs, name, companions);
  for (const [path, bytes] of Object.entries(companions)) await store.write(path, bytes);
  const proof = proveEvery !== undefined && { proof: { every: proveEvery } };
  const record: RunRecord = { version: 1, status: 'running', ...identity, versions, adapters: [], ...proof };
  await writeRun(store, record);
  return record;
}

/** Another adapter may round differently, so the run says from which step on it ran where. */
async function noteAdapter(record: RunRecord, step: number, store: FileStore, options: RunOptions): Promise<void> {
  const last = record.adapters.at(-1);
  if (last?.fingerprint === options.adapter.fingerprint) return;
  if (last && step > 0) {
    const message = `this run began on ${last.name} and is resumed on ${options.adapter.name}: its bytes may differ`;
    options.onEvent?.({ type: 'notice', message });
  }
  record.adapters = [...record.adapters.filter((a) => a.fromStep < step), { fromStep: step, ...options.adapter }];
  await writeRun(store, record);
}

function reportFinished(record: RunRecord, { onEvent }: RunOptions): RunRecord {
  const { steps, seconds, sha256: digest } = record.result ?? { steps: 0, seconds: 0, sha256: '' };
  onEvent?.({ type: 'finished', step: steps, steps, alreadyDone: true, seconds, sha256: digest });
  return record;
}
