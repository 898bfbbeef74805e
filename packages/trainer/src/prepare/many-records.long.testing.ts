// Memory with the number of records: npm run test:long -- many-records. Pictures are made one at a time, prepared into shards on
// a disk, partitioned, and a cluster of them is read as training reads it. Two things are looked at in each phase: what is held
// (the collector runs before each look), and what the process has of the machine's memory at most, which also counts what the
// collector has not taken yet. PARIS_RECORDS=10000,50000 takes other numbers of records.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nodeStore } from '@paris/files/node';
import { openDevice } from '@paris/tensor';
import { expect, it } from 'vitest';
import { BatchDrawer, runKey } from '../data/batches.js';
import { readCluster } from '../data/files.js';
import { gatherRows } from '../data/rows.js';
import { partitionData } from '../partition/partition.js';
import { generated } from '../testing/generated.js';
import { preparePictures } from './prepare.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const MB = 1e6;
const size = 16;
const shardBytes = 2 ** 20;
const clusters = 4;

/** Bytes that are held: objects, and arrays beside them, which a second collection gives back. */
function held(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The most that was held and resident during some work, and how long it took. */
async function watched(work: () => Promise<unknown>) {
  const before = held();
  const [most, began] = [{ held: 0, resident: 0 }, performance.now()];
  const look = () => {
    most.resident = Math.max(most.resident, process.memoryUsage().rss);
    most.held = Math.max(most.held, held() - before);
  };
  let timer: ReturnType<typeof setTimeout>;
  const lookAgain = () => {
    const looked = performance.now();
    look();
    // On a slow machine a look takes long, too: the work gets most of the time all the same.
    timer = setTimeout(lookAgain, Math.max(500, 20 * (performance.now() - looked)));
  };
  timer = setTimeout(lookAgain, 500);
  try {
    await work();
    look();
    return { ...most, seconds: (performance.now() - began) / 1000 };
  } finally {
    clearTimeout(timer);
  }
}

it('grows by a few bytes a picture, and neither by what is said of it nor by its pixels', {
  timeout: 7_200_000,
}, async () => {
  const counts = (process.env.PARIS_RECORDS ?? '10000,50000,200000').split(',').map(Number);
  const phases: { [name: string]: { held: number; resident: number }[] } = { prepare: [], partition: [], train: [] };
  await using device = await openDevice();
  for (const count of counts) {
    const folder = await mkdtemp(join(tmpdir(), 'paris-many-'));
    try {
      const data = nodeStore(folder);
      const work = {
        prepare: () =>
          preparePictures({
            pictures: generated(count, size),
            out: data,
            size,
            shardBytes,
            order: 'name',
            holdout: 0.01,
          }),
        partition: () => partitionData({ device, data, clusters, seed: 1, shardBytes }),
        train: async () => {
          const { manifest, rows } = await readCluster(data, 0);
          expect(manifest.shards!.length).toBeGreaterThan(1);
          const drawer = new BatchDrawer(runKey(0, 0), { count: manifest.count, batchSize: 64, conditionDropout: 0 });
          const steps = Math.ceil(manifest.count / 64); // an epoch
          for (let step = 0; step < steps; step++) await gatherRows(rows, manifest, drawer.draw(step).indices);
        },
      };
      for (const [name, run] of Object.entries(work)) {
        const found = await watched(run);
        phases[name]!.push(found);
        const [heldMB, residentMB] = [found.held / MB, found.resident / MB].map((bytes) => bytes.toFixed(0));
        const each = (found.held / count).toFixed(0);
        const of = `${count} records, ${((count * 3 * size * size) / MB).toFixed(0)} MB of pixels`;
        console.log(
          `${of}: ${name}: ${heldMB} MB held (${each} bytes a record), ${residentMB} MB resident; ${found.seconds.toFixed(0)} s`,
        );
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  if (counts.length < 2) return; // only to see what a process of one size has
  const records = counts.at(-1)! - counts[0]!;
  const grown = (name: string) => phases[name]!.at(-1)!.held - phases[name]![0]!.held;
  // A picture has 768 bytes of pixels here, and some 100 are said of it. `prepare` holds 64 bytes in which near-copies are found,
  // their places, and what it works on; `partition` holds labels and distances, and its features are in a file. Files that are on the
  // way when memory is looked at are some MB in any case.
  expect(grown('prepare')).toBeLessThan(16 * MB + 150 * records);
  expect(grown('partition')).toBeLessThan(16 * MB + 150 * records);
  expect(grown('train')).toBeLessThan(16 * MB + 8 * records);
});
