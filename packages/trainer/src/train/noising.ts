// Pictures → a denoiser's input, its target, and its loss. x_t = α(t)·x_0 + σ(t)·ε on the path of its
// objective; α, σ, α′, σ′ are computed on the host.
import type { NoisePath, Prediction } from '@paris/model';
import { mse, type Tensor, ValueError } from '@paris/tensor';
import type { BatchDraw } from '../data/batches.js';
import { columnOf, type DataColumns } from '../data/columns.js';
import { type DataFormat, networkInput } from '../data/formats.js';
import { gatherRows, normalise, type Rows } from '../data/rows.js';
import { type ConditionSource, conditionBatch } from './conditions.js';
import type { Batch, BatchNoise, HostTensor } from './recipe.js';

/**
 * The tensors of a denoising batch: `images` [B, C, S, S], pixels in [-1, 1] or latents, those of the condition (see
 * {@link conditionBatch}), and per picture t, α, σ, α′, σ′.
 */
export async function noisingBatch(
  draw: BatchDraw,
  rows: Rows,
  format: DataFormat,
  path: NoisePath,
  condition: ConditionSource,
): Promise<{ [name: string]: HostTensor }> {
  const columns = await gatherRows(rows, format, draw.indices);
  return {
    images: inputBatch(columns, format, draw.indices.length),
    ...conditionBatch(condition, columns, draw),
    time: { data: draw.times, shape: [draw.indices.length] },
    alpha: perPicture(draw, path.alpha),
    sigma: perPicture(draw, path.sigma),
    alphaPrime: perPicture(draw, path.alphaPrime),
    sigmaPrime: perPicture(draw, path.sigmaPrime),
  };
}

/** What networks see of `count` records: latents as they are, or pixels as numbers, [count, C, S, S]. */
export function inputBatch(columns: DataColumns, format: DataFormat, count: number): HostTensor {
  const { channels, size } = networkInput(format);
  const data = format.latents
    ? columnOf(columns, 'latents', 'f16')
    : normalise(columnOf(columns, 'images', 'u8'), format.normalization);
  return { data, shape: [count, channels, size, size] };
}

/** A function of each picture's time, [B, 1, 1, 1]. */
export function perPicture({ times }: BatchDraw, of: (t: number) => number): HostTensor {
  return { data: times.map(of), shape: [times.length, 1, 1, 1] };
}

/** Traced: the noisy pictures and the target of each kind of prediction. */
export function noised(batch: Batch, noise: BatchNoise): { latents: Tensor; target(of: Prediction): Tensor } {
  const { images, alpha, sigma, alphaPrime, sigmaPrime } = batch as Record<string, Tensor>;
  const epsilon = noise(images!.shape);
  const targets: Record<Prediction, () => Tensor> = {
    // dx_t/dt; on the linear path ε − x_0: flow matching (arXiv 2210.02747 eq. 9; DDM, arXiv 2501.05450, eq. 6).
    velocity: () => images!.mul(alphaPrime!).add(epsilon.mul(sigmaPrime!)),
    epsilon: () => epsilon, // DDPM, arXiv 2006.11239 eq. 14
    v: () => epsilon.mul(alpha!).sub(images!.mul(sigma!)), // arXiv 2202.00512 §4
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
