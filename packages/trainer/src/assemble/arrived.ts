// Which runs are there: experts come as they arrive, and the router says how many clusters there are.
import { type Partition, readPartition } from '@paris/clustering';
import { type FileStore, folderStore } from '@paris/files';
import { readVocabulary } from '@paris/model';
import { RunError } from '../errors.js';
import { readRunData } from '../run/data.js';
import { expertRunName, ROUTER_RUN, STUDENT_RUN } from '../run/names.js';
import { readRun } from '../run/record.js';
import type { FinishedRun } from './belonging.js';

/** The runs that a model is made from. */
export interface ArrivedRuns {
  clusters: number;
  /** By cluster, those that are finished. */
  experts: readonly FinishedRun[];
  /** Clusters without a finished run. */
  absent: readonly number[];
  /** A model of one cluster has none. */
  router: FinishedRun | undefined;
  /** The router's. */
  partition: Partition | undefined;
}

/** @throws RunError if no expert is finished, if there is no finished router; if `complete`, for any expert that is not there */
export async function arrivedRuns(options: {
  runs: FileStore;
  complete?: boolean | undefined;
  onNotice?: ((line: string) => void) | undefined;
}): Promise<ArrivedRuns> {
  const { runs, complete, onNotice } = options;
  const names = new Set((await runs.list()).map((path) => path.split('/')[0]!));
  if (names.has(STUDENT_RUN)) return student(runs, names);
  const numbers = [...names].flatMap((name) => (/^expert-\d{2,}$/.test(name) ? [Number(name.slice(7))] : []));
  if (numbers.length === 0)
    throw new RunError('assemble', 'there is no run of an expert (expert-00, …). Train them first.');
  const isAlone = numbers.length === 1 && numbers[0] === 0 && !names.has(ROUTER_RUN);
  const router = isAlone ? undefined : await finishedRun(runs, ROUTER_RUN, 0);
  const partition = router && (await readPartition(router.store, 'partition'));
  const clusters = partition?.clusters ?? 1;
  assertKnown(numbers, clusters);

  const experts: FinishedRun[] = [];
  const absent: number[] = [];
  const reasons: string[] = [];
  for (let k = 0; k < clusters; k++) {
    try {
      experts.push(await finishedRun(runs, expertRunName(k), k));
    } catch (error) {
      if (!(error instanceof RunError) || complete) throw error;
      absent.push(k);
      reasons.push(error.message.replace(/^\[assemble\] /, ''));
    }
  }
  if (experts.length === 0) throw new RunError('assemble', `no expert is finished. ${reasons[0]}`);
  for (const reason of reasons) onNotice?.(`absent: ${reason}`);
  return { clusters, experts, absent, router, partition };
}

/** A student is a model by itself. */
async function student(runs: FileStore, names: ReadonlySet<string>): Promise<ArrivedRuns> {
  const other = [...names].find((name) => name === ROUTER_RUN || /^expert-\d{2,}$/.test(name));
  if (other !== undefined) {
    const what = `${STUDENT_RUN} and ${other} are two models`;
    throw new RunError('assemble', `${what}. Keep them in folders of their own.`);
  }
  const run = await finishedRun(runs, STUDENT_RUN, 0);
  return { clusters: 1, experts: [run], absent: [], router: undefined, partition: undefined };
}

function assertKnown(numbers: readonly number[], clusters: number): void {
  const beyond = numbers.find((k) => k >= clusters);
  if (beyond === undefined) return;
  const what = `${expertRunName(beyond)} is there, and the router knows ${clusters} clusters`;
  throw new RunError('assemble', `${what}. Let it grow: paris train router DATA --from the-old-router --out RUNS.`);
}

async function finishedRun(runs: FileStore, name: string, cluster: number): Promise<FinishedRun> {
  const store = folderStore(runs, name);
  const record = await readRun(store);
  if (!record) throw new RunError('assemble', `${name} is missing. Train it, or copy its folder here.`);
  if (record.status !== 'finished')
    throw new RunError('assemble', `${name} is not finished. Run the same train command to resume.`);
  return { name, cluster, store, record, data: await readRunData(store), vocabulary: await readVocabulary(store) };
}
