// Packed weights of whole networks: which are packed, what files call them, and what networks see of them.
import type { HostTensor } from '@paris/files/safetensors';
import { type Device, hostNormal, key, matmul, openDevice, type Tensor, zeros } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Expert } from '../contracts/expert.js';
import { compareParameters } from '../folder/parameters.js';
import { type Params, toTree } from '../params.js';
import { packedExpert, packedShapes } from './packed.js';
import { isPackable, packedName, quantizeParameters, unpackedShapes, weightBytes, writtenTensors } from './quantize.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const normal = (shape: readonly number[], seed: number): HostTensor => ({
  data: hostNormal(
    key(seed),
    shape.reduce((a, b) => a * b, 1),
  ),
  shape,
  dtype: 'f32',
});

describe('which weights', () => {
  it.each([
    ['layers.0.attn.in_proj_weight', [96, 32]],
    ['layers.27.mlp.2.weight', [32, 128]],
    ['t_block.1.weight', [192, 32]],
    ['weight', [4, 64]],
  ])('are packed: %s', (path, shape) => {
    expect(isPackable(path, shape, 'q8')).toBe(true);
    expect(isPackable(path, shape, 'q4')).toBe(true);
  });

  it.each([
    ['text_embed.weight', [1000, 128]],
    ['time_embed.mlp.0.weight', [128, 256]],
    ['patch_embed.weight', [128, 3, 4, 4]],
    ['pos_embed', [1, 16, 128]],
    ['final_layer.linear.weight', [48, 128]],
    ['head.4.weight', [8, 128]],
    ['layers.0.mlp.0.bias', [128]],
    ['layers.0.scale_shift_table', [6, 128]],
    ['layers.0.mlp.0.weight', [128, 30]],
  ])('stay floats: %s', (path, shape) => {
    expect(isPackable(path, shape, 'q8')).toBe(false);
    expect(isPackable(path, shape, 'q4')).toBe(false);
    const format = writtenTensors(path, normal(shape, 1), 'q4');
    expect(format.map(([name, { dtype }]) => [name, dtype])).toEqual([[path, 'f16']]);
  });
});

describe('what is written', () => {
  it('is words and scales under the name of the matrix', () => {
    const written = (format: 'q8' | 'q4') =>
      writtenTensors('a.weight', normal([3, 64], 1), format).map(([name, { dtype, shape }]) => [name, dtype, shape]);
    expect(written('q8')).toEqual([
      ['a.weight.q8', 'u32', [3, 16]],
      ['a.weight.scale', 'f32', [3, 1]],
    ]);
    expect(written('q4')).toEqual([
      ['a.weight.q4', 'u32', [3, 8]],
      ['a.weight.scale', 'f16', [3, 2]],
    ]);
    const ids: HostTensor = { data: Int32Array.of(1, 2), shape: [2], dtype: 'i32' };
    expect(writtenTensors('ids', ids, 'q4')).toEqual([['ids', ids]]);
  });

  it.each(['f32', 'f16', 'q8', 'q4'] as const)('takes as many bytes as is said before: %s', (format) => {
    const shapes = { 'a.weight': [3, 64], 'a.bias': [3], 'b.weight': [5, 36], 'text_embed.weight': [7, 32] };
    const written = Object.entries(shapes).flatMap(([path, shape]) => writtenTensors(path, normal(shape, 1), format));
    const bytes = written.map(([, { data, dtype }]) => data.length * (dtype === 'f16' ? 2 : 4));
    expect(bytes.reduce((a, b) => a + b)).toBe(weightBytes(shapes, format));
  });

  it('names the weight that cannot be', () => {
    const broken = normal([2, 32], 1);
    broken.data[3] = Number.NaN;
    expect(() => writtenTensors('a.weight', broken, 'q8')).toThrow('[quantize] a.weight: element 3 is NaN.');
  });

  it.each(['f16', 'q4'] as const)('is no infinity in place of a number beyond f16: %s', (format) => {
    const bias = { data: Float32Array.of(65519, -65520), shape: [2], dtype: 'f32' } as const;
    const refusal = '[weights] a.bias: element 1 is -65520, beyond f16. Write f32.';
    expect(() => writtenTensors('a.bias', bias, format)).toThrow(refusal);
    expect(writtenTensors('a.bias', bias, 'f32')).toEqual([['a.bias', bias]]);
  });
});

