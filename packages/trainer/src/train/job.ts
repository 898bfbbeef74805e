// A training job on a device: its steps, and checkpoints that hold its whole state. Experts and routers differ in `loss` and
// in what a batch is.

import type { FileSource } from '@paris/files';
import { type HostTensor, readSafetensors, safetensorsParts, writeSafetensors } from '@paris/files/safetensors';
import type { Params } from '@paris/model';
import { CheckpointError, type Device, flattenTree, mapTree, type Tensor, type TensorKey } from '@paris/tensor';
import { LostRows } from '../data/lost.js';
import type { StepMetrics } from '../run/events.js';
import type { Observer } from '../run/observer.js';
import type { TrainingJob } from '../run/run.js';
import { averageFile, emaDecaysOf } from './options.js';
import { ReadAhead } from './read-ahead.js';
import type { Learning } from './recipe.js';
import { averagesOf, compileStep, freshState, optimizerOf, type State, upload } from './step.js';

/**
 * The steps of a training on a device: none of them is taken yet.
 * @param observers - they see the weights that would be saved
 */
export function createJob(
  device: Device,
  learning: Learning,
  observers: readonly Observer<Params>[] = [],
): TrainingJob<State> {
  const { training: options, initKey, init, initial = {} } = learning;
  const optimizer = optimizerOf(options, device);
  const start = device.compile((key: TensorKey, given: Params) => freshState(learning, optimizer, key, given));
  const step = compileStep(device, learning, optimizer);
  let lost = new LostRows();
  const batches = new ReadAhead((at) => learning.batch(at, lost.at(at)), options.steps);

  return {
    steps: options.steps,
    batchSize: options.batchSize,
    parameters: countNumbers(init(initKey)),
    async start() {
      const given = upload(device, initial);
      const state = await start(initKey, given);
      for (const tensor of Object.values(given)) tensor.dispose();
      return state;
    },
    restore: (store, path) => readState(store, path, freshState(learning, optimizer, initKey), device),
    async advance(state, done) {
      const batch = await batches.take(done);
      const next = await step(state, batch, done);
      batches.prepare(done); // the device is at work now
      return {
        state: next.state,
        values: async () => ({
          ...(await valuesOf(next.measured)),
          ...(batch.replaced && { replaced: batch.replaced }),
        }),
      };
    },
    leaveOut(damaged) {
      lost = new LostRows(damaged, learning.shards);
      batches.forget();
    },
    snapshot: async (state) => safetensorsParts(await readTensors(state)),
    weights: (state) => encodeTensors(savedOf(state)),
    averages: emaDecaysOf(options)
      .slice(1)
      .map((decay, i) => ({
        path: averageFile(decay),
        weights: (state) => encodeTensors(averagesOf(state)[i + 1]!),
      })),
    machine: { deviceBytes: () => device.counters.bytesAllocated, waitedMs: () => batches.waitedMs },
    observers: observers.map((observer) => ({
      ...observer,
      look: (state, ...how) => observer.look(savedOf(state), ...how),
    })),
    release: (state) => {
      for (const { value } of flattenTree<Tensor>(state)) value.dispose();
    },
  };
}

/** What a step has measured; the tensor is disposed. */
async function valuesOf(measured: Tensor): Promise<Omit<StepMetrics, 'step'>> {
  const [loss, norm, rate, accuracy] = await measured.read();
  measured.dispose();
  return {
    loss: loss!,
    ...(accuracy !== undefined && { accuracy }),
    ...(Number.isFinite(norm) && { gradientNorm: sevenDigits(norm!) }), // overflows where mixed precision skips a step
    learningRate: sevenDigits(rate!),
  };
}

/** The weights that are sampled from. */
function savedOf({ average, train }: State): Params {
  return average ?? train.params;
}

/** A tree of tensors as the bytes of a safetensors file, in the canonical order of paths. */
export async function encodeTensors(tree: unknown): Promise<Uint8Array> {
  return writeSafetensors(await readTensors(tree));
}

/** So many bytes are on their way from the device at once: each needs a buffer there, too. */
const mostReadingBytes = 64 * 2 ** 20;

/** A copy of a tree on the host, by path. */
async function readTensors(tree: unknown): Promise<Record<string, HostTensor>> {
  const found: Record<string, HostTensor> = {};
  let reading: Promise<void>[] = [];
  let readingBytes = 0;
  for (const { path, value } of flattenTree<Tensor>(tree)) {
    const read = async () => {
      found[path] = { dtype: value.dtype, shape: value.shape, data: await value.read() };
    };
    reading.push(read());
    readingBytes += 4 * value.size;
    if (readingBytes < mostReadingBytes) continue;
    await Promise.all(reading);
    [reading, readingBytes] = [[], 0];
  }
  await Promise.all(reading);
  return found;
}

/**
 * The state in a checkpoint, in the form of `example`.
 * @throws CheckpointError if the file cannot be read, or does not hold exactly the tensors of this training
 */
async function readState(store: FileSource, path: string, example: State, device: Device): Promise<State> {
  const record = await readSafetensors(store, path);
  const wanted = flattenTree<Tensor>(example).map(({ path, value }) => `${path} ${value.dtype} [${value.shape}]`);
  const got = new Set(Object.entries(record).map(([key, value]) => `${key} ${value.dtype} [${value.shape}]`));
  const missing = wanted.find((line) => !got.has(line));
  if (missing || got.size !== wanted.length) {
    throw new CheckpointError('train', `${path} is not a checkpoint of this training (${missing ?? 'it holds more'}).`);
  }
  return mapTree(example, (leaf: Tensor, key) => {
    const { data, shape } = record[key]!;
    return device.tensor(data, { shape, dtype: leaf.dtype });
  });
}

/** What an f32 says, without the digits that come of writing it as a double. */
function sevenDigits(value: number): number {
  return Number(value.toPrecision(7));
}

function countNumbers(params: Params): number {
  return Object.values(params).reduce((sum, { size }) => sum + size, 0);
}
