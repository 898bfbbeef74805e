// Pictures that a model draws, to be measured.
import type { FileSource } from '@paris/files';
import type { RoutingPolicy } from '@paris/router';
import { loadPipeline, type Pipeline, type RgbImage } from '@paris/sampler';
import type { Device } from '@paris/tensor';
import { DataError } from '../errors.js';
import type { Architectures } from './evaluate.js';
import type { Subjects } from './subjects.js';

/** How pictures are drawn. */
export interface DrawOptions {
  seed: number;
  steps: number;
  guidance: number;
  /** Default: what the model's index says. */
  routing?: RoutingPolicy | string | undefined;
  /** Called as steps of single pictures are taken. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Pictures, and of each the experts' weights at each evaluation. */
export interface Drawn {
  images: readonly RgbImage[];
  weights: readonly (readonly Float32Array[])[];
  /** Of one picture, by the clock. */
  seconds: number;
}

/** A model's pipeline. @throws DataError if it draws pictures of another size; what `loadPipeline` throws */
export async function openPipeline(
  model: FileSource,
  size: number,
  options: { device: Device; architectures?: Architectures | undefined; signal?: AbortSignal | undefined },
): Promise<Pipeline> {
  const { device, architectures, signal } = options;
  const { experts = [], ...parts } = architectures ?? {};
  const pipeline = await loadPipeline(model, { device, architectures: experts, ...parts, signal });
  const { width, height } = await pipeline.pictureSize();
  if (width === size && height === size) return pipeline;
  await pipeline.close();
  const what = `the model draws pictures of ${width}×${height}, and those of the data are ${size}×${size}`;
  throw new DataError('evaluate', `${what}. Give the data that the model was trained on.`);
}

/** A picture for each text; the i-th starts from the same noise whatever the model and the routing. */
export async function draw(pipeline: Pipeline, { as, texts }: Subjects, options: DrawOptions): Promise<Drawn> {
  const { seed, steps, guidance, routing, signal, onProgress } = options;
  const total = texts.length * steps;
  const began = performance.now();
  const { images, routing: records } = await pipeline.generate({
    ...{ [as]: texts, seed, steps, guidance },
    ...(routing !== undefined && { routing }),
    ...(signal && { signal }),
    onStep: ({ step, firstImage, images: own }) => onProgress?.(firstImage * steps + own * (step + 1), total),
  });
  const seconds = (performance.now() - began) / 1000 / texts.length;
  return { images, weights: records.map((own) => own.map(({ weights }) => weights)), seconds };
}
