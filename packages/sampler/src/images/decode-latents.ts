import { type Codec, type Params, toFlat, toTree } from '@paris/model';
import type { Device, Tensor, TreeOf } from '@paris/tensor';

/** A codec with its weights on the device. */
export interface LoadedCodec {
  readonly codec: Codec;
  readonly params: TreeOf<Tensor>;
}

/**
 * Latents [B, C, h, w] → pictures [B, 3, H, W] by a codec with its weights, as one compiled function. A codec without
 * weights is asked as it is: in pixel space what comes back are the latents themselves.
 */
export function pictureDecoder(device: Device, loaded: LoadedCodec): (latents: Tensor) => Promise<Tensor> {
  return codecSide(device, loaded, 'decode');
}

/** One direction of a codec with its weights. */
export function codecSide(
  device: Device,
  { codec, params }: LoadedCodec,
  side: 'encode' | 'decode',
): (values: Tensor) => Promise<Tensor> {
  const flat = toFlat(params);
  if (Object.keys(flat).length === 0) return async (values) => codec[side]({}, values);
  const run = device.compile((params: Params, values: Tensor) => codec[side](toTree(params), values));
  return (values) => run(flat, values);
}
