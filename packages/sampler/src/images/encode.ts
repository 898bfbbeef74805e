// Pictures on their way in: their size, and their latents.
import type { Codec, PictureShape } from '@paris/model';
import type { Device, Tensor } from '@paris/tensor';
import type { RgbImage } from './image.js';

/** Of a picture, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size of the pictures whose latents are of this size. @throws what `refuse` throws if no whole factor up to 64 leads there */
export function pictureSize(codec: Codec, latent: PictureShape, refuse: (what: string) => never): Size {
  for (let factor = 1; factor <= 64; factor++) {
    const size = { height: factor * latent.height, width: factor * latent.width };
    if (latentMatches(codec, size, latent)) return size;
  }
  return refuse('the codec makes latents of this size of no picture. Check codec/config.json');
}

function latentMatches(codec: Codec, size: Size, latent: PictureShape): boolean {
  try {
    const { channels, height, width } = codec.latentShape({ channels: 3, ...size });
    return channels === latent.channels && height === latent.height && width === latent.width;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SHAPE') return false; // the codec takes no pictures of this size
    throw error;
  }
}

/** A picture as planes in [−1, 1], [3, H, W]. */
function planes({ width, height, data }: RgbImage): Float32Array {
  const plane = width * height;
  return Float32Array.from({ length: 3 * plane }, (_, i) => data[3 * (i % plane) + Math.floor(i / plane)]! / 127.5 - 1);
}

/** The latents of each picture, [C, h, w], on the host. One after the other: a batch of one is compiled once. */
export async function encodePictures(
  device: Device,
  encode: (pictures: Tensor) => Promise<Tensor>,
  images: readonly RgbImage[],
): Promise<Float32Array[]> {
  const { width, height } = images[0]!;
  const latents: Float32Array[] = [];
  for (const image of images) {
    const picture = device.tensor(planes(image), { shape: [1, 3, height, width] });
    try {
      const encoded = await encode(picture);
      latents.push((await encoded.read()) as Float32Array);
      if (encoded !== picture) encoded.dispose();
    } finally {
      picture.dispose();
    }
  }
  return latents;
}
