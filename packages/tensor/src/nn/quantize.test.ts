// Packed weights: bounds of their error as derived from the format, products that read them without a copy, bad input.
import { fromHalf, toHalf } from '@paris/files';
import type { HostTensor } from '@paris/files/safetensors';
import { describe, expect, it } from 'vitest';
import { type Device, grad, hostNormal, key, matmul, type Tensor, uploadTensor } from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';
import {
  canQuantize,
  dequantize,
  type HostQuantizedMatrix,
  linear,
  type QuantizedFormat,
  type QuantizedMatrix,
  quantize,
} from './index.js';

const device = useDevice();
const formats = ['q8', 'q4'] as const;

function matrix(rows: number, width: number, seed = 1): HostTensor & { data: Float32Array } {
  return { data: hostNormal(key(seed), rows * width), shape: [rows, width], dtype: 'f32' };
}

function upload(on: Device, packed: HostQuantizedMatrix): QuantizedMatrix {
  const half = on.hasFeature('shader-f16');
  const entries = Object.entries(packed).map(([name, tensor]: [string, HostTensor]) => {
    return [name, uploadTensor(on, tensor, half ? undefined : 'f32')] as const;
  });
  return Object.fromEntries(entries) as unknown as QuantizedMatrix;
}

/** The largest absolute value of each element's group, and the greatest allowed distance from the original. */
function bounds({ data, shape }: HostTensor, format: QuantizedFormat): number[] {
  const group = format === 'q8' ? shape[1]! : 32;
  return [...data].map((_, i) => {
    const start = i - (i % group);
    const most = Math.max(...[...data.slice(start, start + group)].map(Math.abs));
    const scale = format === 'q8' ? (most / 127) * (1 + 2 ** -23) : (most / 7) * (1 + 2 ** -10) + 2 ** -24;
    return scale / 2 + most * 2 ** -23; // the product of scale and number is rounded to f32
  });
}

