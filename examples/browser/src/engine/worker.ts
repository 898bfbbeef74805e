// Everything that computes in this browser: one model on one device.
import { autoencoderKL } from '@paris/encoders/autoencoder';
import { clip } from '@paris/encoders/clip';
import { classNames } from '@paris/model/classes';
import {
  type GenerateOptions,
  loadPipeline,
  meanWeights,
  type Pipeline,
  type RgbImage,
  samplers,
  schedules,
} from '@paris/sampler';
import { foreignModels } from '@paris/sampler/import';
import { encodeMadePng } from '@paris/sampler/metadata';
import { drawImage } from '@paris/sampler/web';
import { openDevice, ParisError } from '@paris/tensor';
import type { DrawRequest, ModelInfo } from './engine.js';
import { filesSource } from './files.js';
import type { Reply, Request } from './messages.js';

let pipeline: Pipeline;
const running = new Map<number, AbortController>();
/** One drawing at a time: a device that computes two is slower at both. */
let last: Promise<void> = Promise.resolve();

self.onmessage = ({ data: request }: MessageEvent<Request>) => {
  if (request.kind === 'open') void open(request);
  else if (request.kind === 'stop') running.get(request.id)?.abort();
  else {
    running.set(request.id, new AbortController());
    last = last.then(() => draw(request.id, request.request));
  }
};

async function open({ source, memory, device: require }: Extract<Request, { kind: 'open' }>): Promise<void> {
  try {
    const device = await openDevice(require ? { require } : {});
    pipeline = await loadPipeline('url' in source ? source.url : filesSource(source.files), {
      device,
      codecs: [autoencoderKL],
      textEncoders: [clip],
      foreignModels,
      weights: memory.weights,
      ...(memory.mostBytes !== undefined && { memoryBudgetBytes: memory.mostBytes }),
      onProgress: ({ loadedBytes, totalBytes }) => reply({ kind: 'loading', loadedBytes, totalBytes }),
    });
    reply({ kind: 'ready', model: await describe() });
  } catch (error) {
    reply({ kind: 'refused', message: messageOf(error) });
  }
}

async function describe(): Promise<Omit<ModelInfo, 'name'>> {
  const { index, labels, vocabulary, device } = pipeline;
  const { adapter, insteadOfGpu } = device.info;
  return {
    place: `in this browser, on ${adapter}${insteadOfGpu ? ` (${insteadOfGpu})` : ''}`,
    experts: index.clusters,
    ...(await pipeline.pictureSize()),
    autoguidance: false,
    routing: index.routing,
    licence: index.licence ?? null,
    samplers: Object.keys(samplers),
    schedules: Object.keys(schedules),
    maxSteps: 1000,
    maxPictures: 16,
    vocabulary: vocabulary ?? null,
    labels: labels ? classNames(labels) : null,
  };
}

async function draw(id: number, request: DrawRequest): Promise<void> {
  const { signal } = running.get(id)!;
  try {
    const weightsByStep = Array.from({ length: request.count }, () => [] as number[][]);
    const options = { ...optionsOf(request), signal };
    for await (const { step, steps, firstImage, routing, preview, finished } of pipeline.steps(options)) {
      const previews = await preview(pipeline.index.codec === 'identity' ? 'full' : 'projection');
      for (const [i, records] of routing.entries()) {
        const picture = firstImage + i;
        const weights = meanWeights(records); // a solver may ask the experts several times a step
        weightsByStep[picture]!.push(weights);
        const bitmap = bitmapOf(previews[i]!);
        reply({ kind: 'step', id, step: { picture, step, steps, weights, preview: bitmap } }, [bitmap]);
      }
      for (const [i, image] of (finished ?? []).entries()) {
        const png = new Blob([encodeMadePng(image) as Uint8Array<ArrayBuffer>], { type: 'image/png' });
        const picture = firstImage + i;
        reply({ kind: 'finished', id, finished: { picture, png, weightsByStep: weightsByStep[picture]! } });
      }
    }
    reply({ kind: 'done', id });
  } catch (error) {
    const isDeviceLost = error instanceof ParisError && error.code === 'DEVICE_LOST';
    reply({ kind: 'failed', id, message: messageOf(error), isDeviceLost });
  } finally {
    running.delete(id);
  }
}

function optionsOf(request: DrawRequest): GenerateOptions {
  const { prompt, seed, picture, moves, count, routing, variation, start, autoguidance: _, ...same } = request;
  return {
    ...same,
    ...(pipeline.labels ? { label: prompt } : { prompt }),
    count,
    seed: Array.from({ length: count }, (_, i) => ({
      seed,
      picture: variation ? picture : picture + i,
      ...(moves && { moves }),
    })),
    ...(routing !== '' && { routing }),
    ...(variation && { variation }),
    ...(start && { image: rgbOf(start.image), strength: start.strength }),
    ...(start?.mask && { mask: { width: start.image.width, height: start.image.height, data: start.mask } }),
  };
}

function bitmapOf(image: RgbImage): ImageBitmap {
  const canvas = new OffscreenCanvas(1, 1);
  drawImage(canvas, image);
  return canvas.transferToImageBitmap();
}

function rgbOf({ width, height, data }: ImageData): RgbImage {
  return { width, height, data: Uint8Array.from(data.filter((_, i) => i % 4 !== 3)) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function reply(message: Reply, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}