describe('what a file holds', () => {
  const entry = (name: string, shape: readonly number[]) => ({ name, shape });
  const expected = { a: { weight: zeros([3, 64]) }, b: zeros([5]) };
  const compare = (...entries: ReturnType<typeof entry>[]) =>
    compareParameters(expected, [entry('b', [5]), ...entries], 'q4');

  it('is seen as networks see it', () => {
    expect(packedName('a.weight.q8')).toEqual({ path: 'a.weight', format: 'q8' });
    expect(packedName('a.weight')).toBeUndefined();
    const entries = [entry('x.q8', [3, 16]), entry('x.scale', [3, 1]), entry('norm.scale', [7])];
    expect(unpackedShapes(entries)).toEqual({ 'norm.scale': [7], x: [3, 64] });
    expect(packedShapes('x', [3, 64], 'q8')).toEqual([
      ['x.q8', [3, 16]],
      ['x.scale', [3, 1]],
    ]);
    expect(compare(entry('a.weight.q4', [3, 8]), entry('a.weight.scale', [3, 2]))).toEqual([]);
    expect(compare(entry('a.weight', [3, 64]))).toEqual([]); // not every matrix has to be packed
  });

  it.each<[string, ReturnType<typeof entry>[]]>([
    ['missing a.weight', []],
    ['missing a.weight.scale', [entry('a.weight.q4', [3, 8])]],
    ['unexpected a.weight.q8, a.weight.scale', [entry('a.weight.q8', [3, 16]), entry('a.weight.scale', [3, 1])]],
    [
      'wrong shapes: a.weight.q4 is [3, 4], not [3, 8]',
      [entry('a.weight.q4', [3, 4]), entry('a.weight.scale', [3, 2])],
    ],
    [
      'wrong shapes: a.weight.scale is [3, 1], not [3, 2]',
      [entry('a.weight.q4', [3, 8]), entry('a.weight.scale', [3, 1])],
    ],
    [
      'unexpected a.weight',
      [entry('a.weight', [3, 64]), entry('a.weight.q4', [3, 8]), entry('a.weight.scale', [3, 2])],
    ],
  ])('is refused: %s', (problem, entries) => {
    expect(compare(...entries)).toContain(problem);
  });
});

describe('what networks see', () => {
  it.each(['q8', 'q4'] as const)('of %s is matrices near the originals, and all else untouched', async (format) => {
    const weight = device.tensor(normal([48, 64], 2).data as Float32Array, { shape: [48, 64] });
    const bias = device.tensor(normal([48], 3).data as Float32Array, { shape: [48] });
    const params: Params = { 'layers.0.weight': weight, 'layers.0.bias': bias };
    const packed = await quantizeParameters(device, params, format);
    expect(Object.keys(packed)).toEqual([`layers.0.weight.${format}`, 'layers.0.weight.scale', 'layers.0.bias']);
    expect(packed['layers.0.bias']).toBe(bias);

    const x = device.tensor(normal([9, 64], 4).data as Float32Array, { shape: [9, 64] });
    type Tree = { layers: [{ weight: Tensor; bias: Tensor }] };
    const expert: Expert<Tree> = {
      objective: { prediction: 'velocity', path: 'linear' },
      init: () => ({ layers: [{ weight: zeros([48, 64]), bias: zeros([48]) }] }),
      apply: ({ layers: [{ weight: w, bias: b }] }, { latents }) => matmul(latents, w.transpose()).add(b),
    };
    const small = packedExpert(expert);
    expect(small.objective).toBe(expert.objective);
    const forward = device.compile((weights: Params, latents: Tensor) =>
      small.apply(toTree(weights) as Tree, { latents, time: zeros([9]) }),
    );
    const [exact, near] = [await (await forward(params, x)).read(), await (await forward(packed, x)).read()];
    const norm = (values: Float32Array) => Math.hypot(...values);
    const difference = norm(exact.map((value, i) => value - near[i]!) as Float32Array) / norm(exact as Float32Array);
    // Rounding errors are uniform in a step: the relative error of a row is step / √12 over the deviation of its numbers. Of 64
    // normal numbers the largest is about 2.5 deviations, of 32 about 2.2: 2.5 / 127 / √12 and 2.2 / 7 / √12.
    const typical = format === 'q8' ? 0.0057 : 0.091;
    expect(difference).toBeGreaterThan(typical / 2);
    expect(difference).toBeLessThan(typical * 1.5);
  });
});

it('a format that there is not is refused: it would be f16', async () => {
  const q3 = 'q3' as 'q4';
  const message = '[weights] the format is "q3". Give "f32" or "f16" or "q8" or "q4".';
  expect(() => weightBytes({ weight: [4, 64] }, q3)).toThrow(message);
  expect(() => writtenTensors('weight', normal([4, 64], 1), q3)).toThrow(message);
  const weight = device.tensor(normal([4, 64], 1).data as Float32Array, { shape: [4, 64] });
  await expect(quantizeParameters(device, { weight }, q3)).rejects.toThrow(
    '[weights] the format is "q3". Give "q8" or "q4".',
  );
});
