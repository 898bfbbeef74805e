// Pictures → what a denoiser sees and what it should say. x_t = α(t)·x_0 + σ(t)·ε; its velocity is α′(t)·x_0 + σ′(t)·ε,
// which on the linear path is ε − x_0 (DDM, arXiv 2501.05450, §3 and eq 6). α, σ, α′, σ′ are computed on the host.
import type { Objective } from '@paris/dit';
import type { NoisePath } from '@paris/sampler';
import { normal, type Tensor, type TensorKey } from '@paris/tensor';
import type { BatchDraw } from '../data/batches.js';
import { normalise, type Pictures, selectRows } from '../data/files.js';
import type { DataFormat } from '../formats/data.js';
import type { Batch, HostTensor } from './job.js';

/** The tensors of a denoising batch: `images` [B, C, S, S] in [-1, 1], `ids` [B, L], and per picture t, α, σ, α′, σ′. */
export function noisingBatch(
  draw: BatchDraw,
  pictures: Pictures,
  format: DataFormat,
  path: NoisePath,
): { [name: string]: HostTensor } {
  const { pixels, tokens } = selectRows(pictures, format, draw.indices);
  const B = draw.indices.length;
  draw.dropped.forEach((isDropped, row) => {
    if (isDropped) tokens.fill(0, row * format.maxTokens, (row + 1) * format.maxTokens);
  });
  const perPicture = (of: (t: number) => number): HostTensor => ({ data: draw.times.map(of), shape: [B, 1, 1, 1] });
  return {
    images: { data: normalise(pixels, format.normalization), shape: [B, format.channels, format.size, format.size] },
    ids: { data: tokens, shape: [B, format.maxTokens] },
    time: { data: draw.times, shape: [B] },
    alpha: perPicture(path.alpha),
    sigma: perPicture(path.sigma),
    alphaPrime: perPicture(path.alphaPrime),
    sigmaPrime: perPicture(path.sigmaPrime),
  };
}

/** Traced: the noisy pictures and the target of each kind of prediction. */
export function noised(
  batch: Batch,
  noise: TensorKey,
): { latents: Tensor; target(of: Objective['prediction']): Tensor } {
  const { images, alpha, sigma, alphaPrime, sigmaPrime } = batch as Record<string, Tensor>;
  const epsilon = normal(noise, images!.shape);
  const targets = {
    velocity: () => images!.mul(alphaPrime!).add(epsilon.mul(sigmaPrime!)),
    epsilon: () => epsilon,
    sample: () => images!,
  };
  return { latents: images!.mul(alpha!).add(epsilon.mul(sigma!)), target: (of) => targets[of]() };
}
