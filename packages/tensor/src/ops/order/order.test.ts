import { hostPermutation, key } from '../../random/index.js';
import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { type Ordered, type SortOptions, sort, topK } from './order.js';

const listed = ({ values, indices }: Ordered) => [values, indices];
const half = { none: 'equal f16 elements that differ in f32 have another order; values are gathered as they are' };
/** Numbers so far apart that no difference quotient swaps two. */
const apart = [[1], [17], [257], [65, 3], [0, 5]].map((shape, i) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, dtype: 'f32' as const, data: [...hostPermutation(key(i), size)].map((x) => x / 16 - 4) };
});

opSuite('order', (ops) => {
  ops.check(sort, 'sort', {
    apply: ([x], options) => listed(sort(x!, options as SortOptions)),
    samples: [
      ...apart.map((x, i) => sample.call([x], { descending: i % 2 === 0 })),
      sample.call([sample.normal([5, 0], 1)], { axis: 1 }),
      sample.call([sample.integers([3, 65], 3, 4)], { axis: 1, descending: true }),
    ],
    half,
  });
  ops.check(topK, 'topK', {
    apply: ([x], { k, axis, smallest }) =>
      listed(topK(x!, k as number, axis as number | undefined, { smallest: smallest === true })),
    samples: [
      ...apart.map((x) => sample.call([x], { k: Math.min(3, x.shape.at(-1)!) })),
      sample.call([sample.integers([65, 3], 3, 4, 'i32')], { k: 5, axis: 0 }),
    ],
    half,
  });
});
