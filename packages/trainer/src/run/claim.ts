// Whether a run folder may be written to or moved aside: a run is known by its run.json, and what belongs to it by name.
import { entriesOf, type FileStore, folderStore } from '@paris/files';
import { RunError } from '../errors.js';
import { everythingIn } from '../output/claim.js';
import { sameBytes } from '../same-bytes.js';
import { CHAIN_FILE, STATES_FILE } from './chain.js';
import { RUN_DATA_FILE } from './data.js';
import { LOG_FILE } from './log.js';
import { METRICS_FILE } from './metrics.js';
import { TUNING_FILE } from './names.js';
import { OBSERVED_FILES } from './observer.js';
import { RUN_FILE, readRun } from './record.js';

/** Files that a run writes when it begins, by path. */
export type Companions = { readonly [path: string]: Uint8Array };

export const WEIGHTS_FILE = 'model.safetensors';

/**
 * Does nothing if the folder holds a run, or nothing but what the beginning of this one writes (its process died there).
 * @throws RunError if it holds anything else; CheckpointError for a run.json that is unsound
 */
export async function claimRun(runs: FileStore, name: string, companions: Companions): Promise<void> {
  const store = folderStore(runs, name);
  if (await readRun(store)) return;
  for (const path of await contentsOf(store)) {
    const own = Object.hasOwn(companions, path) ? companions[path] : undefined;
    if (own && sameBytes(own, await store.read(path))) continue;
    const what = `the run's folder ${name} holds ${JSON.stringify(path)} and no ${RUN_FILE}: it is not ours`;
    throw new RunError('train', `${what}. Give another --out.`);
  }
}

/**
 * Moves a run aside, to `name.old` or the next free name.
 * @throws RunError if there is something among its files that is not of a run
 */
export async function moveRunAside(runs: FileStore, name: string, companions: Companions): Promise<void> {
  const store = folderStore(runs, name);
  if (!(await store.exists(RUN_FILE))) return;
  const foreign = (await contentsOf(store)).find((path) => !isOfRun(path, companions));
  if (foreign === undefined) return moveAside(runs, name);
  const what = `${JSON.stringify(foreign)} in ${name} is not of the run, and would be moved aside with it`;
  throw new RunError('train', `${what}. Move it elsewhere first.`);
}

/** Renames the folder `name` to `name.old`, or `name.old-2` and so on; without the folder it does nothing. */
async function moveAside(store: FileStore, name: string): Promise<void> {
  if ((await store.list(name)).length === 0) return;
  let target = `${name}.old`;
  for (let i = 2; (await store.list(target)).length > 0; i++) target = `${name}.old-${i}`;
  await store.move(name, target);
}

const files: ReadonlySet<string> = new Set([
  RUN_FILE,
  RUN_DATA_FILE,
  METRICS_FILE,
  LOG_FILE,
  ...OBSERVED_FILES,
  CHAIN_FILE,
  STATES_FILE,
  TUNING_FILE,
  WEIGHTS_FILE,
  'text/vocabulary.json',
  'partition/partition.json',
  'partition/centroids.safetensors',
]);

export function isOfRun(path: string, companions: Companions = {}): boolean {
  if (files.has(path) || Object.hasOwn(companions, path)) return true;
  return /^(model-ema-[\d.e-]+\.safetensors|(checkpoints|proof)\/(\d{8}\.safetensors)?|samples\/(\d{8}\.png)?)$/.test(
    path,
  );
}

/** All in a run's folder, also what is no file. */
async function contentsOf(store: FileStore): Promise<string[]> {
  return (await Promise.all((await entriesOf(store)).map((name) => everythingIn(store, name)))).flat();
}
