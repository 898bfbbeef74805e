import type { DType } from '../../graph/dtype.js';
import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { arange, full, ones, scalar, zeros } from './constant.js';

const none = 'their values are their definition';
const half = { none: 'checked by dtype below' };
const shapes = [[], [1], [17], [3, 65], [0, 3]];
const dtypes: DType[] = ['f32', 'i32', 'u32', 'bool'];
const calls = shapes.flatMap((shape) => dtypes.map((dtype) => sample.call([], { shape, dtype }, `${dtype}[${shape}]`)));

opSuite('creation', (ops) => {
  const shapeOf = (attrs: Readonly<Record<string, unknown>>) =>
    [attrs.shape as number[], attrs.dtype as DType] as const;
  ops.check(zeros, { none }, { apply: (_, attrs) => zeros(...shapeOf(attrs)), samples: calls, half });
  ops.check(ones, { none }, { apply: (_, attrs) => ones(...shapeOf(attrs)), samples: calls, half });
  ops.check(
    full,
    { none },
    {
      apply: (_, attrs) => full(attrs.shape as number[], attrs.dtype === 'bool' ? 1 : 3, attrs.dtype as DType),
      samples: calls,
      half,
    },
  );
  ops.check(
    scalar,
    { none },
    {
      apply: (_, { value, dtype }) => scalar(value as number, dtype as DType),
      samples: [
        sample.call([], { value: 2.5, dtype: 'f32' }, 'f32'),
        sample.call([], { value: -7, dtype: 'i32' }, 'i32'),
        sample.call([], { value: 4294967295, dtype: 'u32' }, 'u32'),
      ],
      half,
    },
  );
  ops.check(
    arange,
    { none },
    {
      apply: (_, { length, dtype }) => arange(length as number, dtype as DType),
      samples: [0, 1, 3, 17, 257].flatMap((length) =>
        (['f32', 'i32', 'u32'] as const).map((dtype) => sample.call([], { length, dtype }, `${dtype}[${length}]`)),
      ),
      half,
    },
  );
});
