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
  let { state, step } = await resume(job, store, options);
  try {
    await truncateMetrics(store, step);
    await noteAdapter(record, step, store, options);
    onEvent?.({ type: 'start', step, steps: job.steps, parameters: job.parameters, count: identity.data.count });

    const pace = new Pace(job.steps, job.batchSize);
    const pending: { step: number; values: () => Promise<Omit<StepMetrics, 'step'>> }[] = [];
    let [lastLoss, saved] = [Number.NaN, step];
    const flush = async (): Promise<void> => {
      const lines = await Promise.all(pending.splice(0).map(async (p) => ({ step: p.step, ...(await p.values()) })));
      if (lines.length === 0) return;
      const bad = lines.find((line) => !Number.isFinite(line.loss));
      if (bad)
        throw new DivergedError('train', `the loss of step ${bad.step} is ${bad.loss}. Lower the learning rate.`);
      await appendMetrics(store, lines);
      lastLoss = mean(lines.map((line) => line.loss));
      const accuracies = lines.flatMap((line) => line.accuracy ?? []);
      onEvent?.({
        type: 'progress',
        step,
        steps: job.steps,
        loss: lastLoss,
        ...(accuracies.length > 0 && { accuracy: mean(accuracies) }),
        ...pace.lap(step),
      });
    };
    const save = async (): Promise<void> => {
      await flush();
      if (saved === step) return;
      await writeCheckpoint(store, step, await job.snapshot(state));
      saved = step;
      onEvent?.({ type: 'checkpoint', step });
    };

    pace.begin(step);
    while (step < job.steps) {
      if (signal?.aborted) {
        await save();
        throw new InterruptedError('train', `stopped after step ${step} of ${job.steps}; the same command goes on.`);
      }
      const next = await job.advance(state, step);
      state = next.state;
      pending.push({ step: ++step, values: next.values });
      if (step % options.checkpointEvery === 0) await save();
      else if (pace.isDue(pending.length) || step === job.steps) await flush();
    }
    await flush();
    const weights = await job.weights(state);
    await store.write(WEIGHTS_FILE, weights);
    const { seconds, imagesPerSecond } = pace.total(step);
    record.status = 'finished';
    const digest = await sha256(weights);
    const loss = Number.isFinite(lastLoss) ? lastLoss : 0;
    record.result = { steps: step, loss, seconds, imagesPerSecond, sha256: digest };
    await writeRun(store, record);
    await removeCheckpoints(store);
    onEvent?.({ type: 'finished', step, steps: job.steps, alreadyDone: false, seconds, sha256: digest });
    return record;
  } finally {
    job.release(state);
  }
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
async function resume<State>(
  job: TrainingJob<State>,
  store: FileStore,
  options: RunOptions,
): Promise<{ state: State; step: number }> {
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
