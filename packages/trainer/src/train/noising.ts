// Pictures → what a denoiser sees, what it should say, and how far off it is. x_t = α(t)·x_0 + σ(t)·ε on the path of its
// objective; α, σ, α′, σ′ are computed on the host.
import { type Condition, type NoisePath, type Prediction, tokenCondition } from '@paris/model';
import { mse, normal, type Tensor, type TensorKey, ValueError } from '@paris/tensor';
import type { BatchDraw } from '../data/batches.js';
import type { DataFormat } from '../data/formats.js';
import { gatherRows, normalise, type Rows } from '../data/rows.js';
import type { Batch, HostTensor } from './recipe.js';

/** The tensors of a denoising batch: `images` [B, C, S, S] in [-1, 1], `ids` [B, L], and per picture t, α, σ, α′, σ′. */
export async function noisingBatch(
  draw: BatchDraw,
  rows: Rows,
  format: DataFormat,
  path: NoisePath,
): Promise<{ [name: string]: HostTensor }> {
  const { pixels, tokens } = await gatherRows(rows, format, draw.indices);
  const B = draw.indices.length;
  draw.dropped.forEach((isDropped, row) => {
    if (isDropped) tokens.fill(0, row * format.maxTokens, (row + 1) * format.maxTokens);
  });
  return {
    images: { data: normalise(pixels, format.normalization), shape: [B, format.channels, format.size, format.size] },
    ids: { data: tokens, shape: [B, format.maxTokens] },
    time: { data: draw.times, shape: [B] },
    alpha: perPicture(draw, path.alpha),
    sigma: perPicture(draw, path.sigma),
    alphaPrime: perPicture(draw, path.alphaPrime),
    sigmaPrime: perPicture(draw, path.sigmaPrime),
  };
}

/** A function of each picture's time, [B, 1, 1, 1]. */
export function perPicture({ times }: BatchDraw, of: (t: number) => number): HostTensor {
  return { data: times.map(of), shape: [times.length, 1, 1, 1] };
}

/** Traced: what a batch's pictures show. */
export function conditionOf(batch: Batch): Condition {
  return tokenCondition(batch.ids!);
}

/** Traced: the noisy pictures and the target of each kind of prediction. */
export function noised(batch: Batch, noise: TensorKey): { latents: Tensor; target(of: Prediction): Tensor } {
  const { images, alpha, sigma, alphaPrime, sigmaPrime } = batch as Record<string, Tensor>;
  const epsilon = normal(noise, images!.shape);
  const targets: Record<Prediction, () => Tensor> = {
    // dx_t/dt; on the linear path ε − x_0: flow matching (arXiv 2210.02747 eq. 9; DDM, arXiv 2501.05450, eq. 6).
    velocity: () => images!.mul(alphaPrime!).add(epsilon.mul(sigmaPrime!)),
    epsilon: () => epsilon, // DDPM, arXiv 2006.11239 eq. 14
    sample: () => images!, // arXiv 2202.00512 §4, "predicting x"
  };
  return {
    latents: images!.mul(alpha!).add(epsilon.mul(sigma!)),
    target: (of) => {
      if (Object.hasOwn(targets, of)) return targets[of]();
      const known = Object.keys(targets).join(', ');
      throw new ValueError('train', `the expert predicts "${of}", which cannot be trained. Known: ${known}.`);
    },
  };
}

/** Traced: the mean of w·(prediction − target)² over pictures and pixels; `weight` is [B, 1, 1, 1]. */
export function denoisingLoss(prediction: Tensor, target: Tensor, weight?: Tensor): Tensor {
  if (!weight) return mse(prediction, target);
  return prediction.cast('f32').sub(target).square().mul(weight).mean();
}
