// Partitioned data folders → one, or one without some of its pictures. No picture changes its cluster: which expert learned it is
// known, and the router must learn the same. A cluster of which nothing came or went keeps its bytes, so its expert still
// belongs to the folder.
import { type Partition, readPartition, writePartition } from '@paris/clustering';
import type { FileSource, FileStore } from '@paris/files';
import {
  clusterFolder,
  hasCluster,
  openManifestFolder,
  readCluster,
  readLabelled,
  type TrainingData,
  writeCluster,
  writeLabelled,
  writeManifest,
} from '../data/files.js';
import {
  type ClusterManifest,
  type DataFormat,
  type DataItem,
  type Described,
  filesOf,
  formatOf,
  type ItemOf,
  type LabelledManifest,
  type Manifest,
} from '../data/formats.js';
import { type Items, joinItems, mapItems, pickItems, rowsWhere } from '../data/items.js';
import { joinRows, pickRows, type Rows } from '../data/rows.js';
import type { WriteOptions } from '../data/shards.js';
import { DataError, OutputError } from '../errors.js';
import { assertApart } from '../output/apart.js';
import { claimOutput } from '../output/claim.js';
import { dataFolder } from '../output/kinds.js';
import { recoverOutput, replaceOutput } from '../output/replace.js';
import { lineageOf } from '../partition/lineage.js';
import { partitionHash, partitionIn } from '../partition/partition.js';

