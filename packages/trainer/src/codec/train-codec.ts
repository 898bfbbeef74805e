// A codec of one's own: a tiny autoencoder that learns to draw the pictures of a data folder from latents of fewer numbers.
import type { FileSource } from '@paris/files';
import { type Codec, type Params, toFlat, toTree } from '@paris/model';
import { type Device, type Key, mse, type Tensor, type TensorKey, type TreeOf } from '@paris/tensor';
import { type BatchDraw, BatchDrawer, initKey, runKey } from '../data/batches.js';
import { openManifestFolder, type TrainingData } from '../data/files.js';
import type { Manifest } from '../data/formats.js';
import { rowsWhere } from '../data/items.js';
import { gatherRows, pickRows, type Rows, spread } from '../data/rows.js';
import { DataError } from '../errors.js';
import { assertRunApart } from '../output/apart.js';
import { CODEC_RUN } from '../run/names.js';
import { type Observer, VALIDATION_FILE } from '../run/observer.js';
import type { Json, RunRecord } from '../run/record.js';
import { tuningOf } from '../train/companions.js';
import { inputBatch } from '../train/noising.js';
import { recordedOptions, requireOption, type TrainingOptions, trainingOptions } from '../train/options.js';
import type { HostBatch, Recipe } from '../train/recipe.js';
import { upload } from '../train/step.js';
import { type TrainControls, train } from '../train/train.js';
import type { ValidationOptions } from '../train/validation.js';

/** Which codec is trained, on what. */
export interface TrainCodecOptions extends TrainControls {
  /** What `prepare` wrote, of pixels: `manifest.json` and its pictures are opened. It need not be partitioned. */
  data: FileSource;
  /** The config.json of a `tiny-autoencoder`, without its scale, which is measured in the end. Default: {@link codecConfig}. */
  config?: { [name: string]: Json } | undefined;
  training?: Partial<TrainingOptions>;
  /** Standard deviation of the noise on latents while it learns. Default 0.1. */
  latentNoise?: number | undefined;
  /** What the mean square of the latents adds to the loss, times this. Default 0.001. */
  latentPenalty?: number | undefined;
}

/** How small latents are, and how large the codec is. */
export interface CodecSize {
  /** How many times smaller latents are than pictures, a power of two. Default 4. */
  readonly factor?: number | undefined;
  /** Default 4. */
  readonly latentChannels?: number | undefined;
  /** Channels at the latents' size; half as many at each level above, 8 at least. Default 64. */
  readonly width?: number | undefined;
  /** Residual blocks of each level. Default 1. */
  readonly blocks?: number | undefined;
}

/**
 * The config.json of a `tiny-autoencoder` of a size.
 * @throws ValueError for a factor that is no power of two
 */
export function codecConfig({ factor = 4, latentChannels = 4, width = 64, blocks = 1 }: CodecSize = {}): {
  [name: string]: Json;
} {
  const levels = Math.log2(factor) + 1;
  requireOption('factor', factor, Number.isInteger(levels) && levels >= 1 && levels <= 6, 'a power of two, at most 32');
  const channels = Array.from({ length: levels }, (_, i) => Math.max(8, Math.floor(width / 2 ** (levels - 1 - i))));
  const each = channels.map(() => blocks);
  return {
    latent_channels: latentChannels,
    encoder_block_out_channels: channels,
    decoder_block_out_channels: [...channels].reverse(),
    num_encoder_blocks: each,
    num_decoder_blocks: each,
  };
}

/**
 * Trains a codec on the training pictures of a data folder, resumes it, or finds it finished: the mean of
 * ‖x − D(E(x) + σ·ε)‖² and a penalty on E(x)², each a mean over numbers. It is a variational autoencoder (Kingma & Welling,
 * arXiv 1312.6114, eq 10) whose posterior has one deviation σ for all latents: noise keeps neighbouring latents alike, and the
 * penalty keeps latents from growing out of the noise. The run is `codec`.
 * @throws DataError for data of latents, or of another size than a multiple of the factor; else as `trainExpert` does
 */
export async function trainCodec(options: TrainCodecOptions): Promise<RunRecord> {
  return train((await codecTraining(options)).recipe, options);
}

