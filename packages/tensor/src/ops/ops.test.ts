import type { DType } from '../graph/dtype.js';
import { sample } from '../testing/samples.js';
import { cast } from './cast.js';
import { pack } from './pack.js';
import { opSuite } from './suite.testing.js';
import { clamp, where } from './where.js';

opSuite('cast, where, pack', (ops) => {
  ops.check(cast, 'cast', {
    apply: ([x], { dtype }) => cast(x!, dtype as DType),
    samples: [
      sample.call([sample.normal([257], 1)], { dtype: 'i32' }),
      sample.call([sample.integers([65], 2, 2, 'bool')], { dtype: 'u32' }),
      sample.call([sample.integers([65], 2, 3, 'i32')], { dtype: 'bool' }),
      sample.call([sample.integers([3, 17], 3, 1000, 'u32')], { dtype: 'f32' }),
      sample.call([sample.normal([0], 1)], { dtype: 'u32' }),
    ],
    half: { none: 'f16 is one of its results' },
    edges: { infinities: { none: 'adapters disagree on the nearest whole number' } },
    differences: { none: 'f16 is steps, and other casts of floats have no gradient' },
    // PyTorch's cotangent of the f16 sample is f16, ours f32.
    gradientTolerance: { relative: 2 ** -11 },
  });
  ops.check(where, 'where', {
    samples: [
      sample.call([sample.integers([257], 1, 2, 'bool'), sample.normal([257], 2), sample.normal([257], 3)]),
      sample.call([sample.integers([3, 1], 1, 2, 'bool'), sample.normal([17], 2), sample.normal([1], 3)]),
      sample.call([sample.integers([0], 1, 2, 'bool'), sample.normal([1], 2), sample.normal([], 3)]),
      sample.call([sample.integers([17], 1, 2, 'bool'), sample.integers([17], 2, 9), sample.integers([1], 3, 9)]),
    ],
  });
  ops.elementwise(clamp, 'clamp', { apply: ([x], { low, high }) => clamp(x!, low as number, high as number) });
  ops.check(
    pack,
    { none: 'its parts in order, filled up with zeros' },
    {
      apply: (parts) => pack(parts),
      samples: [[[3]], [[1], [65, 3], []], [[64], [2, 32], [17]]].map((shapes, i) =>
        sample.call(shapes.map((shape, part) => sample.normal(shape, 10 * i + part))),
      ),
      half: { none: 'parts are f32' },
    },
  );
});
