// One optimizer step on a device: parameters, optimizer and moving average in one state. A batch is computed as a whole, or in
// equal parts whose gradients are summed before the one update.
import type { Params } from '@paris/model';
import {
  type Device,
  embedding,
  type Key,
  normal,
  pack,
  scalar,
  stack,
  type Tensor,
  type TensorKey,
  unpack,
} from '@paris/tensor';
import {
  adamw,
  chain,
  clipByGlobalNorm,
  constant,
  cosineDecay,
  ema,
  globalNorm,
  inPrecision,
  type PrecisionOptimizer,
  type Schedule,
  type TrainState,
} from '@paris/tensor/optim';
import { emaDecayAt, emaDecaysOf, type TrainingOptions } from './options.js';
import type { Batch, BatchNoise, HostBatch, HostTensor, Learning } from './recipe.js';

/** A training between two steps. */
export interface State {
  train: TrainState<Params>;
  /** The moving average of the parameters; absent with emaDecay 0. */
  average?: Params;
  /** Those of further decays, in their order. */
  moreAverages?: Params[];
}

/** Takes the step that comes after `done` steps. Consumes the state. */
export type TakeStep = (state: State, batch: HostBatch, done: number) => Promise<Stepped>;

/** The state after a step, and what is measured of it. */
export interface Stepped {
  state: State;
  /** Loss, norm of the gradient before clipping, learning rate, and accuracy where there is one: [3] or [4]. */
  measured: Tensor;
}

/** What the parts of a batch add up to: gradients packed in the order of the parameters, and means to be. */
interface Sums {
  gradients: Tensor;
  loss: Tensor;
  accuracy?: Tensor;
}

/** Which part of a batch is computed, u32 []; absent where the batch is one. */
type Part = { at?: Tensor };

/** The compiled steps of a training. */
export function compileStep(device: Device, learning: Learning, optimizer: PrecisionOptimizer): TakeStep {
  const { accumulate: parts } = learning.training;
  const decays = emaDecaysOf(learning.training);
  const { add, step } = compileParts(device, learning, optimizer);
  return async (state, { tensors, noise }, done) => {
    const decaysNow = decays.map((decay) => device.tensor(Float32Array.of(emaDecayAt(decay, done)), { shape: [] }));
    let sums: Sums | undefined;
    for (let at = 0; at < parts - 1; at++) {
      sums = await add(state.train, upload(device, partOf(tensors, at, parts)), noise, partAt(at), sums);
    }
    const last = parts === 1 ? tensors : partOf(tensors, parts - 1, parts);
    return step(state, upload(device, last), noise, decaysNow, parts === 1 ? {} : partAt(parts - 1), sums);
  };
}

/** `add` computes a part of a batch, and `step` the last or only one, with the update. */
function compileParts(device: Device, learning: Learning, optimizer: PrecisionOptimizer) {
  const parts = learning.training.accumulate;
  const gradientsOf = (train: TrainState<Params>, batch: Batch, key: TensorKey, { at }: Part) =>
    optimizer.valueAndGrad((params: Params) => {
      const noise: BatchNoise = (shape) => (at ? noiseOfPart(key, shape, at, parts) : normal(key, shape));
      const { loss, accuracy } = learning.loss(params, batch, noise, optimizer.dtype);
      return [loss, { accuracy }];
    }, train);

  const add = device.compile(
    (train: TrainState<Params>, batch: Batch, key: TensorKey, part: Part, earlier: Sums | undefined): Sums => {
      const [[loss, { accuracy }], gradients] = gradientsOf(train, batch, key, part);
      return sum({ gradients: packed(gradients), loss, ...(accuracy && { accuracy }) }, earlier);
    },
    { donate: [1, 4] },
  );

  const step = device.compile(
    (state: State, batch: Batch, key: TensorKey, decays: Tensor[], part: Part, earlier: Sums | undefined): Stepped => {
      const [[loss, { accuracy }], gradients] = gradientsOf(state.train, batch, key, part);
      const whole = earlier
        ? mean(sum({ gradients: packed(gradients), loss, ...(accuracy && { accuracy }) }, earlier), gradients, parts)
        : { gradients, loss, accuracy };
      const train = optimizer.update(state.train, whole.gradients);
      const [average, ...others] = averagesOf(state).map((old, i) => ema(old, train.params, decays[i]!));
      const norm = globalNorm(whole.gradients).div(state.train.optimizer.lossScale ?? 1);
      const rate = scheduleOf(learning.training)(state.train.step.cast('f32'));
      const measured = stack([whole.loss, norm, rate, ...(whole.accuracy ? [whole.accuracy] : [])]);
      return { state: stateOf(train, average, others), measured };
    },
    { donate: [0, 1, 3, 5] },
  );
  return { add, step };
}

