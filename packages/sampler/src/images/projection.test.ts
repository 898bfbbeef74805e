import { hostNormal, key } from '@paris/tensor';
import { expect, it } from 'vitest';
import { clampDisplay } from './image.js';
import { fitProjection } from './projection.js';

const shape = [2, 4, 4, 4];
const weights = [
  [0.2, 0.05, -0.1],
  [-0.1, 0.2, 0.05],
  [0.03, -0.1, 0.2],
  [0.1, 0.1, 0.1],
];

/** Each latent is two by two pixels of the colour that the weights give. */
function decoded(latents: Float32Array) {
  return [0, 1].map((b) => ({
    width: 8,
    height: 8,
    data: Uint8Array.from({ length: 192 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % 8, Math.floor(i / 24)];
      const at = (y >> 1) * 4 + (x >> 1);
      return clampDisplay(weights.reduce((sum, row, c) => sum + row[i % 3]! * latents[(b * 4 + c) * 16 + at]!, 0.1));
    }),
  }));
}

it('finds the colours of latents where they are a linear map, a pixel for each', () => {
  const [seen, other] = [hostNormal(key(1), 128), hostNormal(key(2), 128)];
  const project = fitProjection(seen, shape, decoded(seen));
  const projected = project(other, shape);
  expect(projected.map(({ width, height }) => [width, height])).toEqual([
    [4, 4],
    [4, 4],
  ]);
  for (const [b, image] of decoded(other).entries()) {
    for (let at = 0; at < 16; at++) {
      const pixel = 3 * ((at >> 2) * 16 + (at & 3) * 2);
      for (let c = 0; c < 3; c++) {
        expect(Math.abs(projected[b]!.data[3 * at + c]! - image.data[pixel + c]!)).toBeLessThanOrEqual(2);
      }
    }
  }
});

it('stays finite where all latents are alike', () => {
  const same = new Float32Array(128).fill(0.5);
  const [first] = fitProjection(same, shape, decoded(same))(same, shape);
  expect(Math.abs(first!.data[0]! - decoded(same)[0]!.data[0]!)).toBeLessThanOrEqual(2);
});