describe.each(formats)('%s', (format) => {
  it('is off by at most half a scale in each element', async (context) => {
    const on = device(context);
    for (const [rows, width, factor] of [
      [7, 64, 1],
      [3, 96, 1e-4],
      [1, 32, 3e4],
      [65, 128, 0.02],
    ] as const) {
      const original = matrix(rows, width, rows);
      original.data.forEach((x, i) => {
        original.data[i] = x * factor;
      });
      const allowed = bounds(original, format);
      const read = await dequantize(upload(on, quantize(original, format))).read();
      read.forEach((x, i) => {
        const off = Math.abs(x - original.data[i]!);
        if (!(off <= allowed[i]!))
          expect.fail(`element ${i}: ${original.data[i]} became ${x}, ${allowed[i]} is allowed`);
      });
      expect(read.length).toBe(rows * width);
      // Not a bound that anything would keep: some element comes near to it.
      expect(Math.max(...[...read].map((x, i) => Math.abs(x - original.data[i]!) / allowed[i]!))).toBeGreaterThan(0.8);
    }
  });

  it('keeps zeros, and multiples of the scale', async (context) => {
    const on = device(context);
    const zeros = { ...matrix(2, 64), data: new Float32Array(2 * 64) };
    expect([...(await dequantize(upload(on, quantize(zeros, format))).read())]).toEqual([...zeros.data]);
    const most = format === 'q8' ? 127 : 7;
    const whole = Float32Array.from({ length: 64 }, (_, i) => (((i * 5) % (2 * most + 1)) - most) * 0.25);
    whole[0] = whole[32] = most * 0.25;
    const read = await dequantize(upload(on, quantize({ data: whole, shape: [1, 64], dtype: 'f32' }, format))).read();
    expect([...read]).toEqual([...whole]);
  });

  it('a product takes the numbers out as it loads: one dispatch, no memory but the result, the same bits', async (context) => {
    const on = device(context);
    const x = on.tensor(hostNormal(key(3), 37 * 128), { shape: [37, 128] });
    const packed = upload(on, quantize(matrix(72, 128), format));
    const weight = dequantize(packed);
    await on.run(weight); // in memory
    const uses: [string, (w: Tensor) => Tensor, number][] = [
      ['a linear layer', (w) => linear({ weight: w }, x), 37 * 72],
      ['rows of a weight', (w) => linear({ weight: w.slice([[24, 72], null]) }, x), 37 * 48],
      ['a gradient', (w) => matmul(x.slice([null, [0, 72]]), w), 37 * 128],
    ];
    for (const [name, use, size] of uses) {
      const fresh = use(dequantize(packed));
      const { dispatches, bytesAllocated } = { ...on.counters };
      await on.run(fresh);
      expect(on.counters.dispatches - dispatches, name).toBe(1);
      // The result, and the words of the dispatch: the weight would be 36,864 bytes.
      expect(on.counters.bytesAllocated - bytesAllocated, name).toBeLessThan(4 * size + 2048);
      expect([...(await fresh.read())], name).toEqual([...(await use(weight).read())]);
    }
  });

  it('gradients flow to what it is multiplied with, and not into packed numbers', async (context) => {
    const on = device(context);
    const packed = upload(on, quantize(matrix(8, 64), format));
    const loss = (x: Tensor) =>
      linear({ weight: dequantize(packed) }, x)
        .square()
        .sum();
    const x = on.tensor(hostNormal(key(4), 3 * 64), { shape: [3, 64] });
    const gradient = await grad(loss)(x).read();
    const weight = dequantize(packed);
    await on.run(weight);
    const expected = await grad((y: Tensor) => linear({ weight }, y).square().sum())(x).read();
    expect([...gradient]).toEqual([...expected]);
    expect(Math.max(...gradient)).toBeGreaterThan(1);
    expect(() => grad((w: QuantizedMatrix) => linear({ weight: dequantize(w) }, x).sum())(packed)).toThrow(
      `[grad] parameter ${format} has dtype u32; only floats have gradients.`,
    );
  });

  it('refuses what it cannot hold', () => {
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const weights = matrix(2, 64);
      weights.data[70] = broken;
      expect(() => quantize(weights, format)).toThrow(`[quantize] element 70 is ${broken}.`);
    }
    const unit = format === 'q8' ? 4 : 32;
    for (const shape of [[64], [2, 65], [2, 0], [2, 2, 32]]) {
      const odd: HostTensor = { data: new Float32Array(shape.reduce((a, b) => a * b)), shape, dtype: 'f32' };
      expect(canQuantize(shape, format)).toBe(false);
      expect(() => quantize(odd, format)).toThrow(
        `[quantize] ${format} packs matrices [out, in] where in is a multiple of ${unit}, got [${shape.join(', ')}].`,
      );
    }
    expect(canQuantize([2, 64], 'q3' as 'q4')).toBe(false);
    const whole: HostTensor = { data: new Int32Array(64), shape: [2, 32], dtype: 'i32' };
    expect(() => quantize(whole, format)).toThrow('only floats are quantized, got i32. Cast it first.');
  });

  it('says what is missing', (context) => {
    const { scale: _, ...words } = upload(device(context), quantize(matrix(2, 64), format));
    expect(() => dequantize(words as QuantizedMatrix)).toThrow(
      '[dequantize] the argument must be a tensor, got undefined.',
    );
    expect(() => quantize(matrix(2, 64), 'q5' as 'q4')).toThrow('[quantize] there is no format q5. Use q8 or q4.');
  });

  it('refuses scales of another number', (context) => {
    const on = device(context);
    const packed = upload(on, quantize(matrix(6, 64), format));
    const groups = format === 'q8' ? 1 : 2;
    for (const shape of [[6], [1, groups], [6, groups + 1]]) {
      const scale = on.tensor(new Float32Array(shape.reduce((a, b) => a * b)), { shape });
      expect(() => dequantize({ ...packed, scale })).toThrow(`[dequantize] scales must be [6, ${groups}]`);
    }
  });
});

it('q4 refuses what is beyond f16 scales', () => {
  const weights = matrix(1, 32);
  weights.data[0] = 7 * 65504;
  expect(quantize(weights, 'q4').scale.data[0]).toBe(65504);
  weights.data[0] = 7 * 65505;
  expect(() => quantize(weights, 'q4')).toThrow('too large for the f16 scales of q4');
  expect(quantize(weights, 'q8').scale.data[0]).toBeCloseTo((7 * 65505) / 127);
});

it('scales are of the dtype that files keep', () => {
  const { scale } = quantize(matrix(4, 64), 'q4');
  expect(scale.dtype).toBe('f16');
  expect([...scale.data].every((x) => fromHalf(toHalf(x)) === x)).toBe(true);
});
