// What every expert must pass before it becomes part of a model, without being trained again: its weights are numbers of the right
// names and shapes, it is no copy of another one, and it predicts held-out pictures of its own cluster, which its worker never
// had, better than its initial weights do and better than the experts of other clusters.
import { dit, facebookLayout, pixartLayout } from '@paris/dit';
import { type FileSource, onlyFolder } from '@paris/files';
import { type Architecture, type Expert, type NoisePath, type Params, toFlat, toTree } from '@paris/model';
import { type Device, type Key, key, type TensorKey } from '@paris/tensor';
import { initKey, runKey } from '../data/batches.js';
import { readLabelled } from '../data/files.js';
import { spread } from '../data/rows.js';
import { DataError } from '../errors.js';
import { byTime, type Losses, pairedDifference } from '../evaluate/arms.js';
import type { Estimate } from '../evaluate/evaluation.js';
import { measure } from '../evaluate/measure.js';
import { mean } from '../mean.js';
import { differenceOf, type Json, type RunRecord } from '../run/record.js';
import { conditionOfRun } from '../train/conditions.js';
import { type InitialWeights, readInitialWeights } from '../train/initial.js';
import { upload } from '../train/step.js';
import { chosen, type HeldOut } from '../train/validation.js';
import { distance, type ExpectedEffect, expectedEffects, type TrainingEffect } from './effect.js';
import { likeness, readSoundWeights, type Sketch, sketchOf, type Weights } from './weights.js';

