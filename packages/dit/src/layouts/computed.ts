// Parameters of ours that other layouts do not store as they are: fixed positions, and a size that is added to the time.
import type { ComputedParameter } from '@paris/model';

/**
 * Fixed positions as `sinCosPositions2d` of @paris/model/transformer gives them, in float64, with the grid's places divided
 * by `scale` (PixArt stretches the grid of its base size over larger pictures): [1, grid², d].
 */
export function fixedPositions(d: number, grid: number, scale = 1): ComputedParameter {
  const quarter = d / 4;
  const waves = Float64Array.from({ length: quarter }, (_, i) => 10_000 ** (-i / quarter));
  const encode = (out: Float32Array, at: number, place: number) => {
    for (const [i, wave] of waves.entries()) {
      out[at + i] = Math.sin((place / scale) * wave);
      out[at + quarter + i] = Math.cos((place / scale) * wave);
    }
  };
  return {
    from: {},
    compute: () => {
      const out = new Float32Array(grid * grid * d);
      for (let token = 0; token < grid * grid; token++) {
        encode(out, token * d, token % grid);
        encode(out, token * d + 2 * quarter, Math.floor(token / grid));
      }
      return out;
    },
  };
}

/** Foreign names of two small networks, each of two linear layers; they end in `.weight` and `.bias`. */
export interface SizeEmbedders {
  /** Of height and width in pixels. */
  readonly resolution: readonly [first: string, second: string];
  readonly aspectRatio: readonly [first: string, second: string];
}

/**
 * The time embedding's last bias of a model of 1024 px that is also conditioned on the picture's size and shape (PixArt-α,
 * §2.4 of https://arxiv.org/abs/2310.00426): these are added to the embedded time, and are the same for all pictures of one
 * size. So they are a constant.
 * @param bias - the foreign name of that bias, [d]
 * @param pixels - height and width
 */
export function sizedTimeBias(bias: string, embedders: SizeEmbedders, d: number, pixels: number): ComputedParameter {
  const third = d / 3;
  const layers = (names: readonly [string, string]) =>
    names.flatMap((name, i): [string, readonly number[]][] => [
      [`${name}.weight`, [third, i === 0 ? 256 : third]],
      [`${name}.bias`, [third]],
    ]);
  return {
    from: Object.fromEntries([[bias, [d]], ...layers(embedders.resolution), ...layers(embedders.aspectRatio)]),
    compute: ([own, ...parts]) => {
      const numbers = parts.map(({ data }) => data as Float32Array);
      const size = embed(pixels, numbers.slice(0, 4));
      const conditioning = [...size, ...size, ...embed(1, numbers.slice(4))]; // height, width, their ratio
      return Float32Array.from(own!.data as Float32Array, (value, i) => value + conditioning[i]!);
    },
  };
}

/** Cosines, then sines, of a number; linear, SiLU, linear. In float64. */
function embed(value: number, [w0, b0, w1, b1]: readonly Float32Array[]): Float64Array {
  const angles = Float64Array.from({ length: 128 }, (_, i) => value * 10_000 ** (-i / 128));
  const features = Float64Array.of(...angles.map(Math.cos), ...angles.map(Math.sin));
  const hidden = linear(features, w0!, b0!).map((x) => x / (1 + Math.exp(-x)));
  return linear(hidden, w1!, b1!);
}

function linear(x: Float64Array, weight: Float32Array, bias: Float32Array): Float64Array {
  return Float64Array.from(bias, (start, row) =>
    x.reduce((sum, value, i) => sum + value * weight[row * x.length + i]!, start),
  );
}
