// A small data folder for tests: coloured pictures with captions, made from a seed, partitioned by colour.

import { type Partition, writePartition } from '@paris/clustering';
import type { FileStore } from '@paris/files';
import { buildVocabulary, encodeCaptions } from '@paris/model';
import { hostUniform, key } from '@paris/tensor';
import type { DataColumns } from '../data/columns.js';
import { writeCluster, writeLabelled } from '../data/files.js';
import type { DataFormat, DataItem } from '../data/formats.js';
import { selectRows } from '../data/rows.js';
import { partitionHash } from '../partition/partition.js';
import type { TransformerSize } from '../train/defaults.js';
import type { TrainingOptions } from '../train/options.js';

export const toySize: TransformerSize = { patch: 4, width: 16, depth: 1, heads: 2 };
export const toyTraining: Partial<TrainingOptions> = { steps: 8, batchSize: 4, learningRate: 3e-3, warmupSteps: 2 };

const colours = ['red', 'green', 'blue'];

/** K = 3 clusters of `perCluster` pictures at 8 px, each of one colour with a bright square somewhere. */
export async function writeToyData(store: FileStore, perCluster = 12): Promise<void> {
  const size = 8;
  const count = colours.length * perCluster;
  const draws = hostUniform(key(11), 3 * count);
  const pixels = new Uint8Array(count * 3 * size * size).fill(20);
  const labels = Array.from({ length: count }, (_, i) => i % colours.length);
  labels.forEach((label, i) => {
    const [x, y, level] = [0, 1, 2].map((j) => draws[3 * i + j]!) as [number, number, number];
    const plane = pixels.subarray((3 * i + label) * size * size, (3 * i + label + 1) * size * size);
    plane.fill(100 + Math.floor(100 * level));
    for (let row = 0; row < 3; row++) {
      plane.fill(
        255,
        (Math.floor(5 * y) + row) * size + Math.floor(5 * x),
        (Math.floor(5 * y) + row) * size + Math.floor(5 * x) + 3,
      );
    }
  });
  const captions = labels.map((label) => `${colours[label]} square`);
  const vocabulary = buildVocabulary(captions, 100);
  const format: DataFormat = {
    size,
    channels: 3,
    maxTokens: 8,
    normalization: { scale: 127.5, offset: -1 },
    vocabulary,
  };
  const columns: DataColumns = { images: pixels, tokens: encodeCaptions(captions, vocabulary, 8) };
  const items: DataItem[] = captions.map((caption, i) => {
    return { id: `${i}.png`, caption, group: `${i}`, category: colours[labels[i]!]!, licence: 'MIT' };
  });
  const partition = toyPartition();
  const common = { version: 1 as const, ...format, seed: 0, partition: await partitionHash(partition) };
  for (const cluster of colours.keys()) {
    const rows = [...labels.keys()].filter((row) => labels[row] === cluster);
    const own = { ...common, cluster, count: rows.length, outOfCluster: 0, items: rows.map((row) => items[row]!) };
    await writeCluster(store, own, selectRows(columns, format, rows));
  }
  const labelled = items.map((item, row) => ({ ...item, cluster: labels[row]! }));
  for (const folder of ['router', 'test'] as const) {
    await writeLabelled(store, folder, { ...common, clusters: colours.length, count, items: labelled }, columns);
  }
  await writePartition(store, 'partition', partition);
}

function toyPartition(): Partition {
  const encoder = { name: 'toy', dimensions: 3, parameters: {} };
  const centroids = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const how = { metric: 'spherical', assignment: 'nearest-centroid', balance: 'none' } as const;
  return { version: 2, clusters: 3, seed: 0, ...how, encoder, stages: [], sizes: [1, 1, 1], centroids };
}
