// Prompts → one PNG with all pictures, and a trace of how each came about.

import type { FileSource } from '@paris/files';
import type { DownloadProgress } from '@paris/files/download';
import { type Architecture, type Expert, type PromptWords, promptWords, type Vocabulary } from '@paris/model';
import {
  encodePng,
  type Generated,
  type GenerateOptions,
  type Guidance,
  type LoadProgress,
  loadPipeline,
  type PictureSeed,
  type Pipeline,
  type Residency,
  type RgbImage,
  type RoutingRecord,
  type RoutingTelemetry,
  type Swaps,
  tileImages,
} from '@paris/sampler';
import { type Device, ValueError } from '@paris/tensor';

/** Which model draws what, and how. */
export interface SampleOptions {
  device: Device;
  /** Where the model is, as `loadPipeline` takes it. */
  model: string | FileSource;
  /** For weights, see `loadPipeline`. */
  memoryBudgetBytes?: number | undefined;
  /** Of a model that takes classes: their numbers or names. */
  prompts: readonly string[];
  /** Pictures for each prompt. */
  count: number;
  /** Of all pictures of a prompt, or of each. */
  seed: number | readonly PictureSeed[];
  steps: number;
  guidance: number | Guidance;
  /** Default: what the model says. */
  routing?: string | undefined;
  sampler: string;
  /** Default `uniform`. */
  schedule?: string | undefined;
  /** A weaker model to lead away from, as `loadPipeline` takes it, and how far. */
  autoguidance?: { weaker: string | FileSource; scale: number };
  /** What `generate` takes: negative prompts, pictures, masks, variations, … */
  more?:
    | Pick<
        GenerateOptions,
        'negativePrompt' | 'image' | 'strength' | 'mask' | 'variation' | 'interpolate' | 'autoguidance' | 'shift'
      >
    | undefined;
  /** Asked once the model is loaded, for options that depend on it. */
  onModel?: (pipeline: Pipeline) => Promise<SampleOptions['more']>;
  /** Draws all prompts once for each of these policies, from the same seeds, instead of `routing`. */
  compare?: readonly string[] | undefined;
  /** Experts' architectures in addition to `dit`. */
  architectures?: readonly Architecture<Expert>[];
  /** How many intermediate pictures the trace keeps of each. 0 keeps none. */
  filmFrames?: number;
  /** Whether routing records and trace hold what `telemetry` measures. Default false. */
  telemetry?: boolean;
  /** Called after each step of each batch, in steps of single pictures. */
  onProgress?: (done: number, total: number) => void;
  /** Called as the model is read. */
  onLoad?: (progress: LoadProgress) => void;
  /** Called as it is downloaded. */
  onDownload?: (progress: DownloadProgress) => void;
  /** Called with lines about a model in somebody else's form, see `loadPipeline`. */
  onNotice?: (line: string) => void;
  /** Whether prompts are drawn of which the model knows no word. Default false. */
  allowUnknown?: boolean;
  /** Called before anything is drawn with each prompt that has words which the model does not know, or does not see. */
  onWords?: (prompt: string, words: PromptWords) => void;
  signal?: AbortSignal | undefined;
}

/** How pictures came about: what `--trace` writes. */
export interface SampleTrace {
  version: 1;
  seed: number | readonly PictureSeed[];
  steps: number;
  guidance: number | Guidance;
  routing: string;
  sampler: string;
  schedule: string;
  clusters: number;
  width: number;
  height: number;
  /** Time of the sampling alone, without loading. */
  seconds: number;
  /** How many times each expert ran a picture. */
  expertPictures: readonly number[];
  /** Where experts were and how often they moved, under a memory budget. */
  residency?: Residency;
  pictures: {
    prompt: string;
    routing: string;
    /** PNG, base64. */
    png: string;
    /** One for each model evaluation, from noise to picture. */
    evaluations: TraceEvaluation[];
    /** The picture that the model expected after some steps, the noisiest first. */
    film: { step: number; time: number; png: string }[];
  }[];
}

/** What the router said and the policy chose for one picture at one evaluation; probabilities and weights [K]. */
export interface TraceEvaluation {
  step: number;
  time: number;
  probabilities: number[];
  weights: number[];
  /** As `RoutingTelemetry` has it, where it was asked for. */
  entropy?: number;
  nearTie?: boolean;
  milliseconds?: number;
  /** [K][K]; null where one of both experts did not run. */
  cosines?: (number | null)[][];
  /** How far the experts that ran disagree: 1 − the mean cosine between two of them. Null where only one ran. */
  disagreement?: number | null;
  /** What was brought to the device for the whole batch, under a memory budget. */
  swaps?: Swaps;
}

