import { type Tensor, ValueError } from '@paris/tensor';

/** Between pictures and the latents that experts see. Both functions are traced; pictures lie in [−1, 1]. */
export interface Codec {
  readonly name: string;
  /** Pictures [B, 3, H, W] → latents [B, C, h, w]. */
  encode(images: Tensor): Tensor;
  /** Latents [B, C, h, w] → pictures [B, 3, H, W]. */
  decode(latents: Tensor): Tensor;
}

/** Pixel space: the pictures are the latents. */
export const identityCodec: Codec = {
  name: 'identity',
  encode: (images) => images,
  decode: (latents) => latents,
};

/**
 * A codec by the name in a model's index, among the built-in one and `custom`.
 * @throws ValueError for an unknown name, with the known ones
 */
export function codecByName(name: string, custom: readonly Codec[] = []): Codec {
  const codecs = [...custom, identityCodec];
  const found = codecs.find((codec) => codec.name === name);
  if (found) return found;
  const known = codecs.map((codec) => `"${codec.name}"`).join(', ');
  throw new ValueError('codec', `no codec is called "${name}". Known: ${known}. Pass yours as codecs: [mine].`);
}
