// Whether finished runs belong to one model: the same pictures, the same words, one partition or what it grew from.
import { type Partition, readPartition } from '@paris/clustering';
import type { FileSource } from '@paris/files';
import type { Vocabulary } from '@paris/model';
import { readCluster, readLabelled } from '../data/files.js';
import { RunError } from '../errors.js';
import { lineageOf } from '../partition/lineage.js';
import { partitionHash } from '../partition/partition.js';
import type { RunData } from '../run/data.js';
import type { RunRecord } from '../run/record.js';

/** A run that a model is made from. */
export interface FinishedRun {
  name: string;
  /** Which expert it becomes; 0 for the router. */
  cluster: number;
  store: FileSource;
  record: RunRecord;
  data: RunData;
  vocabulary: Vocabulary;
}

/** @throws RunError that names the run that does not belong to the first one, or to the router's partition */
export async function assertBelong(
  experts: readonly FinishedRun[],
  router: FinishedRun | undefined,
  partition: Partition | undefined,
): Promise<void> {
  const all = router ? [...experts, router] : experts;
  const lineage = partition ? await lineageOf(partition) : [];
  for (const run of all) assertSameForm(all[0]!, run);
  for (const run of router ? experts : []) {
    if (run.record.cluster !== run.cluster) {
      const what = `${run.name} is the run of cluster ${run.record.cluster}`;
      throw new RunError('assemble', `${what}. Put the run of cluster ${run.cluster} there.`);
    }
    const grownFrom = lineage.some(({ clusters, hash }) => hash === run.data.partition && clusters > run.cluster);
    if (!grownFrom) throw differs(run, router!, 'partition');
  }
}

function assertSameForm(first: FinishedRun, other: FinishedRun): void {
  if (JSON.stringify(other.vocabulary) !== JSON.stringify(first.vocabulary)) throw differs(other, first, 'vocabulary');
  if (other.data.size !== first.data.size || other.data.channels !== first.data.channels) {
    throw differs(other, first, 'picture size');
  }
  const names = { latents: 'codec', text: 'text encoder', classes: 'list of classes' } as const;
  for (const [key, name] of Object.entries(names)) {
    const [a, b] = [first, other].map(({ data }) => JSON.stringify(data[key as keyof typeof names]));
    if (a !== b) throw differs(other, first, name);
  }
}

function differs(run: FinishedRun, other: FinishedRun, what: string): RunError {
  return new RunError(
    'assemble',
    `${run.name} was trained with another ${what} than ${other.name}. Train it on the same data folder.`,
  );
}

/** @throws RunError if a run was trained on other data than the folder holds now */
export async function assertTrainedOn(
  data: FileSource,
  experts: readonly FinishedRun[],
  router?: FinishedRun,
): Promise<void> {
  const check = (run: FinishedRun, sha256: string) => {
    if (run.record.data.sha256 === sha256) return;
    throw new RunError('assemble', `${run.name} was trained on other data than the folder holds now. Train it again.`);
  };
  for (const expert of experts) {
    const learned = expert.record.kind === 'student' ? readLabelled(data, 'router') : readCluster(data, expert.cluster);
    check(expert, (await learned).sha256);
  }
  if (router) check(router, (await readLabelled(data, 'router')).sha256);
  const partition = router && (await partitionHash(await readPartition(data, 'partition')));
  if (partition && partition !== router.data.partition)
    throw new RunError('assemble', 'the data folder has been partitioned again since. Train again.');
}