/** Pictures of one prompt after those of another, as all per-picture lists here. */
export interface Sampled {
  images: readonly RgbImage[];
  prompts: readonly string[];
  routing: Generated['routing'];
  trace: SampleTrace;
}

/**
 * Loads a model, draws `count` pictures for each prompt and closes the model again; the device stays open.
 * @throws what `loadPipeline` and `Pipeline.generate` throw; ValueError for a prompt of which no word is known; the signal's reason when it is aborted, while loading too
 */
export async function sample(options: SampleOptions): Promise<Sampled> {
  const { device, architectures = [], memoryBudgetBytes, signal, onLoad, onDownload, onNotice } = options;
  const loading = {
    ...{ device, architectures, memoryBudgetBytes, onDownload, signal },
    ...(onLoad && { onProgress: onLoad }),
    ...(onNotice && { onNotice }),
  };
  const pipeline = await loadPipeline(options.model, loading);
  let weaker: Pipeline | undefined;
  try {
    checkWords(pipeline.vocabulary, options);
    if (options.autoguidance) weaker = await loadPipeline(options.autoguidance.weaker, loading);
    const more = {
      ...options.more,
      ...(await options.onModel?.(pipeline)),
      ...(weaker && { autoguidance: { weaker, scale: options.autoguidance!.scale } }),
    };
    const policies = options.compare ?? [options.routing ?? pipeline.index.routing];
    const drawn: Drawn[] = [];
    const began = performance.now();
    for (const routing of policies) {
      const before = drawn.length * options.prompts.length * options.count * options.steps;
      drawn.push(await draw(pipeline, options, more, routing, { before, rounds: policies.length }));
    }
    const seconds = (performance.now() - began) / 1000;
    return gathered(drawn, policies, seconds, pipeline, options);
  } finally {
    await weaker?.close();
    await pipeline.close();
  }
}

interface Drawn {
  generated: Generated;
  pictures: SampleTrace['pictures'];
}

/** The pictures of one policy after those of another, and how all of them came about. */
function gathered(
  drawn: readonly Drawn[],
  policies: readonly string[],
  seconds: number,
  { index: { clusters }, residency }: Pipeline,
  { seed, steps, guidance, sampler, schedule = 'uniform', compare }: SampleOptions,
): Sampled {
  const all = drawn.map(({ generated }) => generated);
  const { width, height } = all[0]!.images[0]!;
  const routing = policies.join(',');
  return {
    images: all.flatMap(({ images }) => images),
    prompts: all.flatMap((each, i) => each.prompts.map((text) => (compare ? `${policies[i]}: ${text}` : text))),
    routing: all.flatMap((each) => each.routing),
    trace: {
      version: 1,
      ...{ seed, steps, guidance, routing, sampler, schedule, clusters, width, height, seconds },
      expertPictures: all[0]!.expertPictures.map((_, k) => all.reduce((sum, each) => sum + each.expertPictures[k]!, 0)),
      ...(residency && { residency }),
      pictures: drawn.flatMap(({ pictures }) => pictures),
    },
  };
}

/** All pictures under one policy. */
async function draw(
  pipeline: Pipeline,
  options: SampleOptions,
  more: SampleOptions['more'],
  routing: string,
  { before, rounds }: { before: number; rounds: number },
): Promise<Drawn> {
  const {
    prompts,
    count,
    seed,
    steps,
    guidance,
    sampler,
    schedule,
    filmFrames = 0,
    telemetry = false,
    signal,
  } = options;
  const total = prompts.length * count;
  const films: SampleTrace['pictures'][number]['film'][] = Array.from({ length: total }, () => []);
  let done = before;
  const generated = await pipeline.generate({
    [pipeline.labels ? 'labels' : 'prompts']: prompts.flatMap((prompt) => new Array<string>(count).fill(prompt)),
    ...{ seed, steps, guidance, sampler, routing, telemetry, ...more },
    ...(schedule !== undefined && { schedule }),
    ...(signal && { signal }),
    onStep: async ({ step, steps: taken, time, firstImage, images, preview }) => {
      if (frames(taken, filmFrames).includes(step)) {
        for (const [i, image] of (await preview()).entries())
          films[firstImage + i]!.push({ step, time, png: base64(image) });
      }
      done += (images * steps) / taken; // with a strength fewer are taken
      options.onProgress?.(Math.round(done), rounds * total * steps);
    },
  });
  const pictures = generated.images.map((image, i) => ({
    ...{ prompt: generated.prompts[i]!, routing, png: base64(image) },
    evaluations: generated.routing[i]!.map(traced),
    film: films[i]!,
  }));
  return { generated, pictures };
}