/** What {@link trainCodec} trains, and on what. */
export async function codecTraining(
  options: TrainCodecOptions,
): Promise<{ recipe: Recipe; data: TrainingData<Manifest> }> {
  const { device, latentNoise = 0.1, latentPenalty = 1e-3, config = codecConfig() } = options;
  for (const [name, value] of Object.entries({ latentNoise, latentPenalty }))
    requireOption(name, value, Number.isFinite(value) && value >= 0, 'a number from 0 on');
  const training = trainingOptions(options.training ?? {});
  await assertRunApart(options, CODEC_RUN);
  const { tinyAutoencoder } = await import('@paris/encoders/autoencoder'); // only who trains a codec loads it
  const codec = tinyAutoencoder.fromConfig(config);
  const data = await picturesOf(options.data, codec);
  const run = runKey(training.seed, CODEC_RUN);
  const { numbers, rows } = await splitRows(data, 'train');
  const drawer = new BatchDrawer(run, { count: rows.count, batchSize: training.batchSize, conditionDropout: 0 });
  const recipe: Recipe = {
    name: CODEC_RUN,
    identity: {
      kind: 'codec',
      options: {
        ...recordedOptions(training),
        ...{ latentNoise, latentPenalty, architecture: tinyAutoencoder.architecture, config },
      },
      data: { sha256: data.sha256, count: rows.count },
    },
    companions: tuningOf(device),
    training,
    initKey: initKey(run),
    init: (from: Key | TensorKey) => toFlat(codec.init(from)),
    shards: data.manifest.shards,
    async batch(step, lost) {
      const own = lost && { files: lost.files, has: (row: number) => lost.has(numbers[row]!) };
      const draw = drawer.draw(step, own);
      return { tensors: await pixels(rows, data.manifest, draw), noise: draw.noise, replaced: draw.replaced };
    },
    loss(params, batch, noise, dtype) {
      const images = batch.images!;
      const latents = codec.encode(toTree(params), images.cast(dtype)).cast('f32');
      const noisy = latents.add(noise(latents.shape).mul(latentNoise));
      const drawn = codec.decode(toTree(params), noisy.cast(dtype)).cast('f32');
      return { loss: mse(drawn, images).add(latents.square().mean().mul(latentPenalty)) };
    },
  };
  const { validation } = options;
  const observers = validation && [await drawnObserver(validation, codec, device)];
  return { recipe: { ...recipe, ...(observers && { observers }) }, data };
}

/**
 * Pictures that a codec can learn from.
 * @throws DataError for latents, or pictures of a size that the codec does not take
 */
async function picturesOf(store: FileSource, codec: Codec): Promise<TrainingData<Manifest>> {
  const data = await openManifestFolder(store);
  const { size, channels, latents } = data.manifest;
  if (latents) throw new DataError('train', 'the data has latents of another codec. Prepare pictures without --codec.');
  try {
    codec.latentShape({ channels, height: size, width: size });
  } catch (cause) {
    const what = `the codec does not take pictures of ${size} px: ${(cause as Error).message}`;
    throw new DataError('train', what, { cause });
  }
  return data;
}

/** One side of the hold-out split: rows of the folder. @throws DataError if there are none */
export async function splitRows(
  { manifest, rows, items }: TrainingData<Manifest>,
  split: 'train' | 'test',
): Promise<{ numbers: Uint32Array; rows: Rows }> {
  const numbers = await rowsWhere(items, (item) => item.split === split);
  if (numbers.length > 0) return { numbers, rows: pickRows(rows, manifest, numbers) };
  const what = split === 'train' ? 'no picture is for training' : 'no picture is held out';
  throw new DataError('train', `${what}. Prepare with another --holdout.`);
}

async function pixels(
  rows: Rows,
  manifest: Manifest,
  { indices }: Pick<BatchDraw, 'indices'>,
): Promise<HostBatch['tensors']> {
  return { images: inputBatch(await gatherRows(rows, manifest, indices), manifest, indices.length) };
}

/** Some rows as batches of pictures [B, 3, S, S] in [−1, 1], spread evenly: at most so many. */
export async function* pictureBatches(
  rows: Rows,
  manifest: Manifest,
  most: number,
): AsyncGenerator<HostBatch['tensors']> {
  const chosen = spread([...Array(rows.count).keys()], most);
  for (let from = 0; from < chosen.length; from += BATCH)
    yield pixels(rows, manifest, { indices: Uint32Array.from(chosen.slice(from, from + BATCH)) });
}

/** Pictures that are looked at together where nothing learns. */
const BATCH = 32;

/** The squared error of held-out pictures that were encoded and decoded, without noise: a line at time 0. */
async function drawnObserver(
  { data: store, every, pictures = 256 }: ValidationOptions,
  codec: Codec,
  device: Device,
): Promise<Observer<Params>> {
  requireOption('validation.every', every, Number.isSafeInteger(every) && every >= 1, 'a whole number from 1 on');
  const heldOut = await picturesOf(store, codec);
  const { rows } = await splitRows(heldOut, 'test');
  const measure = drawingErrors(device, codec);
  return {
    every,
    file: VALIDATION_FILE,
    async look(params, step, onProgress) {
      const { error: loss } = await measure(toTree(params), rows, heldOut.manifest, { most: pictures, onProgress });
      return { lines: [{ step, time: 0, loss }], event: { type: 'validation', step, loss } };
    },
  };
}

type MeasureDrawing = (
  params: TreeOf<Tensor>,
  rows: Rows,
  manifest: Manifest,
  how: { most: number; onProgress?: (done: number, total: number) => void },
) => Promise<{ pictures: number; error: number }>;

/** Measures the mean squared error of pictures that were encoded and decoded, cut to [−1, 1]: of so many rows at most. */
export function drawingErrors(device: Device, codec: Codec): MeasureDrawing {
  const errorOf = device.compile((params: TreeOf<Tensor>, images: Tensor) => {
    const drawn = codec.decode(params, codec.encode(params, images));
    return mse(drawn.maximum(-1).minimum(1), images);
  });
  return async (params, rows, manifest, { most, onProgress }) => {
    let [sum, pictures] = [0, 0];
    for await (const batch of pictureBatches(rows, manifest, most)) {
      using images = upload(device, batch).images!;
      using error = await errorOf(params, images);
      const [count = 0] = images.shape;
      sum += count * (await error.item());
      pictures += count;
      onProgress?.(pictures, Math.min(rows.count, most));
    }
    return { pictures, error: sum / pictures };
  };
}
