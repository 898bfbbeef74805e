// A run from its first step or its last checkpoint to its end. What is trained is the job's business; here is what is
// the same for all: identity, checkpoints, metrics, stopping, going on. Nothing here depends on a GPU.

import { type FileLock, FileLockedError, type FileSource, type FileStore, folderStore, sha256 } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import { DivergedError, InterruptedError } from '../errors.js';
import { checkpointPath, listCheckpoints, removeCheckpoints, writeCheckpoint } from './checkpoint.js';
import { type Companions, claimRun, moveRunAside, WEIGHTS_FILE } from './claim.js';
import type { OnTrainEvent, StepMetrics } from './events.js';
import { appendMetrics, truncateMetrics } from './metrics.js';
import { Pace } from './pace.js';
import { assertSameRun, type RunIdentity, type RunRecord, readRun, writeRun } from './record.js';

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
  /** Takes the state over. `values` waits for the GPU, so it is asked for several steps at once. */
  advance(
    state: State,
    step: number,
  ): Promise<{
    state: State;
    /** Loss and accuracy of the step, read from the device. */
    values: () => Promise<Omit<StepMetrics, 'step'>>;
  }>;
  /** The bytes of a checkpoint: everything `restore` needs. */
  snapshot(state: State): Promise<Uint8Array>;
  /** The bytes of `model.safetensors`: what is sampled from. */
  weights(state: State): Promise<Uint8Array>;
  /** Frees what the state holds on the device; it cannot be used after that. */
  release(state: State): void;
}

/** Where a run lives, what identifies it, and how often it is saved. */
export interface RunOptions {
  /** Holds the run folders. */
  runs: FileStore;
  /** The run's folder in it: `expert-03`, `router`. */
  name: string;
  identity: RunIdentity;
  versions: { [name: string]: string };
  adapter: { fingerprint: string; name: string };
  /** Files written beside run.json when the run begins. */
  companions?: Companions;
  checkpointEvery: number;
  /** Moves an old run aside. */
  fresh?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onEvent?: OnTrainEvent | undefined;
}

/**
 * Begins, continues or just reports a run.
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
    if (found) assertSameRun(found, options.identity, options.name);
    if (found?.status === 'finished') {
      await removeCheckpoints(store); // where the process died between its last two touches
      return reportFinished(found, options);
    }
    const job = await createJob(); // first: one that cannot be made leaves no run behind
    const record = found ?? (await begin(store, options));
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
  const { onEvent, signal, identity } = options;
  const at = await resume(job, store, options);
  try {
    await truncateMetrics(store, at.step);
    await noteAdapter(record, at.step, store, options);
    onEvent?.({
      type: 'start',
      step: at.step,
      steps: job.steps,
      parameters: job.parameters,
      count: identity.data.count,
    });
    const progress = new Progress(job, at, store, onEvent);
    while (at.step < job.steps) {
      if (signal?.aborted) {
        await progress.save();
        const how = `stopped after step ${at.step} of ${job.steps}; the same command goes on.`;
        throw new InterruptedError('train', how);
      }
      const next = await job.advance(at.state, at.step);
      at.state = next.state;
      at.step += 1;
      progress.note(next.values);
      if (at.step % options.checkpointEvery === 0) await progress.save();
      else if (progress.isDue || at.step === job.steps) await progress.report();
    }
    await progress.report();
    return await finish(job, at, progress, record, store, options);
  } finally {
    job.release(at.state);
  }
}

/** A training's state after some steps. */
interface Position<State> {
  state: State;
  step: number;
}

/** What of a run is reported and on disk, and what is not yet: values of several steps are read from the device at once. */
class Progress<State> {
  /** The mean loss of the last report. */
  loss = Number.NaN;
  readonly pace: Pace;
  private readonly pending: { step: number; values: () => Promise<Omit<StepMetrics, 'step'>> }[] = [];
  private saved: number;

