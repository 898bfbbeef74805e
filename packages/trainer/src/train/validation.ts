// The loss on held-out pictures by noise level, while a training runs: what tells learning from memorising. It is measured with
// the weights that would be saved, and with the same pictures, levels and noise each time.
import { type FileSource, onlyFolder } from '@paris/files';
import type { Params } from '@paris/model';
import { type Device, type Key, key, normal, type TensorKey } from '@paris/tensor';
import type { BatchDraw } from '../data/batches.js';
import type { Labels, TrainingData } from '../data/files.js';
import { readLabelled } from '../data/files.js';
import { type DataFormat, isSameFormat, type LabelledManifest } from '../data/formats.js';
import { pickItems } from '../data/items.js';
import { gatherRows, rowsOf, spread } from '../data/rows.js';
import { DataError } from '../errors.js';
import { mean } from '../mean.js';
import { type Observer, VALIDATION_FILE } from '../run/observer.js';
import { requireOption } from './options.js';
import type { Batch, HostBatch, Learning } from './recipe.js';
import { upload } from './step.js';

/** What is measured of held-out pictures while a training runs. */
export interface ValidationOptions {
  /** A data folder. `test` of it is opened, and nothing else through this option. */
  data: FileSource;
  /** Steps between two measurements. */
  every: number;
  /** At most so many pictures, spread evenly over those that are held out. Default 256. */
  pictures?: number | undefined;
  /** Noise levels, each the middle of an equal part of [0, 1]. Default 8. */
  levels?: number | undefined;
}

/** Held-out pictures of all clusters, with the cluster of each. */
export type HeldOut = TrainingData<LabelledManifest> & Labels;

/** What a recipe makes of held-out pictures. */
export interface Validated {
  readonly device: Device;
  readonly learning: Pick<Learning, 'loss' | 'training'>;
  /** What the pictures of the training are like. */
  readonly format: DataFormat & { readonly partition: string };
  /** The cluster whose pictures are measured; all where it is undefined. */
  readonly cluster?: number;
  tensors(pictures: HeldOut, draw: BatchDraw): Promise<HostBatch['tensors']>;
}

/**
 * Measures the loss at each noise level, a line of validation.jsonl each: `{ step, time, loss }`, and `accuracy` of a router.
 * @throws ValueError for options that mean nothing; CheckpointError if there are no held-out pictures to read; DataError if they
 *   are of another partition, or none is of the cluster
 */
export async function validationObserver(options: ValidationOptions, of: Validated): Promise<Observer<Params>> {
  const { every, pictures: most = 256, levels = 8 } = options;
  for (const [name, value] of Object.entries({ every, pictures: most, levels })) {
    requireOption(`validation.${name}`, value, Number.isSafeInteger(value) && value >= 1, 'a whole number from 1 on');
  }
  const heldOut = await readHeldOut(options.data, of);
  const rows = spread(clusterRows(heldOut, of.cluster), most);
  const { device, learning } = of;
  const batchSize = learning.training.batchSize / learning.training.accumulate;
  const measure = device.compile(
    (params: Params, batch: Batch, noise: TensorKey) =>
      learning.loss(params, batch, (shape) => normal(noise, shape), 'f32'),
    { donate: [1] },
  );
  const times = Array.from({ length: levels }, (_, i) => (i + 0.5) / levels);
  return {
    every,
    file: VALIDATION_FILE,
    async look(params, step, onProgress) {
      const pictures = await chosen(heldOut, rows);
      const lines = [];
      for (const [i, time] of times.entries()) {
        const sums = { loss: 0, accuracy: 0 };
        let judges = false;
        for (let from = 0; from < rows.length; from += batchSize) {
          const count = Math.min(batchSize, rows.length - from);
          const draw = drawAt(from, count, time, noiseKey.foldIn(from));
          const found = await measure(params, upload(device, await of.tensors(pictures, draw)), draw.noise);
          sums.loss += count * (await found.loss.item());
          if (found.accuracy) sums.accuracy += count * (await found.accuracy.item());
          judges = found.accuracy !== undefined;
          for (const tensor of [found.loss, found.accuracy]) tensor?.dispose();
          onProgress(i * rows.length + from + count, times.length * rows.length);
        }
        const accuracy = judges && { accuracy: sums.accuracy / rows.length };
        lines.push({ step, time, loss: sums.loss / rows.length, ...accuracy });
      }
      const loss = mean(lines.map((line) => line.loss));
      const accuracy = mean(lines.map((line) => line.accuracy ?? Number.NaN));
      return { lines, event: { type: 'validation', step, loss, ...(!Number.isNaN(accuracy) && { accuracy }) } };
    },
  };
}

/** Of all measurements, whatever the seed of the training: runs can be compared. */
const noiseKey: Key = key(0x68656c64);

function drawAt(from: number, count: number, time: number, noise: Key): BatchDraw {
  return {
    indices: Uint32Array.from({ length: count }, (_, i) => from + i),
    times: new Float32Array(count).fill(time),
    dropped: new Array<boolean>(count).fill(false),
    noise,
  };
}

/** Some of the pictures, in memory: each is looked at once for every level. */
export async function chosen(heldOut: HeldOut, indices: readonly number[]): Promise<HeldOut> {
  const { rows, manifest, labels, items } = heldOut;
  const few = { ...manifest, count: indices.length, items: undefined };
  return {
    ...heldOut,
    manifest: few,
    items: pickItems(items, indices),
    rows: rowsOf(await gatherRows(rows, manifest, indices), few),
    labels: Uint32Array.from(indices, (row) => labels[row]!),
  };
}

async function readHeldOut(data: FileSource, { format }: Validated): Promise<HeldOut> {
  const heldOut = await readLabelled(onlyFolder(data, 'test'), 'test');
  const { partition } = heldOut.manifest;
  if (partition === format.partition && isSameFormat(heldOut.manifest, format)) return heldOut;
  const what = 'the held-out pictures in test are of another partition than the pictures that are trained on';
  throw new DataError('train', `${what}. Copy test from the same data folder, or train without validation.`);
}

function clusterRows({ manifest, labels }: HeldOut, cluster: number | undefined): number[] {
  const rows = [...labels.keys()].filter((row) => cluster === undefined || labels[row] === cluster);
  if (rows.length > 0) return rows;
  const where = manifest.count === 0 ? 'no picture is held out' : `no held-out picture is of cluster ${cluster}`;
  throw new DataError('train', `${where}: there is nothing to validate with. Prepare with a larger --holdout.`);
}
