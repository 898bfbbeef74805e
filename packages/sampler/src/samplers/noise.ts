import { type Device, hostNormal, type Key, type Tensor } from '@paris/tensor';

/** The key of each picture, by its index; a single key stands for one with the index folded in. */
export type PictureKeys = Key | ((picture: number) => Key);

/** The key of one picture. */
export function keyOfPicture(keys: PictureKeys, picture: number): Key {
  return typeof keys === 'function' ? keys(picture) : keys.foldIn(picture);
}

/** Whose noise is drawn, and for which latents. */
export interface PictureNoiseOptions {
  /** Of the latents, [B, …]. */
  readonly shape: readonly number[];
  /** Picture i draws from a key of its own, folded in by its index. */
  readonly key: PictureKeys;
  /** Index of the first picture of the batch. Default 0. */
  readonly firstImage?: number;
}

/**
 * Normal noise for samplers that add some, drawn on the host: a pure function of (key, picture, step, draw). A batch draws
 * what its pictures draw alone, and every adapter draws the same.
 */
export function pictureNoise(device: Device, options: PictureNoiseOptions): (step: number, draw: number) => Tensor {
  const { shape, key, firstImage = 0 } = options;
  const [count = 0, ...rest] = shape;
  const size = rest.reduce((product, n) => product * n, 1);
  return (step, draw) => {
    const noise = new Float32Array(count * size);
    for (let i = 0; i < count; i++) {
      const own = keyOfPicture(key, firstImage + i);
      noise.set(hostNormal(own.foldIn(step).foldIn(draw), size), i * size);
    }
    return device.tensor(noise, { shape });
  };
}
