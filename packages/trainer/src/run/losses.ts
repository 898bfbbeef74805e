// Damaged files of records that a run leaves out, as far as it may: what is left out is written to run.json before the first step
// without it, so that the run leaves out the same when it is resumed, and when it is verified.
import type { FileStore } from '@paris/files';
import { type LostShard, lostCount } from '../data/lost.js';
import { DamagedShardError, DataError } from '../errors.js';
import { defaultMaxLost } from './default-max-lost.js';
import type { OnTrainEvent } from './events.js';
import { type RunRecord, writeRun } from './record.js';
import type { TrainingJob } from './run.js';

/** How much of its data a training may lose. */
export interface LossOptions {
  /**
   * The share of the pictures that may be lost with damaged files, from 0 to 1: these are left out, and the run says so. What is
   * lost beyond it ends the training with a checkpoint. Default 0.01.
   */
  readonly maxLost?: number | undefined;
}

/** Says which files a resumed run leaves out. */
export function leaveOutAsBefore<State>(
  job: Pick<TrainingJob<State>, 'leaveOut'>,
  { lost, data }: RunRecord,
  onEvent: OnTrainEvent | undefined,
): void {
  if (!lost || lost.length === 0) return;
  job.leaveOut?.(lost);
  const message = `${of(lostCount(lost), data.count)} are left out, as before, since their files were damaged`;
  onEvent?.({ type: 'notice', message });
}

/**
 * Leaves out the file of an error from this step on, if that many pictures may be lost; else it is the error's turn.
 * @throws the error, or one that says that the limit is reached
 */
export async function leaveOut<State>(
  error: unknown,
  step: number,
  job: Pick<TrainingJob<State>, 'leaveOut'>,
  record: RunRecord,
  { store, maxLost = defaultMaxLost, onEvent }: LossOptions & { store: FileStore; onEvent: OnTrainEvent | undefined },
): Promise<void> {
  if (!(error instanceof DamagedShardError) || !job.leaveOut) throw error;
  const { file, rows } = error;
  const { count } = record.data;
  const before = record.lost ?? [];
  if (before.some((known) => known.file === file && known.fromStep <= step)) throw error;
  // One that is already known to be lost, but from a later step on: the run was resumed before that.
  const lost: LostShard[] = [...before.filter((known) => known.file !== file), { file, rows, fromStep: step }];
  const sum = lostCount(lost);
  const said = error.message.replace(/^\[[^\]]*\] /, '');
  if (sum > maxLost * count || sum >= count) {
    const limit = `${of(sum, count)} would be lost, and ${percent(maxLost)} may be (maxLost)`;
    throw new DataError('data', `${said} With it, ${limit}.`, { cause: error });
  }
  job.leaveOut(lost); // first: what does not fit the data is not written down
  record.lost = lost;
  await writeRun(store, record);
  const message = `${said.split('. ')[0]}: its ${rows} pictures are left out from step ${step + 1} on`;
  onEvent?.({ type: 'notice', message: `${message} (${of(sum, count)} are lost; ${percent(maxLost)} may be)` });
}

/** `2 of 12 pictures (17 %)` */
function of(lost: number, count: number): string {
  return `${lost} of ${count} pictures (${percent(lost / count)})`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}
