// From pictures to the folder of a codec: training, the scale of its latents, and how well it draws what it never saw.
import { encodeJson, type FileSource, type FileStore, folderStore, memoryStore, readJson, sha256 } from '@paris/files';
import type { Codec } from '@paris/model';
import type { Device, Tensor, TreeOf } from '@paris/tensor';
import * as z from 'zod/mini';
import type { TrainingData } from '../data/files.js';
import type { Manifest } from '../data/formats.js';
import { rowsWhere } from '../data/items.js';
import { pickRows, type Rows } from '../data/rows.js';
import { type LoadedPart, loadCodec } from '../encode/parts.js';
import { DataError } from '../errors.js';
import { assertApart } from '../output/apart.js';
import { claimOutput, type OutputKind } from '../output/claim.js';
import { recoverOutput, replaceOutput } from '../output/replace.js';
import { WEIGHTS_FILE } from '../run/claim.js';
import { CODEC_RUN } from '../run/names.js';
import { objectOf } from '../run/record.js';
import { upload } from '../train/step.js';
import { train } from '../train/train.js';
import { codecTraining, drawingErrors, pictureBatches, splitRows, type TrainCodecOptions } from './train-codec.js';

/** What is trained, and where the codec goes. */
export interface MakeCodecOptions extends TrainCodecOptions {
  /** The codec's folder, as `prepare --codec` takes it: a new or an empty one, or one that this wrote. */
  out: FileStore;
}

/** `codec.json`: what came of a codec's training. */
export interface CodecReport {
  version: 1;
  /** SHA-256 of config.json and model.safetensors, by name. */
  files: { [name: string]: string };
  /** Of the latents of training pictures before they are scaled. */
  latents: { mean: number; deviation: number };
  /** Pictures that were encoded and decoded, and the peak signal-to-noise ratio of these in decibels. */
  training: { pictures: number; psnr: number };
  /** The same of held-out pictures; absent where there are none. */
  heldOut?: { pictures: number; psnr: number } | undefined;
}

const measured = z.object({ pictures: z.int(), psnr: z.number() });
const reportSchema: z.ZodMiniType<CodecReport> = z.object({
  version: z.literal(1),
  files: z.record(z.string(), z.string()),
  latents: z.object({ mean: z.number(), deviation: z.number() }),
  training: measured,
  heldOut: z.optional(measured),
});

/** Its file in the codec's folder. */
export const CODEC_REPORT = 'codec.json';
const CONFIG = 'config.json';
/** Pictures that are measured at most, of each side. */
const MOST = 512;

/** What {@link makeCodec} writes. A codec from elsewhere has no codec.json, and so is not ours to write over. */
const codecFolder: OutputKind = {
  name: 'codec',
  index: CODEC_REPORT,
  parts: [CONFIG, WEIGHTS_FILE],
  async owned(store) {
    const report = await readCodecReport(store).catch(() => undefined);
    return report && new Set([CODEC_REPORT, ...Object.keys(report.files)]);
  },
};

/**
 * Trains a codec (see `trainCodec`), or resumes it, and writes it into a folder that `prepare`, `assemble` and `loadCodec` take:
 * its latents are scaled to mean 0 and deviation 1.
 * @throws OutputError if the folder holds something else; DataError if the latents say nothing; as `trainCodec` does
 */
export async function makeCodec(options: MakeCodecOptions): Promise<CodecReport> {
  const { device, out, runs, data, signal } = options;
  await assertApart(
    'train',
    [{ what: "the codec's folder", store: out }],
    [
      { what: 'the folder of runs', store: runs },
      { what: 'the data folder', store: data },
    ],
  );
  await recoverOutput(out);
  await claimOutput(out, codecFolder, 'train'); // said now, not after the training
  const { recipe, data: pictures } = await codecTraining(options);
  const record = await train(recipe, options);
  signal?.throwIfAborted();
  const weights = await folderStore(runs, CODEC_RUN).read(WEIGHTS_FILE);
  const { architecture } = record.options;
  const config = { architecture, ...objectOf(record.options.config) };
  const plain = memoryStore({
    [`codec/${CONFIG}`]: encodeJson(config),
    [`codec/${WEIGHTS_FILE}`]: weights,
  });
  const { latents, ...quality } = await measure(device, plain, pictures);
  const scaled = { ...config, scaling_factor: 1 / latents.deviation, shift_factor: latents.mean };
  const written = { [CONFIG]: encodeJson(scaled), [WEIGHTS_FILE]: weights };
  const hashes = await Promise.all(Object.entries(written).map(async ([name, bytes]) => [name, await sha256(bytes)]));
  const report: CodecReport = { version: 1, files: Object.fromEntries(hashes), latents, ...quality };
  const replaced = { parts: codecFolder.parts, last: CODEC_REPORT };
  await replaceOutput(out, codecFolder, replaced, 'train', async (folder) => {
    for (const [name, bytes] of Object.entries(written)) await folder.write(name, bytes);
    await folder.write(CODEC_REPORT, encodeJson(report));
  });
  return report;
}

/** What came of a codec's training, from its folder. @throws CheckpointError if its codec.json is none */
export async function readCodecReport(store: FileSource): Promise<CodecReport> {
  return readJson(store, CODEC_REPORT, reportSchema);
}

/** Latents of training pictures, and errors of pictures on both sides. */
async function measure(
  device: Device,
  store: FileSource,
  data: TrainingData<Manifest>,
): Promise<Omit<CodecReport, 'version' | 'files'>> {
  const { manifest } = data;
  const { rows } = await splitRows(data, 'train');
  const others = await rowsWhere(data.items, ({ split }) => split === 'test');
  const codec = await loadCodec(device, { store, folder: 'codec' });
  try {
    const latents = await latentsOf(codec, rows, manifest);
    const training = await qualityOf(codec, rows, manifest);
    if (others.length === 0) return { latents, training };
    return { latents, training, heldOut: await qualityOf(codec, pickRows(data.rows, manifest, others), manifest) };
  } finally {
    codec.release();
  }
}

async function latentsOf(
  { device, network, params }: LoadedPart<Codec>,
  rows: Rows,
  manifest: Manifest,
): Promise<CodecReport['latents']> {
  const encode = device.compile((weights: TreeOf<Tensor>, images: Tensor) => network.encode(weights, images));
  let [sum, squares, count] = [0, 0, 0];
  for await (const batch of pictureBatches(rows, manifest, MOST)) {
    using images = upload(device, batch).images!;
    using latents = await encode(params, images);
    for (const value of await latents.read()) {
      sum += value;
      squares += value * value;
      count += 1;
    }
  }
  const mean = sum / count;
  const deviation = Math.sqrt(Math.max(0, squares / count - mean * mean));
  if (deviation > 1e-6) return { mean, deviation };
  throw new DataError(
    'train',
    'all latents are the same: the codec learned nothing. Train longer, or with less noise.',
  );
}

async function qualityOf(
  { device, network, params }: LoadedPart<Codec>,
  rows: Rows,
  manifest: Manifest,
): Promise<CodecReport['training']> {
  const { pictures, error } = await drawingErrors(device, network)(params, rows, manifest, { most: MOST });
  return { pictures, psnr: 10 * Math.log10(2 ** 2 / Math.max(error, 1e-12)) }; // from −1 to 1: a reach of 2
}
