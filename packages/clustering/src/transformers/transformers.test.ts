import { describe, expect, it } from 'vitest';
import type { ImageBatch } from '../encoder/encoder.js';
import { type TransformersModule, transformersEncoder } from './index.js';

/** A library whose model gives three tokens a picture: its mean colour, then that ×10 and ×100. */
function fake(dims?: readonly number[]) {
  class RawImage {
    constructor(
      readonly data: Uint8Array,
      readonly width: number,
      readonly height: number,
      readonly channels: number,
    ) {}
  }
  const calls: unknown[] = [];
  const module: TransformersModule = {
    RawImage,
    async pipeline(...args) {
      calls.push(args);
      return async (images) => {
        const pictures = images as RawImage[];
        calls.push(pictures.length);
        const rows = pictures.map(({ data, width, height, channels }) => {
          const colour = [0, 0, 0];
          for (const [i, byte] of data.entries()) colour[i % channels]! += byte / (width * height);
          return colour;
        });
        const data = Float32Array.from(rows.flatMap((row) => [1, 10, 100].flatMap((by) => row.map((c) => c * by))));
        return { dims: dims ?? [pictures.length, 3, 3], data };
      };
    },
  };
  return { module, calls };
}

/** `count` pictures of 2 × 2: red 10 + i, green 20, blue 30 in planes. */
function pictures(count: number): ImageBatch {
  const pixels = Uint8Array.from({ length: count * 12 }, (_, at) => {
    const channel = Math.floor((at % 12) / 4);
    return [10 + Math.floor(at / 12), 20, 30][channel]!;
  });
  return { pixels, count, size: 2 };
}

describe('transformersEncoder', () => {
  it('takes the first token of each picture, batch by batch, and records what it is', async () => {
    const { module, calls } = fake();
    const encoder = await transformersEncoder({ model: 'some/dino', batchSize: 2, device: 'cpu', module });
    expect(encoder).toMatchObject({
      name: 'transformers',
      dimensions: 3,
      parameters: { model: 'some/dino', revision: 'main', pooling: 'cls', dtype: 'fp32' },
    });
    const features = await encoder.encode(pictures(3));
    expect([...features]).toEqual([10, 20, 30, 11, 20, 30, 12, 20, 30]);
    const settings = { revision: 'main', dtype: 'fp32', device: 'cpu' };
    expect(calls).toEqual([['image-feature-extraction', 'some/dino', settings], 1, 2, 1]);
  });

  it('takes the mean of the tokens, or the one vector that there is', async () => {
    const mean = await transformersEncoder({ model: 'm', pooling: 'mean', module: fake().module });
    expect([...(await mean.encode(pictures(1)))]).toEqual([370, 740, 1110]);
    const flat = await transformersEncoder({ model: 'm', module: fake([1, 9]).module });
    expect(flat.dimensions).toBe(9);
  });

  it('says what is wrong with a library, a model or its output', async () => {
    const { module } = fake();
    await expect(transformersEncoder({ model: 'm', pooling: 'max' as 'mean', module })).rejects.toThrow(
      '[transformersEncoder] pooling is "max". Give "cls" or "mean".',
    );
    const offline = { ...module, pipeline: async () => Promise.reject(new Error('no network')) };
    await expect(transformersEncoder({ model: 'm', module: offline })).rejects.toThrow(
      '[transformersEncoder] the model "m" cannot be loaded (no network). Check the name, and that the hub can be reached or the files lie here.',
    );
    await expect(transformersEncoder({ model: 'm', module: fake([1, 3, 2, 2]).module })).rejects.toThrow(
      '[transformersEncoder] "m" gives [1, 3, 2, 2] for 1 pictures, no [B, D] or [B, L, D].',
    );
  });
});
