// Experts leave a model: which of them saw a source or a licence, and a model without some of them. The bytes of the others stay.
import { type FileSource, type FileStore, printable, sha256, shortList, writeJson } from '@paris/files';
import {
  expertFolder,
  indexPath,
  type ModelFile,
  type ModelIndex,
  presentExperts,
  readModelIndex,
  verifiedStore,
} from '@paris/model';
import { ValueError } from '@paris/tensor';
import { assembledCard, CARD_FILE } from '../card/card.js';
import { readCardCondition } from '../card/condition.js';
import { mayWriteCard } from '../card/own.js';
import { readCluster, readLabelled } from '../data/files.js';
import type { DataItem } from '../data/formats.js';
import { type Items, tallyItems } from '../data/items.js';
import { assertApart } from '../output/apart.js';
import { claimOutput } from '../output/claim.js';
import { modelFolder } from '../output/kinds.js';
import { recoverOutput, replaceOutput } from '../output/replace.js';
import { NOT_STATED } from '../run/data.js';
import { countsText, sumOfExperts } from './learned-from.js';

/** Pictures of one source or of one licence, by the exact text of their records. */
export type Withdrawn = { readonly source: string } | { readonly licence: string };

/** Whether a picture is one of those. */
export function isPicked(item: DataItem, pick: Withdrawn): boolean {
  return 'source' in pick ? item.source === pick.source : (item.licence ?? NOT_STATED) === pick.licence;
}

/** How many of the picked pictures each network learned from; networks that saw none are not listed. */
export interface Sightings {
  /** By cluster, ascending. */
  readonly experts: ReadonlyMap<number, number>;
  readonly router: number;
}

/**
 * Which networks of a model saw pictures of a source or of a licence: by the model's index, or by the records of the data that they
 * were trained on.
 * @param data - the data folder; needed where the index does not list what is asked for
 * @throws ValueError if nothing saw it, which lists what was seen, or if only the data would tell; CheckpointError if the model or the
 *   data cannot be read
 */
export async function whoSaw(model: FileSource, pick: Withdrawn, data?: FileSource): Promise<Sightings> {
  const index = await readModelIndex(model, 'the folder');
  const names = new Set<string>();
  const experts = new Map<number, number>();
  const of = async (folder: string, items: () => Promise<Items>): Promise<number> => {
    const counts = data ? await counted(await items(), pick) : listed(index, folder, pick);
    for (const name of Object.keys(counts)) names.add(name);
    const wanted = 'source' in pick ? pick.source : pick.licence;
    return Object.hasOwn(counts, wanted) ? counts[wanted]! : 0;
  };
  for (const k of presentExperts(index)) {
    const count = await of(expertFolder(k), async () => (await readCluster(data!, k)).items);
    if (count > 0) experts.set(k, count);
  }
  const hasRouter = index.clusters > 1;
  const router = hasRouter ? await of('router', async () => (await readLabelled(data!, 'router')).items) : 0;
  if (experts.size > 0 || router > 0) return { experts, router };
  const [kind, wanted] = 'source' in pick ? ['source', pick.source] : ['licence', pick.licence];
  const known = names.size === 0 ? 'none' : shortList([...names].sort().map(printable));
  throw new ValueError('withdraw', `no network saw the ${kind} "${printable(wanted)}". Their ${kind}s are: ${known}.`);
}

function counted(items: Items, pick: Withdrawn): Promise<Record<string, number>> {
  return tallyItems(items, ({ source, licence = NOT_STATED }) => ('source' in pick ? source : licence));
}

function listed({ learnedFrom = {} }: ModelIndex, folder: string, pick: Withdrawn): Readonly<Record<string, number>> {
  const own = Object.hasOwn(learnedFrom, folder) ? learnedFrom[folder] : undefined;
  const counts = 'source' in pick ? own?.sources : own?.licences;
  if (counts) return counts;
  const what = `the model does not list the ${'source' in pick ? 'sources' : 'licences'} of ${folder}`;
  throw new ValueError('withdraw', `${what}. Give the data that it was trained on: --data FOLDER.`);
}

