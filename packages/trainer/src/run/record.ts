// run.json: what a run is, so that the same command resumes it and a different one is refused. It names only its own
// cluster: training expert 3 reveals nothing of the others.
import type { FileSource, FileStore } from '@paris/files';
import { checkJson, readJson, writeJson } from '@paris/files';
import * as z from 'zod/mini';
import { type LostShard, lostSchema } from '../data/lost.js';
import { RunError } from '../errors.js';
import type { SavedCheckpoint } from './checkpoint.js';

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Everything that decides the bytes of the weights, apart from the adapter. */
export interface RunIdentity {
  kind: 'expert' | 'router' | 'student' | 'codec';
  /** The cluster of an expert. */
  cluster?: number | undefined;
  options: { [name: string]: Json };
  data: { sha256: string; count: number };
}

/** A checkpoint of a run. */
export interface RunCheckpoint extends SavedCheckpoint {
  /** How long its steps took, in all processes; not known of a run that an older version began, nor said of one that is finished. */
  seconds?: number | undefined;
}

export interface RunRecord extends RunIdentity {
  version: 1;
  status: 'running' | 'finished';
  versions: { [name: string]: string };
  /** The adapters it ran on, each with the step from which on. */
  adapters: { fromStep: number; fingerprint: string; name: string }[];
  /** Files of records that were found damaged, and from which step on it is without them. */
  lost?: LostShard[] | undefined;
  /** The checkpoints on disk, the newest first. */
  checkpoints?: RunCheckpoint[] | undefined;
  /** Of a run that keeps a chain: steps between its states, and, once it is finished, the root (see chain.json). */
  proof?: { every: number; root?: string | undefined } | undefined;
  result?:
    | {
        steps: number;
        /** The mean of the last 64 steps. */
        loss: number;
        /** Of the steps in all processes, but for those that a process made after its last checkpoint before it died. */
        seconds: number;
        imagesPerSecond: number;
        /** Of model.safetensors. */
        sha256: string;
        /** SHA-256 of the files of further moving averages, by path. */
        averages?: { [path: string]: string } | undefined;
      }
    | undefined;
}

export const jsonObject: z.ZodMiniType<{ [name: string]: Json }> = z.record(z.string(), z.json());
const runSchema: z.ZodMiniType<RunRecord> = z.object({
  version: z.literal(1),
  kind: z.enum(['expert', 'router', 'student', 'codec']),
  cluster: z.optional(z.int()),
  status: z.enum(['running', 'finished']),
  options: jsonObject,
  data: z.object({ sha256: z.string(), count: z.int() }),
  versions: z.record(z.string(), z.string()),
  adapters: z.array(z.object({ fromStep: z.int(), fingerprint: z.string(), name: z.string() })),
  lost: z.optional(z.array(lostSchema)),
  checkpoints: z.optional(
    z.array(z.object({ step: z.int(), sizeBytes: z.int(), sha256: z.string(), seconds: z.optional(z.number()) })),
  ),
  proof: z.optional(z.object({ every: z.int().check(z.gte(1)), root: z.optional(z.string()) })),
  result: z.optional(
    z.object({
      steps: z.int(),
      loss: z.number(),
      seconds: z.number(),
      imagesPerSecond: z.number(),
      sha256: z.string(),
      averages: z.optional(z.record(z.string(), z.string())),
    }),
  ),
});

/** The `run.json` of a run folder; undefined where there is none. @throws CheckpointError if it is unsound. */
export async function readRun(store: FileSource): Promise<RunRecord | undefined> {
  return (await store.exists(RUN_FILE)) ? readJson(store, RUN_FILE, runSchema) : undefined;
}

export async function writeRun(store: FileStore, record: RunRecord): Promise<void> {
  // Checked, so that its fields are in one order.
  await writeJson(store, RUN_FILE, checkJson(record, runSchema, { tag: 'readJson', path: RUN_FILE }));
}

/** Whether they decide the same bytes. */
export function isSameRun(a: RunIdentity, b: RunIdentity): boolean {
  return differenceOf(a, b) === undefined;
}

/** The first field in which two differ, with both values as JSON; undefined if they decide the same bytes. */
export function differenceOf(a: RunIdentity, b: RunIdentity): { path: string; was: string; is: string } | undefined {
  return firstDifference(identity(a), identity(b), '');
}

/** @throws RunError that names the first difference, if the run in the folder is not the one asked for. */
export function assertSameRun(found: RunRecord, wanted: RunIdentity, where: string): void {
  const difference = differenceOf(found, wanted);
  if (!difference) return;
  const { path, was, is } = difference;
  const changed = path === 'data.sha256' || path === 'data.count';
  const what = changed ? 'the data in its folder has changed' : `${path} was ${was} and is now ${is}`;
  const old = changed ? 'data' : 'value';
  throw new RunError('train', `${where} holds another run: ${what}. Use the old ${old}, or --fresh to start again.`);
}

export const RUN_FILE = 'run.json';

function identity({ kind, cluster, options, data }: RunIdentity): Json {
  return { kind, cluster: cluster ?? null, options, data };
}

/** The first place at which two values differ, below `path`. */
export function firstDifference(
  was: Json,
  is: Json,
  path: string,
): { path: string; was: string; is: string } | undefined {
  if (isObject(was) && isObject(is)) {
    for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
      const at = path === '' ? key : `${path}.${key}`;
      const found = firstDifference(own(was, key), own(is, key), at);
      if (found) return found;
    }
    return undefined;
  }
  const [a, b] = [JSON.stringify(was), JSON.stringify(is)];
  return a === b ? undefined : { path: path.replace(/^options\./, ''), was: a, is: b };
}

function own(object: { [key: string]: Json }, key: string): Json {
  return Object.hasOwn(object, key) ? (object[key] ?? null) : null;
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value that is an object of fields. */
export function objectOf(value: Json | undefined): { [name: string]: Json } | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}
