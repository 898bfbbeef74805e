// chain.json: what a worker commits itself to when a run is finished. A list of what the run was (data, options, seed, versions,
// adapters), of the training's state after every so many steps, and of the weights at the end; its Merkle root is one hash. Given
// the root first, nobody can choose afterwards what is looked at, and any one state can be shown without the others.
import { byCodeUnit, type FileSource, type FileStore, readJson, writeJson } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import * as z from 'zod/mini';
import { type LostShard, lostSchema } from '../data/lost.js';
import type { SavedCheckpoint } from './checkpoint.js';
import { merklePath, merkleRoot } from './merkle.js';
import { type Json, jsonObject, type RunIdentity, type RunRecord } from './record.js';

export const CHAIN_FILE = 'chain.json';
/** States on disk while a run is on its way, a line each. */
export const STATES_FILE = 'proof.jsonl';

/** What the run was: all that decides its bytes. Threads and the adapter's name are no part of it. */
export interface ChainClaim extends RunIdentity {
  versions: { [name: string]: string };
  adapters: { fromStep: number; fingerprint: string }[];
  /** Files of records that were left out, see {@link RunRecord}. */
  lost?: LostShard[] | undefined;
}

/** The contents of chain.json. */
export interface Chain {
  version: 1;
  claim: ChainClaim;
  /** Steps between two states. */
  every: number;
  /** The whole state after `every`, 2·`every`, … steps, as far as that is before the end; its file is {@link statePath}. */
  states: SavedCheckpoint[];
  /** SHA-256 of the files of weights at the end, by path. */
  weights: { [path: string]: string };
  /** Merkle root (RFC 6962) of claim, states and weights. */
  root: string;
}

/** Where the state after `step` steps is kept. */
export function statePath(step: number): string {
  return `proof/${String(step).padStart(8, '0')}.safetensors`;
}

/** The steps whose states are in the chain: multiples of `every` before the end. Between two of them is a segment. */
export function stateSteps(every: number, steps: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil(steps / every) - 1) }, (_, i) => (i + 1) * every);
}

/** The chain of a finished run. */
export async function chainOf(record: RunRecord, every: number, states: SavedCheckpoint[]): Promise<Chain> {
  const { kind, cluster, options, data, versions, adapters, lost, result } = record;
  const claim: ChainClaim = {
    ...{ kind, ...(cluster !== undefined && { cluster }), options, data, versions },
    adapters: adapters.map(({ fromStep, fingerprint }) => ({ fromStep, fingerprint })),
    ...(lost?.length && { lost }),
  };
  const weights = { 'model.safetensors': result!.sha256, ...result!.averages };
  const chain: Chain = { version: 1, claim, every, states, weights, root: '' };
  return { ...chain, root: await merkleRoot(entriesOf(chain)) };
}

export async function writeChain(store: FileStore, chain: Chain): Promise<void> {
  await writeJson(store, CHAIN_FILE, chain);
}

/** @throws CheckpointError if there is none, it is unsound, or its root is not that of what it lists */
export async function readChain(store: FileSource): Promise<Chain> {
  if (!(await store.exists(CHAIN_FILE))) {
    throw new CheckpointError(
      'verify',
      `there is no ${CHAIN_FILE}: the run kept no chain. Train it with --prove-every N.`,
    );
  }
  const chain = await readJson(store, CHAIN_FILE, schema);
  const root = await merkleRoot(entriesOf(chain));
  if (root === chain.root) return chain;
  throw new CheckpointError('verify', `${CHAIN_FILE} was changed: its root is not that of what it lists.`);
}

/** What shows the state of one step to somebody who knows the root alone: see `rootByPath`. */
export async function stateProof(
  chain: Chain,
  step: number,
): Promise<{ entry: Uint8Array; index: number; count: number; path: string[] }> {
  const entries = entriesOf(chain);
  const index = 1 + chain.states.findIndex((state) => state.step === step);
  if (index === 0) throw new RangeError(`the chain has no state of step ${step}`);
  return { entry: entries[index]!, index, count: entries.length, path: await merklePath(entries, index) };
}

/** The entries of the tree: JSON with sorted keys and without spaces, UTF-8. */
function entriesOf({ version, claim, every, states, weights }: Omit<Chain, 'root'>): Uint8Array[] {
  const all = [{ version, every, claim }, ...states, { weights }];
  return all.map((entry) => new TextEncoder().encode(JSON.stringify(sorted(entry as unknown as Json))));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.sort(([a], [b]) => byCodeUnit(a, b)).map(([key, field]) => [key, sorted(field)]));
}

const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
export const stateSchema: z.ZodMiniType<SavedCheckpoint> = z.object({
  step: z.int().check(z.gte(1)),
  sizeBytes: z.int().check(z.gte(0)),
  sha256: hash,
});
const schema: z.ZodMiniType<Chain> = z.object({
  version: z.literal(1),
  claim: z.object({
    kind: z.enum(['expert', 'router', 'student', 'codec']),
    cluster: z.optional(z.int()),
    options: jsonObject,
    data: z.object({ sha256: z.string(), count: z.int() }),
    versions: z.record(z.string(), z.string()),
    adapters: z.array(z.object({ fromStep: z.int(), fingerprint: z.string() })),
    lost: z.optional(z.array(lostSchema)),
  }),
  every: z.int().check(z.gte(1)),
  states: z.array(stateSchema),
  weights: z.record(z.string(), hash),
  root: hash,
});
