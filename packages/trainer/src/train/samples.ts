// Sample pictures of an expert while it trains: the same prompts and the same noise each time, so that a row of files shows what
// it learned when.
import { type Codec, type Expert, type NoisePath, noisePath, type Params, type TextEncoder } from '@paris/model';
import { top } from '@paris/router';
import {
  DEFAULT_GUIDANCE,
  encodePng,
  euler,
  mixture,
  pictureDecoder,
  tileImages,
  toRgbImages,
  uniformTimes,
} from '@paris/sampler';
import { type Device, hostNormal, key, type Tensor, ValueError } from '@paris/tensor';
import { type ClusterManifest, networkInput } from '../data/formats.js';
import type { Items } from '../data/items.js';
import type { Rows } from '../data/rows.js';
import { assertSamePart, type LoadedPart } from '../encode/parts.js';
import { type Observer, SAMPLES_FILE } from '../run/observer.js';
import { type ConditionSource, conditionOf } from './conditions.js';
import { requireOption } from './options.js';
import { promptBatches } from './sample-prompts.js';
import { upload } from './step.js';

/** Which pictures are drawn while an expert trains. */
export interface SampleOptions {
  /** Steps between two drawings. */
  every: number;
  /**
   * One picture each: prompts, or classes by number or name. Default: four captions of the training pictures, spread evenly over
   * them, or four of their classes.
   */
  prompts?: readonly string[] | undefined;
  /** What decodes the pictures of an expert that learns latents: the codec that they were encoded with. */
  codec?: LoadedPart<Codec> | undefined;
  /** What encodes `prompts` for an expert that learns features of captions: the text encoder of the data. */
  text?: LoadedPart<TextEncoder> | undefined;
  /** Decides the noise that pictures begin from. Default 0. */
  seed?: number | undefined;
  /** Euler steps. Default 20. */
  steps?: number | undefined;
  /** Default 2, and 1 (prompts count as much as they did in training) for an expert that is trained without dropout. */
  guidance?: number | undefined;
}

/** Whose samples they are. */
export interface Sampled {
  readonly device: Device;
  readonly expert: Expert;
  readonly manifest: ClusterManifest;
  readonly rows: Rows;
  readonly items: Items;
  readonly condition: ConditionSource;
  readonly conditionDropout: number;
  readonly paths?: readonly NoisePath[] | undefined;
}

/**
 * Draws a picture for each prompt with this expert alone: `samples/00000200.png`, and a line of samples.jsonl that says how.
 * @throws ValueError for options that mean nothing, for data that are no RGB pictures, and for latents or prompts without what
 *   decodes or encodes them; DataError for a codec or a text encoder that is not the data's
 */
export async function samplesObserver(options: SampleOptions, of: Sampled): Promise<Observer<Params>> {
  const { device, expert, manifest, paths, conditionDropout, condition: source } = of;
  const guided = conditionDropout > 0 && source.kind !== 'none';
  const { every, seed = 0, steps = 20, guidance = guided ? DEFAULT_GUIDANCE : 1 } = options;
  check({ every, steps }, options.prompts);
  const decode = decoderOf(device, options, manifest);
  const { prompts, given, none } = await promptBatches(options, of);
  const path = noisePath(expert.objective.path, paths);
  const { size, channels } = networkInput(manifest);
  const shape = [prompts.length, channels, size, size];
  const area = channels * size * size;
  const noise = new Float32Array(prompts.length * area);
  for (const i of prompts.keys()) noise.set(hostNormal(key(seed).split(3)[0]!.foldIn(i), area), i * area); // as a pipeline does

  return {
    every,
    file: SAMPLES_FILE,
    async look(params, step, onProgress) {
      const model = mixture({ device, experts: [{ expert, params }], path, ...(paths && { paths }) });
      using initial = device.tensor(noise, { shape });
      const batches = [upload(device, given), upload(device, none)] as const;
      const [condition, unconditional] = batches.map((batch) => conditionOf(batch));
      const { denoiser, startStep } = model.start(prompts.length, {
        ...{ routing: top(1), key: key(seed), guidance },
        ...(condition && unconditional && { condition, unconditional }),
      });
      let drawn: Drawn | undefined;
      startStep(0);
      for await (const at of euler(denoiser, initial, { times: uniformTimes(steps), path })) {
        if (at.step === steps - 1) drawn = await picturesOf(at.latents, decode);
        startStep(at.step + 1);
        onProgress(at.step + 1, steps);
      }
      for (const tensor of batches.flatMap((batch) => Object.values(batch))) tensor.dispose();
      const file = `samples/${String(step).padStart(8, '0')}.png`;
      const png = encodePng(tileImages(toRgbImages(drawn!.values, drawn!.shape), prompts.length));
      return {
        files: { [file]: png },
        lines: [{ step, file, prompts: [...prompts], seed, guidance, steps }],
        event: { type: 'samples', step, file },
      };
    },
  };
}

/** Pictures on the host. */
interface Drawn {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

async function picturesOf(latents: Tensor, decode: (latents: Tensor) => Promise<Tensor>): Promise<Drawn> {
  const pictures = await decode(latents);
  try {
    return { values: (await pictures.read()) as Float32Array, shape: pictures.shape };
  } finally {
    if (pictures !== latents) pictures.dispose();
  }
}

/** From what the expert draws to pictures. */
function decoderOf(
  device: Device,
  { codec }: SampleOptions,
  { latents, channels }: ClusterManifest,
): (latents: Tensor) => Promise<Tensor> {
  if (latents) {
    if (!codec) {
      throw new ValueError(
        'train',
        'samples of latents are drawn through their codec. Give it (--codec), or no samples.',
      );
    }
    assertSamePart('train', 'codec', codec.record, latents.codec);
    return pictureDecoder(device, { codec: codec.network, params: codec.params });
  }
  if (channels === 3) return async (pixels) => pixels;
  const what = `samples are drawn of pictures with 3 channels, and these have ${channels}`;
  throw new ValueError('train', `${what}. Leave them out.`);
}

function check(numbers: { [name: string]: number }, prompts: readonly string[] | undefined): void {
  for (const [name, value] of Object.entries(numbers)) {
    requireOption(`samples.${name}`, value, Number.isSafeInteger(value) && value >= 1, 'a whole number from 1 on');
  }
  if (prompts?.length === 0) {
    throw new ValueError('train', 'samples.prompts is an empty list. Give a prompt at least, or leave it out.');
  }
}
