// A training job on a device: parameters, optimiser and moving average in one state, one compiled step, and checkpoints
// that hold the whole state. Experts and routers differ in `loss` and in what a batch is.

import type { FileSource } from '@paris/files';
import { readSafetensors, writeSafetensors } from '@paris/files/safetensors';
import type { Params } from '@paris/model';
import {
  CheckpointError,
  type Device,
  flattenTree,
  type Key,
  mapTree,
  type Tensor,
  type TensorKey,
} from '@paris/tensor';
import {
  adamw,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  ema,
  inPrecision,
  type PrecisionOptimizer,
  type TrainState,
} from '@paris/tensor/optim';
import type { TrainingJob } from '../run/run.js';
import { emaDecayAt, type TrainingOptions } from './options.js';
import type { Batch, HostTensor, Learning } from './recipe.js';

interface State {
  train: TrainState<Params>;
  /** The moving average of the parameters; absent with emaDecay 0. */
  average?: Params;
}

/** The steps of a training on a device: none of them is taken yet. */
export function createJob(device: Device, learning: Learning): TrainingJob<State> {
  const { training: options, initKey, init, initial = {} } = learning;
  const optimizer = optimizerOf(options, device);
  const fresh = (key: Key | TensorKey, given: Params = {}): State => {
    const params = { ...init(key), ...given };
    return { train: optimizer.init(params), ...(options.emaDecay > 0 && { average: params }) };
  };
  const start = device.compile((key: TensorKey, given: Params) => fresh(key, given));
  const step = device.compile(
    (state: State, batch: Batch, noise: TensorKey) => {
      const [[loss, aux], gradients] = optimizer.valueAndGrad((params: Params) => {
        const { loss, accuracy } = learning.loss(params, batch, noise, optimizer.dtype);
        return [loss, { accuracy }];
      }, state.train);
      const train = optimizer.update(state.train, gradients);
      const average = state.average && ema(state.average, train.params, batch.emaDecay!);
      return { state: { train, ...(average && { average }) }, loss, accuracy: aux.accuracy };
    },
    { donate: [0, 1] },
  );

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
    restore: (store, path) => readState(store, path, fresh(initKey), device),
    async advance(state, done) {
      const { tensors, noise } = await learning.batch(done);
      const emaDecay = { data: Float32Array.of(emaDecayAt(options.emaDecay, done)), shape: [] };
      const next = await step(state, upload(device, { ...tensors, emaDecay }), noise);
      return {
        state: next.state,
        values: async () => {
          const [loss, accuracy] = await Promise.all([next.loss.item(), next.accuracy?.item()]);
          next.loss.dispose();
          next.accuracy?.dispose();
          return { loss, ...(accuracy !== undefined && { accuracy }) };
        },
      };
    },
    snapshot: (state) => encodeTensors(state),
    weights: (state) => encodeTensors(state.average ?? state.train.params),
    release: (state) => {
      for (const { value } of flattenTree<Tensor>(state)) value.dispose();
    },
  };
}

function upload(device: Device, tensors: { [name: string]: HostTensor }): Batch {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => [name, device.tensor(data, { shape })]),
  );
}

/** Clipped AdamW (arXiv 1711.05101) with linear warm-up and cosine decay. */
function optimizerOf(options: TrainingOptions, device: Device): PrecisionOptimizer {
  const { learningRate, warmupSteps, steps, weightDecay, clipNorm, precision } = options;
  const schedule = cosineDecay(learningRate, steps, { warmupSteps });
  const update = adamw({ learningRate: schedule, weightDecay });
  return inPrecision(precision, clipNorm > 0 ? chain(clipByGlobalNorm(clipNorm), update) : update, device);
}

/** A tree of tensors as the bytes of a safetensors file, in the canonical order of paths. */
async function encodeTensors(tree: unknown): Promise<Uint8Array> {
  const entries = await Promise.all(
    flattenTree<Tensor>(tree).map(async ({ path, value }) => {
      return [path, { dtype: value.dtype, shape: value.shape, data: await value.read() }] as const;
    }),
  );
  return writeSafetensors(Object.fromEntries(entries));
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

function countNumbers(params: Params): number {
  return Object.values(params).reduce((sum, { size }) => sum + size, 0);
}
