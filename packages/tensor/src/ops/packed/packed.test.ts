import { describe, expect, it } from 'vitest';
import { sample } from '../../testing/samples.js';
import { useDevice } from '../../testing/use-device.testing.js';
import { opSuite } from '../suite.testing.js';
import { type PackedBits, unpackIntegers } from './unpack-integers.js';

const device = useDevice();

/** Words of any bits. */
function words(shape: readonly number[], seed: number) {
  const { data } = sample.uniform(shape, seed, 0, 2 ** 16);
  const low = sample.integers(shape, seed + 100, 2 ** 16).data;
  return { shape, dtype: 'u32' as const, data: data.map((x, i) => Math.floor(x) * 2 ** 16 + low[i]!) };
}

opSuite('packed numbers', (ops) => {
  ops.check(
    unpackIntegers,
    { none: 'bits of words, by definition' },
    {
      apply: ([x], { bits }) => unpackIntegers(x!, bits as PackedBits),
      samples: [4, 8].flatMap((bits) =>
        [[], [1], [3, 5], [2, 1, 65], [257], [0], [3, 0]].map((shape, i) => sample.call([words(shape, i)], { bits })),
      ),
      half: { none: 'its results are whole numbers' },
    },
  );
});

describe('unpackIntegers', () => {
  it('takes the lowest bits first, with their sign', async (context) => {
    const x = device(context).tensor(Uint32Array.of(0x8f01_7f80, 0x9876_5432), { shape: [2, 1] });
    expect([...(await unpackIntegers(x, 8).read())]).toEqual([-128, 127, 1, -113, 50, 84, 118, -104]);
    expect([...(await unpackIntegers(x, 4).read())].slice(8)).toEqual([2, 3, 4, 5, 6, 7, -8, -7]);
  });

  it('says what it takes', (context) => {
    const on = device(context);
    expect(() => unpackIntegers(on.tensor([1, 2]), 8)).toThrow('the dtype is f32, and only u32 will do.');
    expect(() => unpackIntegers(on.tensor([1], { dtype: 'u32' }), 3 as 4)).toThrow('bits must be 4 or 8, got 3.');
  });
});