function sum(own: Sums, earlier: Sums | undefined): Sums {
  if (!earlier) return own;
  return {
    gradients: earlier.gradients.add(own.gradients),
    loss: earlier.loss.add(own.loss),
    ...(own.accuracy && { accuracy: earlier.accuracy!.add(own.accuracy) }),
  };
}

/** Means over parts that are equally large are those over the batch. */
function mean({ gradients, loss, accuracy }: Sums, like: Params, parts: number) {
  const shapes = Object.values(like).map(({ shape }) => shape);
  const each = unpack(gradients.div(parts), shapes);
  return {
    gradients: Object.fromEntries(Object.keys(like).map((path, i) => [path, each[i]!])),
    loss: loss.div(parts),
    accuracy: accuracy?.div(parts),
  };
}

function packed(gradients: Params): Tensor {
  return pack(Object.values(gradients));
}

/** Rows [at · b, (at + 1) · b) of the noise of the whole batch, which is drawn as a whole: that costs little next to a network. */
function noiseOfPart(key: TensorKey, [b, ...rest]: readonly number[], at: Tensor, parts: number): Tensor {
  const size = rest.reduce((product, n) => product * n, b!);
  return embedding(normal(key, [parts, size]), at).reshape([b!, ...rest]);
}

function partAt(at: number): Part {
  return { at: scalar(at, 'u32') };
}

function partOf(tensors: HostBatch['tensors'], at: number, parts: number): HostBatch['tensors'] {
  return Object.fromEntries(
    Object.entries(tensors).map(
      ([
        name,
        {
          data,
          shape: [count, ...rest],
        },
      ]) => {
        const [rows, length] = [count! / parts, data.length / parts];
        return [name, { data: data.subarray(at * length, (at + 1) * length), shape: [rows, ...rest] }];
      },
    ),
  );
}

/** Host tensors as a batch on the device. */
export function upload(device: Device, tensors: { [name: string]: HostTensor }): Batch {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => {
      return [name, device.tensor(data, { shape, ...(data instanceof Uint8Array && { dtype: 'bool' }) })];
    }),
  );
}

/** Clipped AdamW (arXiv 1711.05101) with linear warm-up. */
export function optimizerOf(options: TrainingOptions, device: Device): PrecisionOptimizer {
  const { weightDecay, clipNorm, precision } = options;
  const update = adamw({ learningRate: scheduleOf(options), weightDecay });
  return inPrecision(precision, clipNorm > 0 ? chain(clipByGlobalNorm(clipNorm), update) : update, device);
}

function scheduleOf({ schedule, learningRate, steps, warmupSteps }: TrainingOptions): Schedule {
  if (schedule === 'cosine') return cosineDecay(learningRate, steps, { warmupSteps });
  return constant(learningRate, { warmupSteps });
}

/** The state before the first step. */
export function freshState(
  learning: Learning,
  optimizer: PrecisionOptimizer,
  key: Key | TensorKey,
  given: Params = {},
): State {
  const params = { ...learning.init(key), ...given };
  const [average, ...others] = emaDecaysOf(learning.training).map(() => params);
  return stateOf(optimizer.init(params), average, others);
}

/** The moving averages, in the order of their decays. */
export function averagesOf({ average, moreAverages = [] }: State): Params[] {
  return average ? [average, ...moreAverages] : [];
}

function stateOf(train: TrainState<Params>, average: Params | undefined, moreAverages: Params[]): State {
  return { train, ...(average && { average }), ...(moreAverages.length > 0 && { moreAverages }) };
}
