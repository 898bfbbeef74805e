// Prompts → one PNG with all pictures, and a trace of how each came about.

import type { FileSource } from '@paris/files';
import { type Architecture, type Expert, type PromptWords, promptWords, type Vocabulary } from '@paris/model';
import {
  encodePng,
  type Generated,
  type LoadProgress,
  loadPipeline,
  type RgbImage,
  type RoutingRecord,
  type RoutingTelemetry,
  tileImages,
} from '@paris/sampler';
import { type Device, ValueError } from '@paris/tensor';

/** Which model draws what, and how. */
export interface SampleOptions {
  device: Device;
  model: FileSource;
  prompts: readonly string[];
  /** Pictures for each prompt. */
  count: number;
  seed: number;
  steps: number;
  guidance: number;
  /** Default: what the model says. */
  routing?: string | undefined;
  sampler: string;
  /** Experts' architectures beside `dit`. */
  architectures?: readonly Architecture<Expert>[];
  /** How many intermediate pictures the trace keeps of each. 0 keeps none. */
  filmFrames?: number;
  /** Whether routing records and trace hold what `telemetry` measures. Default false. */
  telemetry?: boolean;
  /** Called after each step of each batch, in steps of single pictures. */
  onProgress?: (done: number, total: number) => void;
  /** Called as the model is read. */
  onLoad?: (progress: LoadProgress) => void;
  /** Whether prompts are drawn of which the model knows no word. Default false. */
  allowUnknown?: boolean;
  /** Called before anything is drawn with each prompt that has words which the model does not know, or does not see. */
  onWords?: (prompt: string, words: PromptWords) => void;
  signal?: AbortSignal | undefined;
}

/** How pictures came about: what `--trace` writes. */
export interface SampleTrace {
  version: 1;
  seed: number;
  steps: number;
  guidance: number;
  routing: string;
  sampler: string;
  clusters: number;
  width: number;
  height: number;
  /** Time of the sampling alone, without loading. */
  seconds: number;
  /** How many times each expert ran a picture. */
  expertPictures: readonly number[];
  pictures: {
    prompt: string;
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
  const { device, prompts, count, seed, steps, guidance, sampler, filmFrames = 0, onProgress, signal } = options;
  const { onLoad, architectures = [], telemetry = false } = options;
  const pipeline = await loadPipeline(options.model, {
    ...{ device, architectures, signal },
    ...(onLoad && { onProgress: onLoad }),
  });
  try {
    checkWords(pipeline.vocabulary, options);
    const routing = options.routing ?? pipeline.index.routing;
    const films: SampleTrace['pictures'][number]['film'][] = Array.from({ length: prompts.length * count }, () => []);
    const kept = frames(steps, filmFrames);
    let pictureSteps = 0;
    const began = performance.now();
    const generated = await pipeline.generate({
      prompts: prompts.flatMap((prompt) => new Array<string>(count).fill(prompt)),
      seed,
      steps,
      guidance,
      sampler,
      routing,
      telemetry,
      ...(signal && { signal }),
      onStep: async ({ step, time, firstImage, images, preview }) => {
        if (kept.includes(step)) {
          for (const [i, image] of (await preview()).entries())
            films[firstImage + i]!.push({ step, time, png: base64(image) });
        }
        pictureSteps += images;
        onProgress?.(pictureSteps, prompts.length * count * steps);
      },
    });
    const seconds = (performance.now() - began) / 1000;
    const { width, height } = generated.images[0]!;
    const pictures = generated.images.map((image, i) => ({
      prompt: generated.prompts[i]!,
      png: base64(image),
      evaluations: generated.routing[i]!.map(traced),
      film: films[i]!,
    }));
    const { prompts: all, expertPictures } = generated;
    const { clusters } = pipeline.index;
    const shared = { version: 1 as const, seed, steps, guidance, routing, sampler, clusters, width, height, seconds };
    const trace = { ...shared, expertPictures, pictures };
    return { images: generated.images, prompts: all, routing: generated.routing, trace };
  } finally {
    await pipeline.close();
  }
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

/** One row for each prompt, enlarged so that pixels can be seen. */
export function contactSheet(images: readonly RgbImage[], columns: number, scale: number): RgbImage {
  const gap = Math.max(1, Math.round(images[0]!.width / 8)) * scale;
  return tileImages(
    images.map((image) => enlarge(image, scale)),
    columns,
    { gap },
  );
}

/** Every pixel becomes factor × factor pixels. */
export function enlarge({ width, height, data }: RgbImage, factor: number): RgbImage {
  const out = new Uint8Array(3 * width * height * factor * factor);
  for (let y = 0; y < height * factor; y++) {
    for (let x = 0; x < width * factor; x++) {
      const from = 3 * (Math.floor(y / factor) * width + Math.floor(x / factor));
      out.set(data.subarray(from, from + 3), 3 * (y * width * factor + x));
    }
  }
  return { width: width * factor, height: height * factor, data: out };
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

function tracedTelemetry({ entropy, nearTie, milliseconds, cosines }: RoutingTelemetry, clusters: number) {
  const rows = Array.from({ length: clusters }, (_, k) => rounded(cosines.subarray(k * clusters, (k + 1) * clusters)));
  return {
    entropy: round(entropy),
    nearTie,
    milliseconds: Math.round(milliseconds * 1e3) / 1e3,
    cosines: rows.map((row) => row.map((cosine) => (Number.isNaN(cosine) ? null : cosine))), // JSON knows no NaN
  };
}

function rounded(values: Float32Array): number[] {
  return Array.from(values, round);
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
