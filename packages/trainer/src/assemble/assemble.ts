// Finished runs → a model folder. Here the experts meet for the first time.

import { readPartition, writePartition } from '@paris/clustering';
import type { FileSource, FileStore } from '@paris/files';
import { folderStore, writeJson } from '@paris/files';
import { parseSafetensors, writeSafetensors } from '@paris/files/safetensors';
import {
  expertFolder,
  type ModelIndex,
  readVocabulary,
  type Vocabulary,
  writeModelIndex,
  writeVocabulary,
} from '@paris/model';
import { parseRoutingPolicy } from '@paris/router';
import { CheckpointError } from '@paris/tensor';
import { readCluster, readLabelled } from '../data/files.js';
import { RunError } from '../errors.js';
import { assertApart } from '../output/apart.js';
import { claimOutput } from '../output/claim.js';
import { modelFolder } from '../output/kinds.js';
import { recoverOutput, replaceOutput } from '../output/replace.js';
import { partitionHash } from '../partition/partition.js';
import { WEIGHTS_FILE } from '../run/claim.js';
import { type RunData, readRunData } from '../run/data.js';
import { type Json, type RunRecord, readRun } from '../run/record.js';
import { expertRunName } from '../train/expert.js';
import { ROUTER_RUN } from '../train/router.js';

/** Which runs become a model, where, and what its index says. */
export interface AssembleOptions {
  /** Holds `expert-00` …, and `router` where there is more than one expert. */
  runs: FileStore;
  /** The model's folder. An older model in it is replaced when all of the new one is written. */
  out: FileStore;
  /** If given, the runs must have been trained on the folders in it as they are now. */
  data?: FileSource;
  /** Default: the licences of the pictures, joined. */
  licence?: string;
  /** The routing policy where none is given. Default `top2`. */
  routing?: string;
  /** How the weights are written: f16 takes half the space and three digits. Default: as they were trained. */
  weights?: 'f32' | 'f16';
  signal?: AbortSignal | undefined;
}

interface FinishedRun {
  name: string;
  store: FileSource;
  record: RunRecord;
  data: RunData;
  vocabulary: Vocabulary;
}

/**
 * Checks that the runs belong together and copies weights, configurations, vocabulary and partition.
 * @throws OutputError if the output holds something else than a model of ours, or is not apart from the runs and the data;
 *   RunError if a run is missing, unfinished, or was trained with another partition or vocabulary; ValueError if
 *   there is no such routing policy; the signal's reason when it is aborted
 */
export async function assemble(options: AssembleOptions): Promise<ModelIndex> {
  const { runs, out, weights, signal } = options;
  if (options.routing !== undefined) parseRoutingPolicy(options.routing); // every sample of the model would fail
  await assertApart(
    'assemble',
    [{ what: 'the output folder', store: out }],
    [
      { what: 'the folder of runs', store: runs },
      ...(options.data ? [{ what: 'the data folder', store: options.data }] : []),
    ],
  );
  await recoverOutput(out);
  await claimOutput(out, modelFolder, 'assemble');
  const clusters = await clusterCount(runs);
  const experts = await Promise.all(Array.from({ length: clusters }, (_, k) => finishedRun(runs, expertRunName(k))));
  const router = clusters > 1 ? await finishedRun(runs, ROUTER_RUN) : undefined;
  const all = router ? [...experts, router] : experts;
  for (const run of all) assertSamePartition(all[0]!, run);
  if (options.data) await assertTrainedOn(options.data, experts, router);

  const { size, channels } = experts[0]!.data;
  const licences = [...new Set(all.flatMap((run) => Object.keys(run.data.licences)))].sort();
  const description = {
    clusters,
    latent: { channels, height: size, width: size },
    path: samplingPath(experts, router),
    ...(options.routing !== undefined && { routing: options.routing }),
    licence: options.licence ?? licences.join(' AND '),
    provenance: provenanceOf(all),
  };
  const { parts, index: last } = modelFolder;
  return replaceOutput(out, modelFolder, { parts, last }, 'assemble', async (model) => {
    for (const [k, expert] of experts.entries()) {
      signal?.throwIfAborted();
      await copyNetwork(expert, model, expertFolder(k), weights);
    }
    if (router) {
      signal?.throwIfAborted();
      await copyNetwork(router, model, 'router', weights);
      await writePartition(model, 'partition', await readPartition(router.store, 'partition'));
    }
    const { words, maxTokens } = experts[0]!.vocabulary;
    await writeVocabulary(model, words, maxTokens);
    const index = await writeModelIndex(model, description);
    signal?.throwIfAborted();
    return index;
  });
}