/** Which experts leave which model. */
export interface WithdrawOptions {
  readonly model: FileStore;
  readonly experts: readonly number[];
  /** Where the model without them goes. Default: in place. */
  readonly out?: FileStore | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A model without some of its experts. All other weights keep their bytes; the router's probability of what is absent goes to the
 * others when it samples. In place, files change places by renames alone; what an interruption left is completed by the same call.
 * @throws ValueError for an expert that is not there, or if none would be left; OutputError if something that we did not write is in
 *   the way; CheckpointError if the model is not sound
 */
export async function withdrawExperts({ model, experts, out, signal }: WithdrawOptions): Promise<ModelIndex> {
  if (out) {
    const inputs = [{ what: 'the model', store: model }];
    await assertApart('withdraw', [{ what: 'the output folder', store: out }], inputs);
  }
  const wasInterrupted = !out && (await recoverOutput(model));
  const index = await readModelIndex(model, 'the folder');
  if (wasInterrupted && experts.every((k) => index.absent?.includes(k))) return index; // the first call had come so far
  const left = without(index, experts);
  const card = assembledCard(left, await readCardCondition(model, left));
  if (!out) {
    const folders = experts.map(expertFolder);
    const writesCard = await mayWriteCard(model);
    const replaced = { parts: [...folders, ...(writesCard ? [CARD_FILE] : [])], last: indexPath };
    return replaceOutput(model, modelFolder, replaced, 'withdraw', (store) =>
      writeIndexAndCard(store, left, writesCard && card),
    );
  }
  await recoverOutput(out);
  await claimOutput(out, modelFolder, 'withdraw');
  const writesCard = await mayWriteCard(out);
  const { parts, index: last } = modelFolder;
  const replaced = { parts: [...parts, ...(writesCard ? [CARD_FILE] : [])], last };
  const files = verifiedStore(model, index);
  return replaceOutput(out, modelFolder, replaced, 'withdraw', async (store) => {
    for (const { path } of left.files) {
      signal?.throwIfAborted();
      if (path !== CARD_FILE) await store.write(path, await files.read(path));
    }
    return writeIndexAndCard(store, left, writesCard && card);
  });
}

/** The experts that a model has. @throws ValueError if one of those named is not among them */
export function assertPresent(index: ModelIndex, experts: readonly number[]): number[] {
  const present = presentExperts(index);
  const missing = experts.find((k) => !present.includes(k));
  if (missing === undefined) return present;
  throw new ValueError('withdraw', `there is no expert ${missing}. Name some of ${present.join(', ')}.`);
}

/** The index of a model without some experts. */
function without(index: ModelIndex, experts: readonly number[]): ModelIndex {
  const present = assertPresent(index, experts);
  if (experts.length === 0) throw new ValueError('withdraw', 'no expert is named. Name at least one.');
  if (present.every((k) => experts.includes(k))) {
    const what = present.length === 1 ? 'the only expert' : `all ${present.length} experts`;
    throw new ValueError('withdraw', `${what} would leave, and nothing would be left. Train others first.`);
  }
  const gone = new Set(experts.map(expertFolder));
  const isLeft = (path: string) => !gone.has(path.split('/').slice(0, 2).join('/'));
  const learnedFrom =
    index.learnedFrom && Object.fromEntries(Object.entries(index.learnedFrom).filter(([folder]) => isLeft(folder)));
  const { licences, sources } = sumOfExperts({ learnedFrom });
  const { licences: _, sources: __, ...rest } = index.provenance;
  return {
    ...index,
    absent: [...new Set([...(index.absent ?? []), ...experts])].sort((a, b) => a - b),
    provenance: learnedFrom
      ? {
          licences: countsText(licences),
          ...(sources && index.provenance.sources !== undefined && { sources: countsText(sources) }),
          ...rest,
        }
      : index.provenance,
    ...(learnedFrom && { learnedFrom }),
    files: index.files.filter(({ path }) => isLeft(path)),
  };
}

async function writeIndexAndCard(store: FileStore, index: ModelIndex, text: string | false): Promise<ModelIndex> {
  const others = index.files.filter(({ path }) => path !== CARD_FILE);
  const files: ModelFile[] = [...others];
  if (text !== false) {
    const card = new TextEncoder().encode(text);
    await store.write(CARD_FILE, card);
    files.push({ path: CARD_FILE, sizeBytes: card.length, sha256: await sha256(card) });
    files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }
  const { format, version, clusters, absent, ...rest } = index;
  const written: ModelIndex = { format, version, clusters, absent, ...rest, files };
  await writeJson(store, indexPath, written);
  return written;
}
