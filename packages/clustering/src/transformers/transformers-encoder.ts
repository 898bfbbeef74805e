// An encoder out of any model that `@huggingface/transformers` can extract image features with.
import { checkName } from '@paris/files';
import type { Encoder, ImageBatch } from '../encoder/encoder.js';
import { ClusteringError } from '../errors.js';

const tag = 'transformersEncoder';

/** What is used of `@huggingface/transformers`, version 3 or 4. */
export interface TransformersModule {
  /** Loads a model. What it gives takes N pictures to a tensor whose first axis is N. */
  pipeline(
    task: 'image-feature-extraction',
    model: string,
    options: { readonly revision?: string; readonly dtype?: string; readonly device?: string },
  ): Promise<(images: unknown[]) => Promise<{ readonly dims: readonly number[]; readonly data: ArrayLike<number> }>>;
  /** Pixels of one picture, height × width × channels bytes. */
  readonly RawImage: new (
    data: Uint8Array,
    width: number,
    height: number,
    channels: 1 | 2 | 3 | 4,
  ) => unknown;
}

export interface TransformersOptions {
  /** A name on the hub or a folder, with ONNX weights: 'onnx-community/dinov2-small'. */
  readonly model: string;
  /** Branch, tag or commit on the hub. Default 'main'; a commit makes a partition that can be repeated. */
  readonly revision?: string;
  /**
   * One vector out of a picture's tokens [L, D]: the first ('cls', DINOv2's pooled output) or the mean of all. A model that
   * gives one vector a picture needs none. Default 'cls'.
   */
  readonly pooling?: 'cls' | 'mean';
  /** Precision of the weights: 'fp32', 'fp16', 'q8', …. Default 'fp32'. It changes the features, and is recorded. */
  readonly dtype?: string;
  /** Where it runs: 'cpu', 'webgpu', …. Default: what the library chooses. */
  readonly device?: string;
  /** Pictures a call. Default 16. */
  readonly batchSize?: number;
  /** The library, if it is loaded already or is not called `@huggingface/transformers` here. */
  readonly module?: TransformersModule;
}

/**
 * Loads a model and makes an encoder of it: `paris partition --encoder MODEL`. Its manifest entry holds model, revision,
 * pooling and dtype. Pictures are resized and normalised as the model's own configuration says.
 *
 * @example
 * const dino = await transformersEncoder({ model: 'onnx-community/dinov2-small' }); // [N, 384]
 *
 * @throws ClusteringError for another pooling; if the library is not installed, the model cannot be loaded, or gives no [B, D] or [B, L, D]
 */
export async function transformersEncoder(options: TransformersOptions): Promise<Encoder> {
  const { model, revision = 'main', pooling = 'cls', dtype = 'fp32', device, batchSize = 16 } = options;
  checkName(tag, 'pooling', pooling, ['cls', 'mean'], ClusteringError);
  const { pipeline, RawImage } = options.module ?? (await load());
  const settings = { revision, dtype, ...(device ? { device } : {}) };
  const extract = await pipeline('image-feature-extraction', model, settings).catch((cause: Error) => {
    const fix = 'Check the name, and that the hub can be reached or the files lie here.';
    throw new ClusteringError(tag, `the model "${model}" cannot be loaded (${cause.message}). ${fix}`, { cause });
  });
  const encodeBatch = async (images: ImageBatch): Promise<Float32Array> => {
    const raw = interleaved(images).map((data) => new RawImage(data, images.size, images.size, 3));
    const { dims, data } = await extract(raw);
    return pooled(dims, data, images.count, pooling, model);
  };
  const grey: ImageBatch = { pixels: new Uint8Array(3 * 32 * 32).fill(128), count: 1, size: 32 };
  const dimensions = (await encodeBatch(grey)).length;
  return {
    name: 'transformers',
    dimensions,
    parameters: { model, revision, pooling, dtype },
    async encode({ pixels, count, size }) {
      const area = 3 * size * size;
      const features = new Float32Array(count * dimensions);
      for (let from = 0; from < count; from += batchSize) {
        const some = Math.min(batchSize, count - from);
        const part = { pixels: pixels.subarray(from * area, (from + some) * area), count: some, size };
        features.set(await encodeBatch(part), from * dimensions);
      }
      return features;
    },
  };
}

async function load(): Promise<TransformersModule> {
  const name = '@huggingface/transformers'; // a variable: it is an optional peer that types need not find
  try {
    return (await import(/* @vite-ignore */ name)) as TransformersModule;
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw new ClusteringError(tag, `${name} is not there (${why}). npm install ${name}`, { cause });
  }
}

/** Planar RGB [N, 3, S, S] → N pictures [S, S, 3]. */
function interleaved({ pixels, count, size }: ImageBatch): Uint8Array[] {
  const plane = size * size;
  return Array.from({ length: count }, (_, i) => {
    const picture = pixels.subarray(i * 3 * plane, (i + 1) * 3 * plane);
    return Uint8Array.from({ length: 3 * plane }, (_, at) => picture[(at % 3) * plane + Math.floor(at / 3)]!);
  });
}

/** What a model gives, [B, D] or [B, L, D] → [B, D]. */
function pooled(
  dims: readonly number[],
  data: ArrayLike<number>,
  count: number,
  pooling: 'cls' | 'mean',
  model: string,
): Float32Array {
  if (dims[0] !== count || dims.length < 2 || dims.length > 3) {
    const got = `[${dims.join(', ')}] for ${count} pictures`;
    throw new ClusteringError(
      tag,
      `"${model}" gives ${got}, no [B, D] or [B, L, D]. Take a model with an encoder's output.`,
    );
  }
  if (dims.length === 2) return Float32Array.from(data);
  const [, tokens = 0, width = 0] = dims;
  return Float32Array.from({ length: count * width }, (_, at) => {
    const first = Math.floor(at / width) * tokens * width + (at % width);
    if (pooling === 'cls') return data[first]!;
    let sum = 0;
    for (let token = 0; token < tokens; token++) sum += data[first + token * width]!;
    return sum / tokens;
  });
}
