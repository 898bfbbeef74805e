// Runs the router and every expert once on each held-out picture at each time, all with the same noise, and keeps what
// every arm can be computed from: probabilities, and the Gram matrix of the experts' errors (see arms.ts). Errors are
// those of the velocity on the path that is sampled on, whatever an expert predicts: as sampling converts it.
import {
  type Condition,
  convertPrediction,
  type Expert,
  type NoisePath,
  noisePath,
  type Params,
  type PredictionScalars,
  predictionCoefficients,
  presentExperts,
  sampleLimits,
  toFlat,
  toTree,
} from '@paris/model';
import type { LoadedModel } from '@paris/sampler';
import { type Device, type Key, normal, scalar, softmax, stack, type Tensor, type TensorKey } from '@paris/tensor';
import type { TrainingData } from '../data/files.js';
import type { LabelledManifest } from '../data/formats.js';
import { gatherRows } from '../data/rows.js';
import { type ConditionKind, conditionBatch, conditionOf, conditionSource } from '../train/conditions.js';
import { inputBatch } from '../train/noising.js';
import type { Batch } from '../train/recipe.js';
import { upload } from '../train/step.js';
import type { Measurements } from './arms.js';

/** What is measured of a model: its experts, and its router if there is one. */
export type Measured = Pick<LoadedModel, 'experts' | 'router' | 'paths'> & {
  /** The noise path that is sampled on. */
  readonly index: Pick<LoadedModel['index'], 'path' | 'absent'>;
};