  constructor(
    private readonly job: TrainingJob<State>,
    private readonly at: Readonly<Position<State>>,
    private readonly store: FileStore,
    private readonly onEvent: OnTrainEvent | undefined,
  ) {
    this.saved = at.step;
    this.pace = new Pace(job.steps, job.batchSize);
    this.pace.begin(at.step);
  }

  /** Takes what the step that was just made gives. */
  note(values: () => Promise<Omit<StepMetrics, 'step'>>): void {
    this.pending.push({ step: this.at.step, values });
  }

  get isDue(): boolean {
    return this.pace.isDue(this.pending.length);
  }

  /** Writes and reports the metrics of the steps since the last time. @throws DivergedError if a loss is not finite */
  async report(): Promise<void> {
    const { job, pending, store } = this;
    const { step } = this.at;
    const lines = await Promise.all(pending.splice(0).map(async (p) => ({ step: p.step, ...(await p.values()) })));
    if (lines.length === 0) return;
    const bad = lines.find((line) => !Number.isFinite(line.loss));
    if (bad) throw new DivergedError('train', `the loss of step ${bad.step} is ${bad.loss}. Lower the learning rate.`);
    await appendMetrics(store, lines);
    this.loss = mean(lines.map((line) => line.loss));
    const accuracies = lines.flatMap((line) => line.accuracy ?? []);
    const accuracy = accuracies.length > 0 && { accuracy: mean(accuracies) };
    this.onEvent?.({ type: 'progress', step, steps: job.steps, loss: this.loss, ...accuracy, ...this.pace.lap(step) });
  }

  /** Writes a checkpoint, and before it the metrics of its steps. */
  async save(): Promise<void> {
    await this.report();
    const { state, step } = this.at;
    if (this.saved === step) return;
    await writeCheckpoint(this.store, step, await this.job.snapshot(state));
    this.saved = step;
    this.onEvent?.({ type: 'checkpoint', step });
  }
}

/** The weights first, then the record that says so, then the checkpoints go. */
async function finish<State>(
  job: TrainingJob<State>,
  { state, step }: Position<State>,
  { pace, loss }: Progress<State>,
  record: RunRecord,
  store: FileStore,
  { onEvent }: RunOptions,
): Promise<RunRecord> {
  const weights = await job.weights(state);
  await store.write(WEIGHTS_FILE, weights);
  const { seconds, imagesPerSecond } = pace.total(step);
  const digest = await sha256(weights);
  record.status = 'finished';
  record.result = { steps: step, loss: Number.isFinite(loss) ? loss : 0, seconds, imagesPerSecond, sha256: digest };
  await writeRun(store, record);
  await removeCheckpoints(store);
  onEvent?.({ type: 'finished', step, steps: job.steps, alreadyDone: false, seconds, sha256: digest });
  return record;
}

/** Waits a moment for a trainer that is just ending. @throws FileLockedError if it goes on */
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

/** The newest checkpoint that can be read, else the beginning. */
async function resume<State>(job: TrainingJob<State>, store: FileStore, options: RunOptions): Promise<Position<State>> {
  for (const step of await listCheckpoints(store)) {
    try {
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
  { runs, name, identity, versions, companions = {} }: RunOptions,
): Promise<RunRecord> {
  await claimRun(runs, name, companions);
  for (const [path, bytes] of Object.entries(companions)) await store.write(path, bytes);
  const record: RunRecord = { version: 1, status: 'running', ...identity, versions, adapters: [] };
  await writeRun(store, record);
  return record;
}

/** Another adapter may round differently, so the run says from which step on it ran where. */
async function noteAdapter(record: RunRecord, step: number, store: FileStore, options: RunOptions): Promise<void> {
  const last = record.adapters.at(-1);
  if (last?.fingerprint === options.adapter.fingerprint) return;
  if (last && step > 0) {
    const message = `this run began on ${last.name} and goes on on ${options.adapter.name}: its bytes may differ`;
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

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
