// Operands that are read through a function of a leaf's elements: the results are those of an operand in memory, and there
// is one dispatch less.
import { describe, expect, it } from 'vitest';
import { attention, hostNormal, key, matmul, relu, type Tensor, unpackIntegers } from '../index.js';
import { bufferLeaf, leafValue } from '../ops/leaf.js';
import { useDevice } from '../testing/use-device.testing.js';
import { allPasses } from './passes.js';
import { compileProgram } from './program.js';

const device = useDevice();
const values = (seed: number, shape: readonly number[]) =>
  hostNormal(
    key(seed),
    shape.reduce((a, b) => a * b, 1),
  );

const limits = {
  maxStorageBuffersPerShaderStage: 10,
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeWorkgroupsPerDimension: 65535,
};
/** Dispatches of a graph of these leaves, with and without the pass. */
function dispatches(leaves: readonly Tensor[], root: Tensor): [number, number] {
  const counts = [true, false].map((prologue) => {
    const passes = { ...allPasses, prologue };
    const target = { adapter: { software: true }, limits, f16: true, passes };
    return compileProgram([root], leaves, target).steps.length;
  });
  return counts as [number, number];
}
function leaf(shape: readonly number[], dtype: 'f32' | 'f16' | 'u32' = 'f32'): Tensor {
  return leafValue(bufferLeaf, { shape, dtype });
}

describe('which operands', () => {
  const [x, w] = [leaf([5, 24]), leaf([24, 8])];
  const packed = leaf([24, 2], 'u32');

  it.each<[string, Tensor, Tensor]>([
    ['a cast', leaf([24, 8], 'f16'), leaf([1])],
    ['a scale that comes with the call', w, leaf([1])],
    ['integers, dequantised', leaf([24, 8], 'u32'), leaf([1])],
  ])('are read through: %s', (_, weights, scale) => {
    const read = weights.cast('f32').sub(2).mul(scale);
    expect(dispatches([x, weights, scale], matmul(x, read))).toEqual([1, 2]);
    // A window of what is read through, too.
    const transposed = read.transpose();
    expect(dispatches([x, weights, scale], matmul(transposed, x.transpose()))).toEqual([1, 2]);
  });

  it.each<[string, () => [readonly Tensor[], Tensor]]>([
    ['an expensive function', () => [[x, w], matmul(x, w.pow(2.5))]],
    ['scales that are no fewer', () => [[x, packed, w], matmul(x, unpackIntegers(packed, 8).cast('f32').mul(w))]],
    [
      'packed numbers in another order',
      () => [[x, packed], matmul(x, unpackIntegers(packed, 8).flip(0).cast('f32').mul(2))],
    ],
    ['two tensors', () => [[x, w], matmul(x, w.add(w.flip(0)))]],
    ['a cast that halves what is loaded', () => [[x, w], matmul(x.cast('f16'), w.cast('f16'))]],
  ])('are kept in memory: %s', (_, make) => {
    const [leaves, root] = make();
    const [on, off] = dispatches(leaves, root);
    expect(on).toBe(off);
  });

  it('are read through: packed numbers with a scale for each column', () => {
    const [rows, scales] = [leaf([18, 24]), leaf([1, 8])];
    const read = unpackIntegers(packed, 8)
      .cast('f32')
      .mul(scales.expand([24, 8]));
    expect(dispatches([rows, packed, scales], matmul(rows, read))).toEqual([1, 2]);
  });

  it('are not what a kernel of the program makes: that is finished there', () => {
    const hidden = relu(matmul(x, w));
    const second = leaf([8, 3]);
    expect(dispatches([x, w, second], matmul(hidden, second))).toEqual([2, 2]);
  });
});

describe('on the device', () => {
  it('a product of weights in f16, cast and scaled, is that of the same weights in f32', async (context) => {
    const on = device(context);
    const half = on.hasFeature('shader-f16');
    const x = on.tensor(values(1, [37, 65]), { shape: [37, 65] });
    const weights = on.tensor(values(2, [65, 33]), { shape: [65, 33], dtype: half ? 'f16' : 'f32' });
    const wide = weights.cast('f32');
    const kept = wide.mul(0.125);
    await on.run(kept); // in memory
    for (const [through, stored] of [
      [wide.mul(0.125), kept],
      [relu(weights.cast('f32').mul(0.125)), relu(kept)],
    ] as const) {
      const before = on.counters.dispatches;
      const product = matmul(x, through);
      await on.run(product);
      expect(on.counters.dispatches - before).toBe(1);
      const expected = matmul(x, stored);
      expect([...(await product.read())]).toEqual([...(await expected.read())]);
    }
  });

  it('attention of keys and values in f16, cast and scaled, forward', async (context) => {
    const on = device(context);
    const half = on.hasFeature('shader-f16');
    const shape = [2, 19, 3, 8];
    const q = on.tensor(values(3, shape), { shape });
    const [k, v] = [4, 5].map((seed) => on.tensor(values(seed, shape), { shape, dtype: half ? 'f16' : 'f32' }));
    const scaled = (y: Tensor) => y.cast('f32').mul(0.5);
    const kept = [scaled(k!), scaled(v!)];
    await on.run(kept);
    const before = on.counters.dispatches;
    const result = attention(q.mul(2), scaled(k!), scaled(v!));
    await on.run(result);
    expect(on.counters.dispatches - before).toBe(1);
    const doubled = q.mul(2);
    await on.run(doubled);
    const expected = attention(doubled, kept[0]!, kept[1]!);
    expect([...(await result.read())]).toEqual([...(await expected.read())]);
  });
});
