// How long a device waits for its pictures: npm run test:long -- read-ahead. The device is a clock that eats 500 pictures a second;
// batches are those of an expert, gathered from shards on a disk. At most 3 % of the time may be spent waiting.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dit } from '@paris/dit';
import { memoryStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { openDevice } from '@paris/tensor';
import { expect, it } from 'vitest';
import { openManifestFolder, writeCluster } from '../data/files.js';
import { formatOf } from '../data/formats.js';
import { preparePictures } from '../prepare/prepare.js';
import { generated } from '../testing/generated.js';
import { toySize } from '../testing/toy.js';
import { ditConfig } from './configs.js';
import { expertRecipe } from './expert.js';
import { ReadAhead } from './read-ahead.js';

const [picturesASecond, batchSize, steps, count] = [500, 16, 250, 1500];

it.each([16, 64])('of %i pixels are there in time', { timeout: 0 }, async (size) => {
  const folder = await mkdtemp(join(tmpdir(), 'paris-ahead-'));
  await using device = await openDevice({ require: 'cpu' });
  try {
    const data = nodeStore(folder);
    const shardBytes = 2 ** 19;
    const given = { pictures: generated(count, size), out: data, size, shardBytes, nearCopies: false, holdout: 0.01 };
    await preparePictures(given);
    const { manifest, rows } = await openManifestFolder(data);
    const own = { version: 1, cluster: 0, seed: 0, partition: '', outOfCluster: 0 } as const;
    const items = manifest.items!.map(({ split: _, ...item }) => item);
    await writeCluster(data, { ...formatOf(manifest), ...own, count: items.length, items }, rows, { shardBytes });
    const recipe = await expertRecipe({
      ...{ device, data, runs: memoryStore(), cluster: 0, architecture: dit, config: ditConfig(toySize) },
      training: { steps, batchSize },
    });
    expect(recipe.shards!.length).toBeGreaterThan(2);
    const batches = new ReadAhead((step) => recipe.batch(step), steps);
    await batches.take(0); // shards are hashed when they are first read; most of them now
    const [began, before, used] = [performance.now(), batches.waitedMs, process.cpuUsage()];
    for (let step = 1; step < steps; step++) {
      await batches.take(step);
      batches.prepare(step);
      await new Promise((resolve) => setTimeout(resolve, (1000 * batchSize) / picturesASecond));
    }
    const ms = performance.now() - began;
    const waited = (batches.waitedMs - before) / ms;
    const { user, system } = process.cpuUsage(used);
    const speed = ((steps - 1) * batchSize * 1000) / ms;
    console.log(
      `${size} pixels: ${speed.toFixed(0)} pictures a second, ${(100 * waited).toFixed(2)} % of the time waited, ` +
        `${((user + system) / 10 / ms).toFixed(0)} % of a core`,
    );
    expect(waited).toBeLessThan(0.03);
  } finally {
    await rm(folder, { recursive: true });
  }
});
