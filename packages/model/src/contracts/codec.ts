import type { Tensor, TreeOf } from '@paris/tensor';
import type { Network } from './architecture.js';

/** The size of pictures or latents, without their number. */
export interface PictureShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Between pictures and the latents that experts see. Pictures are in [−1, 1]; latents are scaled as experts see them. Both
 * functions are traced. The identity (pixel space) has no parameters.
 */
export interface Codec<P = TreeOf<Tensor>> extends Network<P> {
  /** The shape of the latents of pictures of this size. @throws ShapeError for a size that it does not take */
  latentShape(picture: PictureShape): PictureShape;
  /** Pictures [B, 3, H, W] → latents [B, C, h, w]. With `noise` of the latents' shape a codec may draw from what it encodes. */
  encode(params: P, images: Tensor, noise?: Tensor): Tensor;
  /** Latents [B, C, h, w] → pictures [B, 3, H, W]. */
  decode(params: P, latents: Tensor): Tensor;
}