/** With what experts are judged. */
export interface GateOptions {
  device: Device;
  /** A data folder. `test` of it is opened: the held-out pictures of all clusters. */
  data: FileSource;
  /** At most so many pictures of each cluster. Default 16. */
  pictures?: number | undefined;
  /** Architectures of experts besides `dit`. Experts of others are looked at, and not run. */
  architectures?: readonly Architecture<Expert>[] | undefined;
  /** Noise paths besides the built-in ones. */
  paths?: readonly NoisePath[] | undefined;
  /** The file of weights that experts started from, where they did: without it they are not compared with their initial weights. */
  initial?: InitialWeights | undefined;
  /** Called after each expert. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  /** Called with what was found, before anybody is refused. */
  onReport?: ((report: readonly GateReport[]) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** An expert that wants to be part of a model. */
export interface Candidate {
  name: string;
  store: FileSource;
  /** The file of its weights. */
  file: string;
  record: RunRecord;
}

/** What was found of one expert, on held-out pictures of its own cluster: losses of the velocity, means over noise levels. */
export interface GateReport {
  name: string;
  cluster: number;
  /** Held-out pictures of its cluster. */
  pictures: number;
  /** The noise levels, and its loss at each. */
  levels: { time: number; loss: number; initial?: number | undefined; others?: number | undefined }[];
  /** How much lower its loss is than with its initial weights. */
  gain?: Estimate | undefined;
  /** How much lower its loss is than that of the experts of other clusters, on average. */
  lead?: Estimate | undefined;
  /** The other expert whose weights are most like its own, from 0 to 1 (a copy). */
  nearest?: { name: string; likeness: number } | undefined;
  /** How far it came from its initial weights, and how far those are that were trained alike. */
  effect?: TrainingEffect | undefined;
  expected?: ExpectedEffect | undefined;
  /** Why it was not run, or not compared with its initial weights. */
  unjudged?: string | undefined;
}

/** From here on two experts are one and its copy. */
export const copyLikeness = 0.5;
/** An expert's weights move at least this share of what those of the experts moved that were trained alike. */
const leastMoved = 0.6;
/** And it learns at least this share of what those did; clusters differ more in that. */
const leastLearned = 0.5;
/** With fewer held-out pictures of a cluster nothing can be said. */
const fewestPictures = 4;
/** Standard errors by which a gain must exceed zero. */
const standardErrors = 2;

/**
 * Does nothing if all experts pass.
 * @param path - the noise path that the model is sampled on
 * @throws DataError with one sentence that names the expert and the reason; CheckpointError for what is no file of weights
 */
export async function passGate(candidates: readonly Candidate[], path: string, options: GateOptions): Promise<void> {
  const report = await examine(candidates, path, options);
  options.onReport?.(report);
  // Of two that are alike, the copy is that which does worse.
  const worstFirst = [...report].sort((a, b) => leadOf(a) - leadOf(b));
  for (const found of worstFirst) {
    const reason = refusal(found, candidates);
    if (reason !== undefined) throw new DataError('assemble', `${found.name} is refused: ${reason}.`);
  }
}

/** Why an expert may not pass; undefined if it may. */
export function refusal(
  found: GateReport,
  candidates: readonly Pick<Candidate, 'name' | 'record'>[],
): string | undefined {
  const { name, nearest, gain, lead, pictures, levels, effect, expected } = found;
  const start = (of: string) => candidates.find((each) => each.name === of)?.record.options.initial ?? null;
  const related =
    nearest && start(name) !== null && JSON.stringify(start(name)) === JSON.stringify(start(nearest.name));
  if (nearest && nearest.likeness > (related ? 1 - 1e-9 : copyLikeness)) {
    const which =
      nearest.likeness > 1 - 1e-9 ? 'a copy' : `a copy, with changes (likeness ${nearest.likeness.toFixed(2)})`;
    return `its weights are ${which} of those of ${nearest.name}, or the other way round`;
  }
  const own = mean(levels.map(({ loss }) => loss));
  const on = `${pictures} held-out pictures of its cluster`;
  if (gain && !isClear(gain)) {
    const initial = mean(levels.map((level) => level.initial!));
    return `it predicts ${on} no better than its initial weights do (loss ${own.toFixed(3)}, and ${initial.toFixed(3)} with these)`;
  }
  const lazy = effect && expected && shortfall(effect, expected);
  if (lazy !== undefined) return lazy;
  if (lead && !isClear(lead)) {
    const others = mean(levels.map((level) => level.others!));
    return `it predicts ${on} no better than the experts of other clusters do (loss ${own.toFixed(3)}, and ${others.toFixed(3)} on average)`;
  }
  return undefined;
}

/** Why an expert cannot have made the steps that it says. */
function shortfall(effect: TrainingEffect, { experts, steps, ...expected }: ExpectedEffect): string | undefined {
  const than = `${experts} experts that were trained alike, for ${steps} steps each`;
  const percent = (share: number) => `${Math.floor(100 * share)} %`;
  const moved = effect.moved / expected.moved;
  if (moved < leastMoved) {
    return `its weights moved ${percent(moved)} of the distance that is usual for ${than}: it made fewer, or others`;
  }
  if (effect.learned === undefined || expected.learned === undefined) return undefined;
  const learned = effect.learned / expected.learned;
  if (learned >= leastLearned) return undefined;
  return `it learned ${percent(learned)} of what is usual for ${than} (ln of initial loss / loss): it made fewer, or others`;
}

function leadOf({ lead }: GateReport): number {
  return lead ? lead.mean : Number.MAX_VALUE;
}

function isClear({ mean, standardError }: Estimate): boolean {
  return mean > standardErrors * standardError;
}

/** What there is to know of all experts. @throws as {@link passGate} does, for weights that are unsound */
async function examine(candidates: readonly Candidate[], path: string, options: GateOptions): Promise<GateReport[]> {
  const { data, pictures: most = 16, onProgress, signal } = options;
  const heldOut = await readHeldOut(data, most);
  const labels = heldOut?.labels ?? new Uint32Array(0);
  const losses: (Measured | undefined)[] = [];
  const moved: (number | undefined)[] = [];
  const unknown: (string | undefined)[] = [];
  const sketches: Sketch[] = [];
  for (const [k, candidate] of candidates.entries()) {
    signal?.throwIfAborted();
    const network = networkOf(candidate, options);
    const weights = await readSoundWeights(candidate, network);
    sketches.push(sketchOf(weights));
    const start = network && (await initialOf(candidate, network, options));
    const initial = typeof start === 'string' ? undefined : start;
    unknown.push(typeof start === 'string' ? start : undefined);
    moved.push(initial && (await distanceFrom(weights, initial)));
    losses.push(heldOut && network && (await measured(candidate, network, [weights, initial], heldOut, path, options)));
    for (const tensor of Object.values(initial ?? {})) tensor.dispose();
    onProgress?.(k + 1, candidates.length);
  }
  const reports = candidates.map((candidate, k): GateReport => {
    const cluster = candidate.record.cluster ?? k;
    const rows = [...labels.keys()].filter((row) => labels[row] === cluster);
    const report = {
      ...(unknown[k] !== undefined && { unjudged: unknown[k] }),
      ...reportOf(candidate.name, cluster, rows, losses, k),
      ...nearestOf(k, candidates, sketches),
    };
    return { ...report, ...(moved[k] !== undefined && { effect: { moved: moved[k], learned: learnedOf(report) } }) };
  });
  const expected = expectedEffects(reports.map(({ effect }, k) => ({ record: candidates[k]!.record, effect })));
  return reports.map((report, k) => ({ ...report, ...(expected[k] && { expected: expected[k] }) }));
}

/** ln(loss of the initial weights / its own), over all noise levels. */
function learnedOf({ levels }: GateReport): number | undefined {
  const initial = levels.flatMap((level) => level.initial ?? []);
  if (initial.length === 0) return undefined;
  return Math.log(mean(initial) / mean(levels.map(({ loss }) => loss)));
}

/** The weights that its training began with, by its seed and the file that it started from; or why they are not known. */
async function initialOf(
  { record }: Candidate,
  network: Expert,
  { device, initial: file }: GateOptions,
): Promise<Params | string> {
  const { initial: recorded, seed } = record.options;
  const isDrawn = recorded === null || recorded === undefined;
  if (!isDrawn && !file) return 'the file of weights that it started from was not given';
  const start = isDrawn
    ? undefined
    : await readInitialWeights(toFlat(network.init(key(0))), asRecorded(recorded, file!));
  if (start && differenceOf(record, { ...record, options: { ...record.options, initial: start.identity } })) {
    return 'it started from another file of weights than the one that was given';
  }
  const draw = device.compile((from: TensorKey): Params => toFlat(network.init(from)));
  const run = runKey(typeof seed === 'number' ? seed : 0, record.cluster ?? 0);
  const drawn = await draw(initKey(run));
  const taken = start && upload(device, start.initial);
  for (const path of Object.keys(taken ?? {})) drawn[path]!.dispose();
  return { ...drawn, ...taken };
}

/** The file with the layout and the groups that the run says, where they are not given: both decide which run it is. */
function asRecorded(recorded: Json, file: InitialWeights): InitialWeights {
  const { layout, remake } = recorded as { layout?: Json; remake?: Json };
  const known = [facebookLayout, pixartLayout].find(({ name }) => name === layout);
  return { ...(known && { layout: known }), ...(Array.isArray(remake) && { remake: remake.map(String) }), ...file };
}

async function distanceFrom(weights: Weights, initial: Params): Promise<number> {
  const read = Object.entries(initial).map(async ([path, tensor]) => [path, await tensor.read()] as const);
  return distance(weights, Object.fromEntries(await Promise.all(read)) as { [path: string]: Float32Array });
}

/** Losses, [T, N], of an expert and of its initial weights on all pictures that were chosen. */
interface Measured {
  own: Losses;
  initial: Losses | undefined;
}

const times = [0.125, 0.375, 0.625, 0.875];
/** Of all measurements, so that experts and gates can be compared. */
const noise: Key = key(0x67617465);

async function measured(
  { record }: Candidate,
  network: Expert,
  [weights, initial]: readonly [Weights, Params | undefined],
  heldOut: HeldOut,
  path: string,
  { device, paths = [], signal }: GateOptions,
): Promise<Measured> {
  const own = upload(device, weights as Parameters<typeof upload>[1]);
  try {
    const experts = [own, ...(initial ? [initial] : [])].map((params) => ({ expert: network, params: toTree(params) }));
    const model = { experts, router: undefined, paths, index: { path } };
    const { count } = heldOut.manifest;
    const { gram } = await measure({
      ...{ device, model, condition: conditionOfRun(record) },
      data: heldOut,
      times,
      noise,
      batchSize: Math.min(16, count),
      signal,
    });
    const n = experts.length;
    const diagonal = (j: number) =>
      Float64Array.from({ length: times.length * count }, (_, i) => gram[n * n * i + (n + 1) * j]!);
    return { own: diagonal(0), initial: initial && diagonal(1) };
  } finally {
    for (const tensor of Object.values(own)) tensor.dispose();
  }
}

function reportOf(
  name: string,
  cluster: number,
  rows: readonly number[],
  losses: readonly (Measured | undefined)[],
  k: number,
): GateReport {
  const measured = losses[k];
  const none = { name, cluster, pictures: rows.length, levels: [] };
  if (!measured) return { ...none, unjudged: 'there are no held-out pictures, or its architecture is not known here' };
  if (rows.length < fewestPictures) return { ...none, unjudged: `${rows.length} held-out pictures are too few` };
  const count = measured.own.length / times.length;
  const select = (all: Losses): Losses =>
    Float64Array.from({ length: times.length * rows.length }, (_, i) => {
      return all[Math.floor(i / rows.length) * count + rows[i % rows.length]!]!;
    });
  const [own, initial] = [select(measured.own), measured.initial && select(measured.initial)];
  const rest = losses.flatMap((each, j) => (each && j !== k ? [select(each.own)] : []));
  const others = rest.length > 0 ? own.map((_, i) => mean(rest.map((each) => each[i]!))) : undefined;
  const [byLevel, initialByLevel] = [byTime(own, rows.length), initial && byTime(initial, rows.length)];
  const othersByLevel = others && byTime(others, rows.length);
  return {
    ...none,
    levels: times.map((time, t) => ({
      time,
      loss: byLevel[t]!,
      ...(initialByLevel && { initial: initialByLevel[t]! }),
      ...(othersByLevel && { others: othersByLevel[t]! }),
    })),
    ...(initial && { gain: pairedDifference(initial, own, rows.length) }),
    ...(others && { lead: pairedDifference(others, own, rows.length) }),
  };
}

function nearestOf(
  k: number,
  candidates: readonly Candidate[],
  sketches: readonly Sketch[],
): Pick<GateReport, 'nearest'> {
  const others = candidates.flatMap(({ name }, j) => {
    return j === k ? [] : [{ name, likeness: likeness(sketches[k]!, sketches[j]!) }];
  });
  const [nearest] = others.sort((a, b) => b.likeness - a.likeness);
  return nearest ? { nearest } : {};
}

/** Undefined where the architecture is not known here. */
function networkOf({ record }: Candidate, { architectures = [] }: GateOptions): Expert | undefined {
  const { architecture, config } = record.options;
  return [dit, ...architectures].find((known) => known.architecture === architecture)?.fromConfig(config);
}

/** Some held-out pictures of each cluster; undefined where none is held out. */
async function readHeldOut(data: FileSource, most: number): Promise<HeldOut | undefined> {
  if (!(await data.exists('test/test.json'))) return undefined;
  const heldOut = await readLabelled(onlyFolder(data, 'test'), 'test');
  const rows = [...heldOut.labels.keys()];
  const clusters = [...new Set(heldOut.labels)].sort((a, b) => a - b);
  const some = clusters.flatMap((cluster) =>
    spread(
      rows.filter((row) => heldOut.labels[row] === cluster),
      most,
    ),
  );
  return some.length > 0 ? chosen(heldOut, some) : undefined;
}
