// Pictures → latents, many at once: what `prepare --codec` keeps.
import { type Codec, type Params, toFlat, toTree } from '@paris/model';
import type { Tensor } from '@paris/tensor';
import type { LatentFormat } from '../data/encodings.js';
import { DataError } from '../errors.js';
import type { LoadedPart } from './parts.js';

/** A codec that is ready for pictures of one size. */
export interface LatentEncoder {
  readonly format: LatentFormat;
  /**
   * The mean of each picture's latents. What a picture becomes does not depend on the others.
   * @param pixels - u8 [count, 3, S, S]
   * @returns f32 [count, channels, height, width]
   */
  encode(pixels: Uint8Array, count: number): Promise<Float32Array>;
}

/**
 * Latents of pictures of `size` × `size`, by a codec without noise: the mean of what it says.
 * @param batchSize - pictures at once; fewer are filled up, so that there is one plan
 * @throws DataError for a codec that takes no such pictures, or whose latents are not square
 */
export function latentEncoder(
  { device, network: codec, params, record }: LoadedPart<Codec>,
  size: number,
  batchSize = 8,
): LatentEncoder {
  const { channels, height, width } = shapeOf(codec, size);
  if (height !== width) {
    const what = `the codec makes latents of ${width} × ${height} of square pictures`;
    throw new DataError('prepare', `${what}, and experts learn from square ones. Give another codec.`);
  }
  const flat = toFlat(params);
  const run = device.compile((weights: Params, pictures: Tensor) =>
    codec.encode(toTree(weights), pictures.div(127.5).sub(1)),
  );
  const [area, latentArea] = [3 * size * size, channels * height * width];
  return {
    format: { channels, height, width, pictureSize: size, codec: record },
    async encode(pixels, count) {
      const latents = new Float32Array(count * latentArea);
      for (let from = 0; from < count; from += batchSize) {
        const rows = Math.min(batchSize, count - from);
        const batch = new Float32Array(batchSize * area);
        batch.set(pixels.subarray(from * area, (from + rows) * area));
        using pictures = device.tensor(batch, { shape: [batchSize, 3, size, size] });
        using encoded = await run(flat, pictures);
        latents.set(((await encoded.read()) as Float32Array).subarray(0, rows * latentArea), from * latentArea);
      }
      return latents;
    },
  };
}

function shapeOf(codec: Codec, size: number) {
  try {
    return codec.latentShape({ channels: 3, height: size, width: size });
  } catch (cause) {
    const why = (cause as Error).message.replace(/^\[[^\]]*\] /, '').replace(/\.$/, '');
    throw new DataError('prepare', `the codec does not take these pictures: ${why}. Give another codec or --size.`, {
      cause,
    });
  }
}
