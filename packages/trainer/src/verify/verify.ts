// Whether a run is what it says: commit, then draw. The run's chain was handed over before; now segments are drawn from randomness
// that the worker could not know, and each is trained again from its beginning.
import { encodeJson, type FileSource, sha256 } from '@paris/files';
import { readSafetensors } from '@paris/files/safetensors';
import type { Device } from '@paris/tensor';
import { type LostShard, lostCount } from '../data/lost.js';
import { DataError, RunError } from '../errors.js';
import { type Chain, readChain, statePath, stateSteps } from '../run/chain.js';
import { WEIGHTS_FILE } from '../run/claim.js';
import { defaultMaxLost } from '../run/default-max-lost.js';
import { runNameOf, TUNING_FILE } from '../run/names.js';
import { differenceOf, type RunIdentity, type RunRecord, readRun } from '../run/record.js';
import type { TrainingJob } from '../run/run.js';
import { createJob } from '../train/job.js';
import { averageFile, emaDecaysOf, requireOption } from '../train/options.js';
import type { Recipe } from '../train/recipe.js';
import { assertVerifiable, type Named, recordedRecipe } from '../train/recorded.js';
import type { State } from '../train/step.js';
import { version } from '../version.js';
import { drawSegments, freshRandomness, hexOf } from './draw.js';
import { defaultTolerance, driftOf, type Tensors, tensorsOf } from './drift.js';
import { forgedOf, oddsOf, segmentsFor, type Wanted } from './odds.js';
import { assertCommitted, endsAlike, replay, type Segment, segmentsOf, stateBefore } from './replay.js';

