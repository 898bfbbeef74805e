// Pictures to tokens and back. https://arxiv.org/abs/2010.11929, §3.1
import { ShapeError, type Tensor } from '@paris/tensor';
import type { ParameterTable } from '@paris/tensor/nn';
import { linear, xavierUniform, zeros } from '@paris/tensor/nn';

/**
 * Cuts pictures into patches, row by row: [B, C, H, W] → [B, (H/p)·(W/p), C·p·p]. Within a token the channel runs
 * slowest, then the row, as in a convolution's weight.
 * @throws ShapeError if height or width is not a multiple of the patch size
 */
export function patchify(x: Tensor, patchSize: number): Tensor {
  const [b, c, height, width] = x.shape as readonly [number, number, number, number];
  const [rows, columns] = [height / patchSize, width / patchSize];
  if (x.rank !== 4 || !Number.isInteger(rows) || !Number.isInteger(columns)) {
    const must = `[B, C, H, W] with H and W multiples of ${patchSize}`;
    throw new ShapeError('patchify', `x must be ${must}, got [${x.shape}].`);
  }
  return x
    .reshape([b, c, rows, patchSize, columns, patchSize])
    .permute([0, 2, 4, 1, 3, 5]) // [B, rows, columns, C, p, p]
    .reshape([b, rows * columns, c * patchSize * patchSize]);
}

/**
 * The inverse with the channel running fastest within a token (DiT's `nhwpqc->nchpwq`), which is *not* the order of
 * {@link patchify}: [B, (H/p)·(W/p), p·p·C] → [B, C, H, W].
 */
export function unpatchify(
  x: Tensor,
  { patchSize, channels, height, width }: { patchSize: number; channels: number; height: number; width: number },
): Tensor {
  const [rows, columns] = [height / patchSize, width / patchSize];
  return x
    .reshape([-1, rows, columns, patchSize, patchSize, channels])
    .permute([0, 5, 1, 3, 2, 4]) // [B, C, rows, p, columns, p]
    .reshape([-1, channels, height, width]);
}

/** A convolution that steps by its own size: weight [d, C, p, p] and bias [d]. */
export interface PatchEmbedParams {
  /** [d, C, p, p], a convolution with stride p. */
  readonly weight: Tensor;
  /** [d] */
  readonly bias: Tensor;
}

/** A convolution whose stride is its kernel's size is a matrix product of patches: [B, C, H, W] → [B, N, d]. */
export function patchEmbed(params: PatchEmbedParams, x: Tensor): Tensor {
  const [d, , patchSize] = params.weight.shape as readonly [number, number, number, number];
  return linear({ weight: params.weight.reshape([d, -1]), bias: params.bias }, patchify(x, patchSize));
}

/** The parameters of a patch embedding under `name`, drawn like those of a linear layer (as DiT does). */
export function patchEmbedParameters(name: string, channels: number, patchSize: number, d: number): ParameterTable {
  return {
    [`${name}.weight`]: { shape: [d, channels, patchSize, patchSize], initialise: xavierUniform },
    [`${name}.bias`]: { shape: [d], initialise: zeros },
  };
}
