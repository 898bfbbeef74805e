// Times the kernels of a training step: a DiT of some size on drawn pictures, with the optimizer of every training.
import { dit } from '@paris/dit';
import { MAX_TOKENS, toFlat, toTree } from '@paris/model';
import { type Device, hostNormal, hostUniform, key, mse, type Profile } from '@paris/tensor';
import { conditionOf } from './conditions.js';
import { ditConfig } from './configs.js';
import type { TransformerSize } from './defaults.js';
import { createJob } from './job.js';
import { type TrainingOptions, trainingOptions } from './options.js';

/**
 * Times `steps` training steps of a DiT on pictures of `pixels` × `pixels`; a first step, which compiles it, runs before.
 * @throws the signal's reason when it is aborted
 */
export async function profileTraining(
  device: Device,
  size: TransformerSize & { readonly pixels: number },
  training: Pick<TrainingOptions, 'steps' | 'batchSize' | 'precision'>,
  signal?: AbortSignal,
): Promise<Profile> {
  const [B, S, channels, maxTokens] = [training.batchSize, size.pixels, 3, MAX_TOKENS];
  const expert = dit.fromConfig(ditConfig(size)({ size: S, channels, maxTokens, vocabulary: 100 }));
  const shape = [B, channels, S, S];
  const tensors = {
    images: { data: hostNormal(key(1), B * channels * S * S), shape },
    time: { data: hostUniform(key(2), B), shape: [B] },
    ids: { data: new Uint32Array(B * maxTokens), shape: [B, maxTokens] },
  };
  const job = createJob(device, {
    training: trainingOptions(training),
    initKey: key(0),
    init: (from) => toFlat(expert.init(from)),
    batch: async (step) => ({ tensors, noise: key(3).foldIn(step) }),
    loss: (params, batch, noise, dtype) => {
      const target = noise(shape);
      const latents = batch.images!.add(target).cast(dtype);
      const input = { latents, time: batch.time!, condition: conditionOf(batch)! };
      return { loss: mse(expert.apply(toTree(params), input).cast('f32'), target) };
    },
  });
  let state = await job.start();
  const advance = async (step: number) => {
    signal?.throwIfAborted();
    const next = await job.advance(state, step);
    state = next.state;
    await next.values();
  };
  try {
    await advance(0);
    return await device.profile(async () => {
      for (let step = 1; step <= training.steps; step++) await advance(step);
    });
  } finally {
    job.release(state);
  }
}

/** A profile as a table: a line for each of the kernels that take longest. */
export function profileTable({ kernels, gpuMs, wallMs, roofline, runs }: Profile, lines = 20): string {
  const rows = kernels
    .slice(0, lines)
    .map((kernel) => [
      kernel.ms.toFixed(2),
      `${((100 * kernel.ms) / gpuMs).toFixed(1)} %`,
      String(kernel.runs),
      kernel.tflopsPerSecond === undefined ? '' : kernel.tflopsPerSecond.toPrecision(3),
      kernel.gigabytesPerSecond.toPrecision(3),
      `${(100 * kernel.ofRoofline).toFixed(0)} %`,
      kernel.name,
    ]);
  const table = [['ms', 'share', 'runs', 'TFLOP/s', 'GB/s', 'roofline', 'kernel'], ...rows];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const line = (row: string[]) => row.map((cell, i) => (i === 6 ? cell : cell.padStart(widths[i]!))).join('  ');
  const rest = kernels.slice(lines);
  return [
    ...table.map(line),
    ...(rest.length > 0
      ? [`… and ${rest.length} kernels more, ${rest.reduce((all, { ms }) => all + ms, 0).toFixed(2)} ms`]
      : []),
    `${runs.length} dispatches, ${gpuMs.toFixed(1)} ms in kernels of ${wallMs.toFixed(1)} ms in all`,
    `this adapter reached ${roofline.tflopsPerSecond.toPrecision(3)} TFLOP/s in a product, ${roofline.gigabytesPerSecond.toPrecision(3)} GB/s in a copy`,
  ].join('\n');
}

/** A profile in the Trace Event Format, which Perfetto and chrome://tracing open; times are in µs. */
export function traceEvents({ runs, adapter }: Profile): string {
  const events = runs.map(({ name, startMs, ms, flops, bytes }) => {
    return { name, ph: 'X', pid: 1, tid: 1, ts: startMs * 1000, dur: ms * 1000, args: { bytes, flops } };
  });
  const process = { name: 'process_name', ph: 'M', pid: 1, tid: 1, args: { name: adapter } };
  return JSON.stringify({ traceEvents: [process, ...events], displayTimeUnit: 'ms' });
}