/** @throws ValueError for a prompt of which no word is known, unless that is allowed */
function checkWords(vocabulary: Vocabulary | undefined, options: SampleOptions): void {
  if (!vocabulary) return; // a text encoder of somebody's own reads what it likes
  for (const prompt of new Set(options.prompts)) {
    const words = promptWords(prompt, vocabulary);
    if (prompt.trim() !== '' && words.known.length === 0 && !options.allowUnknown) {
      const what = `the model knows no word of the prompt ${JSON.stringify(prompt)}`;
      const fix = 'paris info MODEL --words lists those it knows; --allow-unknown draws all the same.';
      throw new ValueError('sample', `${what}. ${fix}`);
    }
    if (words.unknown.length + words.cut.length > 0) options.onWords?.(prompt, words);
  }
}

/** One row for each prompt, enlarged so that pixels can be seen. A single picture stays alone. */
export function contactSheet(images: readonly RgbImage[], columns: number, scale: number): RgbImage {
  if (images.length === 1) return enlarge(images[0]!, scale);
  return tileImages(
    images.map((image) => enlarge(image, scale)),
    columns,
    { gap: gapOf(images[0]!, scale) },
  );
}

function gapOf({ width }: { readonly width: number }, scale: number): number {
  return Math.max(1, Math.round(width / 8)) * scale;
}

/** A PNG's pixels are one piece of memory. */
const mostSheetBytes = 2 ** 31 - 1;

/** @throws ValueError for a contact sheet that would be too large, before its pictures are drawn */
export function checkSheet(
  size: { readonly width: number; readonly height: number },
  { count, columns, scale }: { readonly count: number; readonly columns: number; readonly scale: number },
): void {
  const gap = count === 1 ? 0 : gapOf(size, scale);
  const width = columns * (size.width * scale + gap) + gap;
  const height = Math.ceil(count / columns) * (size.height * scale + gap) + gap;
  if (3 * width * height <= mostSheetBytes) return;
  const instead = count === 1 ? '' : ', or an --out that ends in .html';
  throw new ValueError(
    'sample',
    `a PNG of ${count} pictures would have ${width}×${height} pixels, too many. Give a smaller --scale${instead}.`,
  );
}

/** Every pixel becomes factor × factor pixels. */
export function enlarge(image: RgbImage, factor: number): RgbImage {
  const { width, height, data } = image;
  const out = new Uint8Array(3 * width * height * factor * factor);
  for (let y = 0; y < height * factor; y++) {
    for (let x = 0; x < width * factor; x++) {
      const from = 3 * (Math.floor(y / factor) * width + Math.floor(x / factor));
      out.set(data.subarray(from, from + 3), 3 * (y * width * factor + x));
    }
  }
  return { ...image, width: width * factor, height: height * factor, data: out };
}

/** `count` steps spread evenly, the last among them. */
function frames(steps: number, count: number): number[] {
  return Array.from(
    { length: Math.min(count, steps) },
    (_, i) => Math.round(((i + 1) * steps) / Math.min(count, steps)) - 1,
  );
}

function base64(image: RgbImage): string {
  return Buffer.from(encodePng(image)).toString('base64');
}

function traced({ step, time, probabilities, weights, telemetry }: RoutingRecord): TraceEvaluation {
  const evaluation = { step, time, probabilities: rounded(probabilities), weights: rounded(weights) };
  return telemetry ? { ...evaluation, ...tracedTelemetry(telemetry, weights.length) } : evaluation;
}

function tracedTelemetry({ entropy, nearTie, milliseconds, cosines, swaps }: RoutingTelemetry, clusters: number) {
  const rows = Array.from({ length: clusters }, (_, k) => rounded(cosines.subarray(k * clusters, (k + 1) * clusters)));
  return {
    entropy: round(entropy),
    nearTie,
    milliseconds: Math.round(milliseconds * 1e3) / 1e3,
    cosines: rows.map((row) => row.map((cosine) => (Number.isNaN(cosine) ? null : cosine))), // JSON knows no NaN
    disagreement: disagreementOf(rows),
    ...(swaps && { swaps: { ...swaps, milliseconds: Math.round(swaps.milliseconds * 1e3) / 1e3 } }),
  };
}

/** 1 − the mean cosine of all pairs that ran. */
function disagreementOf(rows: readonly number[][]): number | null {
  const pairs = rows.flatMap((row, i) => row.filter((cosine, j) => j > i && !Number.isNaN(cosine)));
  if (pairs.length === 0) return null;
  return round(1 - pairs.reduce((sum, cosine) => sum + cosine, 0) / pairs.length);
}

function rounded(values: Float32Array): number[] {
  return Array.from(values, round);
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