/** The path that is sampled on: the router's, for it knows no other; a single expert's own. */
function samplingPath(experts: readonly FinishedRun[], router?: FinishedRun): string {
  const { name, record } = router ?? experts[0]!;
  const path = router ? record.options.path : objectOf(record.options.objective)?.path;
  if (typeof path === 'string') return path;
  throw new CheckpointError('assemble', `${name}/run.json names no noise path.`);
}

/** The number of experts: their runs are numbered from 0 without a gap. */
async function clusterCount(runs: FileStore): Promise<number> {
  const names = new Set((await runs.list()).map((path) => path.split('/')[0]!));
  const numbers = [...names].flatMap((name) => (/^expert-\d{2,}$/.test(name) ? [Number(name.slice(7))] : []));
  if (numbers.length === 0)
    throw new RunError('assemble', 'there is no run of an expert (expert-00, …). Train them first.');
  const count = Math.max(...numbers) + 1;
  const gap = Array.from({ length: count }, (_, k) => k).find((k) => !numbers.includes(k));
  if (gap !== undefined)
    throw new RunError('assemble', `${expertRunName(gap)} is missing. Train it, or copy its folder here.`);
  return count;
}

async function finishedRun(runs: FileStore, name: string): Promise<FinishedRun> {
  const store = folderStore(runs, name);
  const record = await readRun(store);
  if (!record) throw new RunError('assemble', `${name} is missing. Train it, or copy its folder here.`);
  if (record.status !== 'finished')
    throw new RunError('assemble', `${name} is not finished. The same train command goes on.`);
  return { name, store, record, data: await readRunData(store), vocabulary: await readVocabulary(store) };
}

function assertSamePartition(first: FinishedRun, other: FinishedRun): void {
  const differs = (what: string) =>
    new RunError(
      'assemble',
      `${other.name} was trained with another ${what} than ${first.name}. Train it on the same data folder.`,
    );
  if (other.data.partition !== first.data.partition) throw differs('partition');
  if (JSON.stringify(other.vocabulary) !== JSON.stringify(first.vocabulary)) throw differs('vocabulary');
  if (other.data.size !== first.data.size || other.data.channels !== first.data.channels) throw differs('picture size');
}

async function assertTrainedOn(data: FileSource, experts: FinishedRun[], router?: FinishedRun): Promise<void> {
  const check = (run: FinishedRun, sha256: string) => {
    if (run.record.data.sha256 === sha256) return;
    throw new RunError('assemble', `${run.name} was trained on other data than the folder holds now. Train it again.`);
  };
  for (const [k, expert] of experts.entries()) check(expert, (await readCluster(data, k)).sha256);
  if (router) check(router, (await readLabelled(data, 'router')).sha256);
  const partition = router && (await partitionHash(await readPartition(data, 'partition')));
  if (partition && partition !== router.data.partition)
    throw new RunError('assemble', 'the data folder has been partitioned anew. Train again.');
}

async function copyNetwork(
  run: FinishedRun,
  out: FileStore,
  folder: string,
  weights: AssembleOptions['weights'],
): Promise<void> {
  const { architecture } = run.record.options;
  const config = objectOf(run.record.options.config);
  if (!config) throw new CheckpointError('assemble', `${run.name}/run.json has no options.config.`);
  await writeJson(out, `${folder}/config.json`, { architecture, ...config });
  const trained = await run.store.read(WEIGHTS_FILE);
  await out.write(`${folder}/model.safetensors`, weights ? inPrecision(trained, weights) : trained);
}

function objectOf(value: Json | undefined): { [name: string]: Json } | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

/** The same tensors, those of floats in another dtype. */
function inPrecision(file: Uint8Array, dtype: 'f32' | 'f16'): Uint8Array {
  const tensors = Object.entries(parseSafetensors(file)).map(([name, tensor]) => {
    const floats = tensor.dtype === 'f32' || tensor.dtype === 'f16';
    return [name, floats ? { ...tensor, dtype } : tensor] as const;
  });
  return writeSafetensors(Object.fromEntries(tensors));
}

function provenanceOf(runs: readonly FinishedRun[]): { [topic: string]: string } {
  const experts = runs.filter((run) => run.record.kind === 'expert');
  const total = (of: 'licences' | 'sources') => {
    const counts = new Map<string, number>();
    for (const { data } of experts) {
      for (const [name, count] of Object.entries(data[of])) counts.set(name, (counts.get(name) ?? 0) + count);
    }
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} (${count} pictures)`);
  };
  const [licences, sources] = [total('licences'), total('sources')];
  return {
    licences: licences.join(', '),
    ...(sources.length > 0 && sources.length <= 50 && { sources: sources.join(', ') }),
    software: Object.entries(experts[0]!.record.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  };
}
