// Runs the router and every expert once on each held-out picture at each time, all with the same noise, and keeps what
// every arm can be computed from: probabilities, and the Gram matrix of the experts' errors (see arms.ts). Errors are
// those of the velocity on the path that is sampled on, whatever an expert predicts: as sampling converts it.
import {
  convertPrediction,
  type Expert,
  type NoisePath,
  noisePath,
  type Params,
  type PredictionScalars,
  predictionCoefficients,
  sampleLimits,
  toFlat,
  tokenCondition,
  toTree,
} from '@paris/model';
import type { LoadedModel } from '@paris/sampler';
import { type Device, type Key, normal, scalar, softmax, stack, type Tensor, type TensorKey } from '@paris/tensor';
import type { TrainingData } from '../data/files.js';
import type { LabelledManifest } from '../data/formats.js';
import { gatherRows, normalise } from '../data/rows.js';
import type { Measurements } from './arms.js';

export interface MeasureOptions {
  device: Device;
  model: LoadedModel;
  data: TrainingData<LabelledManifest>;
  times: readonly number[];
  noise: Key;
  /** Pictures at once. */
  batchSize: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal | undefined;
}

/** @returns Gram matrices [T, N, K, K] and probabilities [T, N, K] */
export async function measure(options: MeasureOptions): Promise<Measurements> {
  const { device, model, data, times, batchSize, onProgress, signal } = options;
  const experts = model.experts.map(({ expert, params }) => ({ expert, params: toFlat(params) }));
  const routerParams = model.router && toFlat(model.router.params);
  const { manifest } = data;
  const [count, clusters] = [manifest.count, experts.length];
  const gram = new Float32Array(times.length * count * clusters * clusters);
  const probabilities = new Float32Array(times.length * count * clusters).fill(1);
  const run = compileAll(device, model);
  const path = noisePath(model.index.path);
  const batches = Math.ceil(count / batchSize);

  for (let b = 0; b < batches; b++) {
    const first = b * batchSize;
    const rows = Math.min(batchSize, count - first);
    // The last batch is filled up with its first picture, so that shapes repeat.
    const indices = Array.from({ length: batchSize }, (_, i) => (i < rows ? first + i : first));
    const { pixels, tokens } = await gatherRows(data.rows, manifest, indices);
    using images = device.tensor(normalise(pixels, manifest.normalization), {
      shape: [batchSize, manifest.channels, manifest.size, manifest.size],
    });
    using ids = device.tensor(tokens, { shape: [batchSize, manifest.maxTokens] });
    for (const [t, value] of times.entries()) {
      signal?.throwIfAborted();
      const at = timesAt(device, path, value, batchSize);
      const noisy = await run.noised(images, at, options.noise.foldIn(b).foldIn(t));
      const { time } = at;
      if (routerParams) {
        using p = await run.route(routerParams, noisy.latents, time, ids);
        probabilities.set((await read(p)).subarray(0, rows * clusters), (t * count + first) * clusters);
      }
      const errors: Tensor[] = [];
      for (const { expert, params } of experts) {
        errors.push(await run.errors(expert)(params, noisy, askedAt(expert, path, value), ids));
      }
      using products = await run.gram(errors);
      gram.set((await read(products)).subarray(0, rows * clusters ** 2), (t * count + first) * clusters ** 2);
      for (const tensor of [...errors, ...Object.values(noisy), ...Object.values(at)]) tensor.dispose();
      onProgress?.(b * times.length + t + 1, batches * times.length);
    }
  }
  return { count, clusters, times, gram, probabilities };
}

/** The noisy pictures, and the velocity that brought them there. */
type Noised = Record<'latents' | 'velocity', Tensor>;
type At = Record<'time' | 'alpha' | 'sigma' | 'alphaPrime' | 'sigmaPrime', Tensor>;
/** When an expert is asked, and how its answer is read. */
type Asked = PredictionScalars & { readonly time: Tensor };

function askedAt({ objective }: Expert, path: NoisePath, t: number): Asked {
  const at = predictionCoefficients(objective.prediction, noisePath(objective.path), path, t);
  return Object.fromEntries(Object.entries(at).map(([name, value]) => [name, scalar(value)])) as unknown as Asked;
}

function compileAll(device: Device, model: LoadedModel) {
  const noised = device.compile((images: Tensor, at: At, key: TensorKey): Noised => {
    const epsilon = normal(key, images.shape);
    return {
      latents: images.mul(at.alpha).add(epsilon.mul(at.sigma)),
      velocity: images.mul(at.alphaPrime).add(epsilon.mul(at.sigmaPrime)),
    };
  });
  const route = device.compile((params: Params, latents: Tensor, time: Tensor, ids: Tensor) =>
    softmax(model.router!.router.logits(toTree(params), { latents, time, condition: tokenCondition(ids) })),
  );
  const errorsOf = new Map<unknown, (params: Params, noisy: Noised, at: Asked, ids: Tensor) => Promise<Tensor>>();
  for (const { expert } of model.experts) {
    if (errorsOf.has(expert)) continue;
    const limit = sampleLimits[expert.objective.prediction];
    const compiled = device.compile((params: Params, { latents, velocity }: Noised, at: Asked, ids: Tensor) => {
      const batch = latents.shape[0]!;
      const output = expert.apply(toTree(params), {
        latents: latents.mul(at.latentsScale),
        time: at.time.reshape([1]).expand([batch]),
        condition: tokenCondition(ids),
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