/** What is verified, against what, and how thoroughly. */
export interface VerifyOptions extends Partial<Wanted>, Named {
  device: Device;
  /** The folder of a finished run that kept a chain (`proveEvery`). */
  run: FileSource;
  /** The data folder that it was to be trained on: what `trainExpert` opens of it is opened. */
  data: FileSource;
  /** The root, if the worker handed it over before the rest. Default: that of the run's chain.json. */
  root?: string | undefined;
  /** What was to be trained. Default: what the run says of itself, but for the data. */
  expected?: RunIdentity | undefined;
  /** What segments are drawn from, in addition to the root. Default 32 fresh bytes, which is what makes it a proof. */
  randomness?: Uint8Array | undefined;
  /** Refuses to compare within a tolerance: the run must be from an adapter that computes the same bits. Default false. */
  exact?: boolean | undefined;
  /** The largest drift that is taken for rounding, where adapters differ. Default 0.01. */
  tolerance?: number | undefined;
  /** The share of the pictures that the run may have left out because their files were damaged. Default 0.01. */
  maxLost?: number | undefined;
  /** Called after each step that is replayed. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What was replayed, and what that says. */
export interface Verification {
  root: string;
  /** What segments were drawn from, hexadecimal: with the root it gives the same draw to everybody. */
  randomness: string;
  /** Segments of the run. */
  segments: number;
  checked: (Segment & {
    /** 0 where the bits were the same. */
    drift: number;
    exact: boolean;
  })[];
  /** The largest drift that would have been accepted of segments that are not exact. */
  tolerance: number;
  wanted: Wanted;
  /** The probability that a forgery of the wanted fraction would have been caught. */
  odds: number;
  /** What the run was trained by, as it says. */
  identity: RunIdentity;
  /** The files of pictures that it left out as damaged, and from which step on, as it says; absent where there is none. */
  lost?: LostShard[] | undefined;
}

/**
 * Replays segments of a run.
 * @throws DataError that names the segment, if the run was not trained as it says, or is not what was to be trained;
 *   CheckpointError for files that are no run's; RunError if it is not finished; ValueError for options that mean nothing
 */
export async function verifyRun(options: VerifyOptions): Promise<Verification> {
  const { confidence = 0.95, fraction = 0.1, tolerance = defaultTolerance, maxLost = defaultMaxLost } = options;
  const wanted = { confidence, fraction };
  const most = segmentsFor(wanted); // before anything is read
  requireOption('tolerance', tolerance, tolerance >= 0, 'a number from 0 on');
  requireOption('maxLost', maxLost, maxLost >= 0 && maxLost <= 1, 'a number in [0, 1]');
  const { record, chain, segments } = await readCommitment(options);
  assertFewLost(record, maxLost);
  // All is handed over. Only now is it decided what is looked at.
  const randomness = options.randomness ?? freshRandomness();
  const drawn = await drawSegments(segments.length, Math.min(most, segments.length), { root: chain.root, randomness });
  const check = await segmentCheck({ record, chain, segments }, options);
  const total = drawn.reduce((sum, k) => sum + segments[k]!.to - segments[k]!.from, 0);
  let done = 0;
  const checked: Verification['checked'] = [];
  for (const k of drawn) {
    const result = await check(k, () => options.onProgress?.(++done, total));
    if (result.drift > result.allowed) throw new DataError('verify', forged(runNameOf(record), segments[k]!, result));
    checked.push({ ...segments[k]!, drift: result.drift, exact: result.exact });
  }
  const odds = oddsOf(segments.length, forgedOf(segments.length, fraction), drawn.length);
  const { kind, cluster, options: how, data } = record;
  const identity = { kind, ...(cluster !== undefined && { cluster }), options: how, data };
  const what = { root: chain.root, randomness: hexOf(randomness), segments: segments.length };
  const { lost } = record;
  return { ...what, checked, tolerance, wanted, odds, identity, ...(lost?.length && { lost }) };
}

/** A worker may say that files were damaged to learn from fewer pictures: so only few may be. */
function assertFewLost(record: RunRecord, most: number): void {
  const { count } = record.data;
  const lost = lostCount(record.lost);
  if (lost <= most * count) return;
  const what = `${runNameOf(record)} left out ${lost} of ${count} pictures, whose files it says were damaged`;
  throw new DataError(
    'verify',
    `${what}: that is more than ${most} of them. Ask for it again, or give a larger maxLost.`,
  );
}

/** All that a worker is bound to. */
interface Commitment {
  record: RunRecord;
  chain: Chain;
  segments: Segment[];
}

/** @throws as {@link verifyRun} does */
export async function readCommitment(options: Pick<VerifyOptions, 'run' | 'root' | 'expected'>): Promise<Commitment> {
  const { record, chain } = await readBound(options.run, options);
  await assertFinalWeights(options.run, chain);
  for (const saved of chain.states) await assertCommitted(options.run, saved);
  return { record, chain, segments: segmentsOf(chain, record.result!.steps) };
}

/** What replaying a segment gave: it is accepted unless the drift is more than what is allowed. */
export interface SegmentResult {
  /** 0 where the bits are the same, Infinity where they should be and are not. */
  drift: number;
  exact: boolean;
  allowed: number;
}

/** Replays the segment of a number. @throws as {@link verifyRun} does, but for forgeries */
export async function segmentCheck(
  { record, chain, segments }: Commitment,
  options: Omit<VerifyOptions, 'root' | 'randomness'>,
): Promise<(index: number, onStep?: () => void) => Promise<SegmentResult>> {
  const { device, run: store, tolerance = defaultTolerance, signal } = options;
  const recipe = await recordedRecipe(record, options);
  const job = createJob(device, recipe);
  job.leaveOut!(record.lost ?? []);
  const sameKernels = await isTunedAlike(store, device);
  return async (index, onStep) => {
    const segment = segments[index]!;
    const exact = sameKernels && isExact(chain, segment, device);
    if (options.exact && !exact) throw new DataError('verify', inexact(recipe, segment));
    const drift = await replayed({ job, store, chain }, recipe, segment, { exact, onStep, signal });
    return { drift, exact, allowed: exact ? 0 : tolerance };
  };
}

/** What the worker is bound to. @throws as {@link verifyRun} does */
async function readBound(
  store: FileSource,
  { root, expected }: Pick<VerifyOptions, 'root' | 'expected'>,
): Promise<{ record: RunRecord; chain: Chain }> {
  const record = await readRun(store);
  if (!record) throw new DataError('verify', 'there is no run.json. Give the folder of a run, such as runs/expert-03.');
  assertVerifiable(record);
  if (record.status !== 'finished' || !record.result) {
    throw new RunError('verify', 'the run is not finished. Run the same train command to resume.');
  }
  const chain = await readChain(store);
  if (root !== undefined && root !== chain.root) {
    throw new DataError('verify', `the root of the chain is ${chain.root}, and ${root} was handed over before.`);
  }
  const { steps } = record.result;
  const sameLost = JSON.stringify(record.lost ?? []) === JSON.stringify(chain.claim.lost ?? []);
  const same = sameLost && !differenceOf(record, chain.claim) && record.options.steps === steps;
  const states = chain.states.map(({ step }) => step).join();
  if (!same || states !== stateSteps(chain.every, steps).join()) {
    throw new DataError('verify', 'chain.json is not that of run.json: the result was put together from several runs.');
  }
  const other = expected && differenceOf(expected, record);
  if (!other) return { record, chain };
  const what = other.path.startsWith('data.') ? 'it was trained on other data' : `${other.path} is ${other.is}`;
  const asked = other.path.startsWith('data.') ? '' : `, and ${other.was} was asked for`;
  throw new DataError('verify', `the run is not the one that was asked for: ${what}${asked}.`);
}

async function assertFinalWeights(store: FileSource, { weights }: Chain): Promise<void> {
  for (const [path, claimed] of Object.entries(weights)) {
    const found = (await store.exists(path)) && (await sha256(await store.read(path)));
    if (found === claimed) continue;
    throw new DataError('verify', `${JSON.stringify(path)} is not the file that the chain commits to.`);
  }
}

/** Whether each bit is to be the same: all of the segment was computed by the same program on an adapter like this one. */
function isExact({ claim: { versions, adapters } }: Chain, { from, to }: Segment, device: Device): boolean {
  const used = adapters.filter(({ fromStep }, i) => fromStep < to && (adapters[i + 1]?.fromStep ?? to) > from);
  const alike = used.length > 0 && used.every(({ fingerprint }) => fingerprint === device.info.fingerprint);
  return alike && versions['@paris/trainer'] === version;
}

/** Whether the same table chose the kernels, or none: other kernels add in another order. */
async function isTunedAlike(store: FileSource, { adapter }: Device): Promise<boolean> {
  const own = adapter.tuning && encodeJson(adapter.tuning);
  const theirs = (await store.exists(TUNING_FILE)) ? await store.read(TUNING_FILE) : undefined;
  return (
    own === theirs || (own !== undefined && theirs !== undefined && (await sha256(own)) === (await sha256(theirs)))
  );
}

/** @returns the drift: 0 where the bits are the same, Infinity where they should be and are not */
async function replayed(
  on: { job: TrainingJob<State>; store: FileSource; chain: Chain },
  recipe: Recipe,
  segment: Segment,
  how: { exact: boolean; onStep?: (() => void) | undefined; signal?: AbortSignal | undefined },
): Promise<number> {
  const { job, store, chain } = on;
  const before = await stateBefore(on, segment);
  const start = how.exact ? undefined : await tensorsOf(await job.snapshot(before));
  const after = await replay(job, before, segment, how);
  try {
    if (await endsAlike({ job, chain }, after, segment)) return 0;
    if (!start) return Number.POSITIVE_INFINITY;
    const end = await tensorsOf(await job.snapshot(after));
    const claimed = chain.states[segment.index];
    if (claimed) return driftOf(start, await readSafetensors(store, statePath(claimed.step)), end);
    return Math.max(...(await finalDrifts(store, recipe, start, end)));
  } finally {
    job.release(after);
  }
}

/** Of the last segment there are the weights alone: of each moving average, or of the parameters where there is none. */
async function finalDrifts(store: FileSource, { training }: Recipe, start: Tensors, end: Tensors): Promise<number[]> {
  const decays = emaDecaysOf(training);
  const files =
    decays.length === 0 ? ['train.params.'] : decays.map((_, i) => (i ? `moreAverages.${i - 1}.` : 'average.'));
  return Promise.all(
    files.map(async (prefix, i) => {
      const file = i === 0 ? WEIGHTS_FILE : averageFile(decays[i]!);
      const claimed = Object.entries(await readSafetensors(store, file)).map(([path, tensor]) => [
        prefix + path,
        tensor,
      ]);
      return driftOf(start, Object.fromEntries(claimed), below(end, prefix));
    }),
  );
}

function below(tensors: Tensors, prefix: string): Tensors {
  return Object.fromEntries(Object.entries(tensors).filter(([path]) => path.startsWith(prefix)));
}

function forged(name: string, { from, to }: Segment, { drift, exact, allowed }: SegmentResult): string {
  const where = `replayed from step ${from}, it does not end at step ${to} where the chain says`;
  const by = exact ? 'bit for bit' : `but ${drift.toPrecision(2)} of the way apart (${allowed} is taken for rounding)`;
  return `${name} was not trained as it says: ${where}, ${by}.`;
}

function inexact({ name }: Recipe, { from, to }: Segment): string {
  const what = `${name} was trained on another adapter or by another version from step ${from} to ${to}`;
  return `${what}, so that its bits cannot be compared. Verify it on the same, or without --exact.`;
}