export interface MeasureOptions {
  device: Device;
  model: Measured;
  /** What the pictures show, as the experts take it. */
  condition: ConditionKind;
  data: TrainingData<LabelledManifest>;
  times: readonly number[];
  noise: Key;
  /** Pictures at once. */
  batchSize: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/** @returns Gram matrices [T, N, K, K], 0 where an expert is absent, and probabilities [T, N, K] */
export async function measure(options: MeasureOptions): Promise<Measurements> {
  const { device, model, data, times, batchSize, onProgress, signal } = options;
  const experts = model.experts.map(({ expert, params }) => ({ expert, params: toFlat(params) }));
  const routerParams = model.router && toFlat(model.router.params);
  const { manifest } = data;
  const [count, clusters] = [manifest.count, experts.length];
  const present = presentExperts({ clusters, absent: model.index.absent });
  const gram = new Float32Array(times.length * count * clusters * clusters);
  const probabilities = new Float32Array(times.length * count * clusters).fill(1);
  const run = compileAll(device, model);
  const source = conditionSource(options.condition, manifest);
  const path = noisePath(model.index.path, model.paths);
  const batches = Math.ceil(count / batchSize);

  for (let b = 0; b < batches; b++) {
    const first = b * batchSize;
    const rows = Math.min(batchSize, count - first);
    // The last batch is filled up with its first picture, so that shapes repeat.
    const indices = Array.from({ length: batchSize }, (_, i) => (i < rows ? first + i : first));
    const columns = await gatherRows(data.rows, manifest, indices);
    const dropped = indices.map(() => false);
    const { images, ...given } = upload(device, {
      images: inputBatch(columns, manifest, batchSize),
      ...conditionBatch(source, columns, { dropped }),
    });
    for (const [t, value] of times.entries()) {
      signal?.throwIfAborted();
      const at = timesAt(device, path, value, batchSize);
      const noisy = await run.noised(images!, at, options.noise.foldIn(b).foldIn(t));
      const { time } = at;
      if (routerParams) {
        using p = await run.route(routerParams, noisy.latents, time, given);
        probabilities.set((await read(p)).subarray(0, rows * clusters), (t * count + first) * clusters);
      }
      const errors: Tensor[] = [];
      for (const k of present) {
        const { expert, params } = experts[k]!;
        errors.push(await run.errors(expert)(params, noisy, askedAt(expert, path, value), given));
      }
      using products = await run.gram(errors);
      place(await read(products), rows, gram.subarray((t * count + first) * clusters ** 2), present, clusters);
      for (const tensor of [...errors, ...Object.values(noisy), ...Object.values(at)]) tensor.dispose();
      onProgress?.(b * times.length + t + 1, batches * times.length);
    }
    for (const tensor of [images!, ...Object.values(given)]) tensor.dispose();
  }
  return { count, clusters, times, gram, probabilities };
}

/** Products of the experts that are there, [N, P, P], as rows and columns of all, [N, K, K]. */
function place(products: Float32Array, rows: number, gram: Float32Array, present: readonly number[], clusters: number) {
  const size = present.length;
  for (let n = 0; n < rows; n++) {
    for (const [i, j] of present.entries()) {
      for (const [h, k] of present.entries()) {
        gram[(n * clusters + j) * clusters + k] = products[(n * size + i) * size + h]!;
      }
    }
  }
}

/** The noisy pictures, and the velocity that brought them there. */
type Noised = Record<'latents' | 'velocity', Tensor>;
type At = Record<'time' | 'alpha' | 'sigma' | 'alphaPrime' | 'sigmaPrime', Tensor>;
/** When an expert is asked, and how its answer is read. */
type Asked = PredictionScalars & { readonly time: Tensor };

function askedAt({ objective }: Expert, path: NoisePath, t: number): Asked {
  const at = predictionCoefficients(objective.prediction, noisePath(objective.path, [path]), path, t);
  return Object.fromEntries(Object.entries(at).map(([name, value]) => [name, scalar(value)])) as unknown as Asked;
}

function compileAll(device: Device, model: Measured) {
  const noised = device.compile((images: Tensor, at: At, key: TensorKey): Noised => {
    const epsilon = normal(key, images.shape);
    return {
      latents: images.mul(at.alpha).add(epsilon.mul(at.sigma)),
      velocity: images.mul(at.alphaPrime).add(epsilon.mul(at.sigmaPrime)),
    };
  });
  const route = device.compile((params: Params, latents: Tensor, time: Tensor, given: Batch) =>
    softmax(model.router!.router.logits(toTree(params), { latents, time, ...conditionIn(given) })),
  );
  const errorsOf = new Map<unknown, (params: Params, noisy: Noised, at: Asked, given: Batch) => Promise<Tensor>>();
  for (const { expert } of model.experts) {
    if (errorsOf.has(expert)) continue;
    const limit = sampleLimits[expert.objective.prediction];
    const compiled = device.compile((params: Params, { latents, velocity }: Noised, at: Asked, given: Batch) => {
      const batch = latents.shape[0]!;
      const output = expert.apply(toTree(params), {
        latents: latents.mul(at.latentsScale),
        time: at.time.reshape([1]).expand([batch]),
        ...conditionIn(given),
      });
      return convertPrediction(latents, output, at, limit).velocity.sub(velocity).reshape([batch, -1]); // [B, D]
    });
    errorsOf.set(expert, compiled);
  }
  const gram = device.compile((errors: Tensor[]) => {
    const all = stack(errors, 1); // [B, K, D]
    return all.matmul(all.transpose()).mul(1 / all.shape[2]!); // [B, K, K]
  });
  return { noised, route, gram, errors: (expert: unknown) => errorsOf.get(expert)! };
}

function conditionIn(given: Batch): { condition?: Condition } {
  const condition = conditionOf(given);
  return condition ? { condition } : {};
}

/** What the pictures of the data show, as the model takes it. */
export function modelCondition({ labels, text, vocabulary }: LoadedModel): ConditionKind {
  if (labels) return 'label';
  if (text) return vocabulary ? 'tokens' : 'embeddings';
  return 'none';
}

/** One time for all pictures of a batch. */
function timesAt(device: Device, path: NoisePath, t: number, batchSize: number): At {
  const scalar = (value: number) => device.tensor(Float32Array.of(value), { shape: [] });
  return {
    time: device.tensor(new Float32Array(batchSize).fill(t), { shape: [batchSize] }),
    alpha: scalar(path.alpha(t)),
    sigma: scalar(path.sigma(t)),
    alphaPrime: scalar(path.alphaPrime(t)),
    sigmaPrime: scalar(path.sigmaPrime(t)),
  };
}

async function read(tensor: Tensor): Promise<Float32Array> {
  return (await tensor.read()) as Float32Array;
}