/** Which folders become one, and which of their pictures stay. */
export interface JoinOptions {
  /** Partitioned data folders: of one partition, or of one and what it grew to. */
  readonly data: readonly FileSource[];
  /** The data folder to write. */
  readonly out: FileStore;
  /** Which pictures stay. Default: all. */
  readonly keep?: ((item: DataItem) => boolean) | undefined;
  /** Bytes of records in one file at most, but in clusters that stay as they are. Default 64 MiB. */
  readonly shardBytes?: number | undefined;
  /**
   * Pictures, by id, of clusters whose experts were withdrawn, each with the cluster as whose picture the router learns it from now
   * on. No cluster's folder has them: no expert is trained on them. See `handOverClusters`.
   */
  readonly moved?: ReadonlyMap<string, number> | undefined;
  /** Whether clusters of another partition in `out` may go. Default false. */
  readonly fresh?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a joined folder holds. */
export interface Joined {
  readonly pictures: number;
  readonly clusters: number;
  /** Pictures left out, also those of whose name an earlier folder has one. */
  readonly left: number;
  /** Clusters whose folder is the same, byte for byte. */
  readonly untouched: readonly number[];
}

/**
 * Writes partitioned data folders as one, with all clusters of the partition that grew furthest.
 * @throws DataError if they are of different sizes or vocabularies, or of partitions that do not belong together; CheckpointError
 *   if one is not partitioned; OutputError if something that we did not write, or clusters of another partition, are in the way
 */
export async function joinData(options: JoinOptions): Promise<Joined> {
  const { data, out, keep = () => true, moved = new Map(), shardBytes, signal } = options;
  const inputs = data.map((store, i) => ({ what: `data folder ${i + 1}`, store }));
  await assertApart('join', [{ what: 'the output folder', store: out }], inputs);
  await recoverOutput(out);
  await claimOutput(out, dataFolder, 'join');
  if (data.length === 0) throw new DataError('join', 'there is no data folder. Give at least one.');
  const partition = await commonPartition(data);
  if (!options.fresh) await assertNoOthers(out, partition);
  const folders = await Promise.all(data.map(openManifestFolder));
  assertOneFormat(folders.map(({ manifest }) => manifest));
  const chosen = chooser(keep, data.length);
  const how = { shardBytes, signal };
  // A cluster that borrowed a picture keeps it: its expert learned it.
  const inClusters: Chosen = (item, part) => chosen(item, part) && (!moved.has(item.id) || 'outOfCluster' in item);
  const given = folders.reduce((sum, { manifest }) => sum + manifest.count, 0);
  const { parts, index: last } = dataFolder;
  return replaceOutput(out, dataFolder, { parts, last }, 'join', async (folder) => {
    const manifest = await joinManifest(folder, folders, chosen, how);
    const common = { ...formatOf(manifest), version: 1 as const, seed: partition.seed };
    const hash = await partitionHash(partition);
    const untouched: number[] = [];
    for (let cluster = 0; cluster < partition.clusters; cluster++) {
      signal?.throwIfAborted();
      const same = await joinCluster(folder, data, { ...common, cluster, partition: hash }, inClusters, how);
      if (same) untouched.push(cluster);
    }
    for (const name of ['router', 'test'] as const) {
      const of = await Promise.all(data.map((store) => readLabelled(store, name)));
      const { items: old, rows } = await joined<LabelledManifest>(of, common, chosen);
      const items = mapItems(old, (item) => ({ ...item, cluster: moved.get(item.id) ?? item.cluster }));
      const labelled = { ...common, partition: hash, clusters: partition.clusters, count: items.count, items };
      await writeLabelled(folder, name, labelled, rows, how);
    }
    await writePartition(folder, 'partition', partition);
    return { pictures: manifest.count, clusters: partition.clusters, left: given - manifest.count, untouched };
  });
}

/** Of pictures of one name, that of the earlier folder counts. */
function chooser(keep: (item: DataItem) => boolean, folders: number): Chosen {
  if (folders === 1) return keep;
  const owner = new Map<string, number>();
  return (item, part) => {
    if (!owner.has(item.id)) owner.set(item.id, part);
    return owner.get(item.id) === part && keep(item);
  };
}

type Chosen = (item: DataItem, part: number) => boolean;

/** The partition that grew furthest. @throws DataError if another one did not become it */
async function commonPartition(data: readonly FileSource[]): Promise<Partition> {
  const all = await Promise.all(data.map((store, i) => partitionIn(store, `data folder ${i + 1}`, 'join')));
  const last = all.reduce((most, each) => (each.clusters > most.clusters ? each : most));
  const known = new Set((await lineageOf(last)).map(({ hash }) => hash));
  for (const [i, each] of all.entries()) {
    if (known.has(await partitionHash(each))) continue;
    const what = `data folder ${i + 1} has another partition than the others`;
    throw new DataError('join', `${what}. Partition it like them: paris partition FOLDER --like DATA.`);
  }
  return last;
}

/** @throws OutputError if there are clusters that are neither of this partition nor of one that it grew from */
async function assertNoOthers(out: FileStore, partition: Partition): Promise<void> {
  const there = await readPartition(out, 'partition').catch(() => undefined);
  if (!there) return;
  const hash = await partitionHash(there);
  if ((await lineageOf(partition)).some((known) => known.hash === hash)) return;
  const what = 'the output folder has clusters of another partition, which would be removed';
  throw new OutputError('join', `${what}. Give another folder.`);
}

function assertOneFormat(manifests: readonly Manifest[]): void {
  const form = (manifest: Manifest) => JSON.stringify(formatOf(manifest));
  const other = manifests.findIndex((manifest) => form(manifest) !== form(manifests[0]!));
  if (other < 1) return;
  const what = `data folder ${other + 1} has pictures of another size or another vocabulary than the first`;
  throw new DataError('join', `${what}. Prepare it like that: paris prepare PICTURES --like DATA.`);
}

async function joinManifest(
  out: FileStore,
  folders: readonly Awaited<ReturnType<typeof openManifestFolder>>[],
  chosen: Chosen,
  how: WriteOptions,
): Promise<Manifest> {
  const [first] = folders;
  const { items, rows } = await joined<Manifest>(folders, first!.manifest, chosen);
  const sets = folders.flatMap(({ manifest }) => manifest.nearCopies ?? []);
  const named = new Set(sets.flat());
  const ids = new Set<string>();
  for await (const { id } of items) if (named.has(id)) ids.add(id);
  const nearCopies = sets.map((set) => set.filter((id) => ids.has(id))).filter((set) => set.length > 1);
  const { nearCopies: _, shards: __, itemFiles: ___, ...rest } = first!.manifest;
  const skipped = folders.flatMap(({ manifest }) => manifest.skipped);
  const manifest = { ...rest, count: items.count, items, skipped, ...(nearCopies.length > 0 && { nearCopies }) };
  return writeManifest(out, manifest, rows, how);
}

/** @returns whether the folder is, byte for byte, that of one part */
async function joinCluster(
  out: FileStore,
  data: readonly FileSource[],
  description: DataFormat & Pick<ClusterManifest, 'version' | 'cluster' | 'seed' | 'partition'>,
  chosen: Chosen,
  how: WriteOptions,
): Promise<boolean> {
  const { cluster } = description;
  const of: { store: FileSource; part: number; data: TrainingData<ClusterManifest>; isWhole: boolean }[] = [];
  for (const [part, store] of data.entries()) {
    if (!(await hasCluster(store, cluster))) continue;
    const found = await readCluster(store, cluster, { mayBeEmpty: true });
    const kept = await rowsWhere(found.items, (item) => chosen(item, part));
    if (kept.length > 0) of.push({ store, part, data: found, isWhole: kept.length === found.manifest.count });
  }
  const [only, ...others] = of;
  if (only?.isWhole && others.length === 0) {
    for (const name of [...filesOf(only.data.manifest), 'cluster.json']) {
      const path = `${clusterFolder(cluster)}/${name}`;
      await out.write(path, await only.store.read(path));
    }
    return true;
  }
  const sources = data.map((_, part) => of.find((each) => each.part === part)?.data);
  const { items, rows } = await joined<ClusterManifest>(sources, description, chosen);
  const outOfCluster = Math.max(0, ...of.map((each) => each.data.manifest.outOfCluster));
  await writeCluster(out, { ...description, count: items.count, outOfCluster, items }, rows, how);
  return false;
}

/** The chosen items of all parts, and their records. */
async function joined<M extends Described>(
  parts: readonly (Pick<TrainingData<M>, 'manifest' | 'rows' | 'items'> | undefined)[],
  format: DataFormat,
  chosen: Chosen,
): Promise<{ items: Items<ItemOf<M>>; rows: Rows }> {
  const items: Items<ItemOf<M>>[] = [];
  const pieces: Rows[] = [];
  for (const [part, source] of parts.entries()) {
    if (!source) continue;
    const { manifest, rows } = source;
    const kept = await rowsWhere(source.items, (item) => chosen(item, part));
    items.push(pickItems(source.items, kept));
    pieces.push(pickRows(rows, manifest, kept));
  }
  return { items: joinItems(items), rows: joinRows(pieces, format) };
}
