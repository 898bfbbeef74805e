// A result: the run of a job in one signed file, with its chain and the states that `verifyRun` replays from.
import { type FileSource, type FileStore, folderStore } from '@paris/files';
import { DataError, RunError } from '../errors.js';
import { readChain, statePath } from '../run/chain.js';
import { isOfRun, WEIGHTS_FILE } from '../run/claim.js';
import { RUN_DATA_FILE } from '../run/data.js';
import { LOG_FILE } from '../run/log.js';
import { runNameOf } from '../run/names.js';
import { differenceOf, RUN_FILE, type RunRecord, readRun } from '../run/record.js';
import { sameBytes } from '../same-bytes.js';
import { JOB_FILE, packFiles, unpackFiles } from './archive.js';
import type { Job } from './job.js';
import { openSealed, seal } from './sealed.js';
import type { TrustList } from './trust.js';

/**
 * The bytes of a result: all of a finished run but its checkpoints and the log of its machine.
 * @throws RunError if it is not finished, DataError for a student, CheckpointError if it kept no chain
 */
export async function createResultBundle(
  run: FileSource & Pick<FileStore, 'list'>,
  secretKey: string,
): Promise<Uint8Array> {
  const record = await readRun(run);
  if (!record) throw new DataError('bundle', 'there is no run.json. Give the folder of a run, such as runs/expert-03.');
  if (record.kind === 'student' || record.kind === 'codec')
    throw new DataError(
      'bundle',
      `nobody can verify a ${record.kind}. Give the folder of the run of an expert or a router.`,
    );
  if (record.status !== 'finished')
    throw new RunError('bundle', 'the run is not finished. Run the same train command to resume.');
  await readChain(run);
  const paths = (await run.list()).filter(
    (path) => isOfRun(path) && !path.startsWith('checkpoints/') && path !== LOG_FILE,
  );
  return seal(await packFiles(run, paths), secretKey);
}

/** A result that was opened. */
export interface OpenedResult {
  /** The run's folder, in memory. */
  run: FileStore;
  record: RunRecord;
  /** `expert-03` */
  name: string;
  /** The public key of who trained it. */
  signer: string;
}

/** @throws DataError for what is no result, is not signed, or not by one who is trusted; CheckpointError for files that are unsound */
export async function openResult(file: Uint8Array, trust?: TrustList): Promise<OpenedResult> {
  const { content, signer } = await openSealed(file, trust);
  const run = await unpackFiles(content, isOfRun, {
    path: JOB_FILE,
    what: 'it is a job, and no result of a training',
  });
  const record = (await run.exists(RUN_FILE)) ? await readRun(run) : undefined;
  const whole = record?.status === 'finished' && (await run.exists(WEIGHTS_FILE)) && (await run.exists(RUN_DATA_FILE));
  if (!whole) throw new DataError('bundle', 'it is no result of a finished training.');
  const { states } = await readChain(run);
  for (const { step } of states) {
    if (!(await run.exists(statePath(step))))
      throw new DataError('bundle', `${statePath(step)}, which its chain lists, is not in it.`);
  }
  return { run, record, name: runNameOf(record), signer };
}

/**
 * Does nothing for a result that says it is the training of this job. It says what the run claims, not whether that is true:
 * `verifyRun` replays it.
 * @throws DataError that names the first difference
 */
export async function assertAnswers({ record, run, name }: OpenedResult, job: Job): Promise<void> {
  const difference = differenceOf(job.identity, record);
  const { every } = await readChain(run);
  const found = difference ?? { path: 'proveEvery', was: `${job.proveEvery}`, is: `${every}` };
  if (!difference && every === job.proveEvery) return;
  const { path, was, is } = found;
  throw new DataError(
    'bundle',
    `${name} is not the training of this job: ${path} is ${is}, and the job asks for ${was}.`,
  );
}

/**
 * Puts a result among runs, so that `assemble` finds it. One that is there already stays, and one that was cut short is completed.
 * @throws RunError if there is another run of that name
 */
export async function acceptResult({ run, name }: OpenedResult, runs: FileStore): Promise<void> {
  const target = folderStore(runs, name);
  const there = new Set(await target.list());
  for (const path of there) {
    if ((await run.exists(path)) && sameBytes(await run.read(path), await target.read(path))) continue;
    const what = `another ${name} is there already (${JSON.stringify(path)} differs)`;
    throw new RunError('bundle', `${what}. Move it elsewhere first, or give another folder of runs.`);
  }
  // What makes it a run comes last: a folder that was cut short is none.
  const paths = (await run.list()).filter((path) => path !== RUN_FILE);
  for (const path of [...paths, RUN_FILE]) {
    if (!there.has(path)) await target.write(path, await run.read(path));
  }
}
