import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { embedding, gather, oneHot, scatterAdd } from './indices.js';

opSuite('index', (ops) => {
  ops.check(embedding, 'embedding', {
    samples: [
      sample.call([sample.normal([1, 1], 1), sample.integers([1], 2, 1)]),
      sample.call([sample.normal([65, 17], 3), sample.integers([3, 17], 4, 65)]),
      sample.call([sample.normal([3, 257], 5), sample.integers([65], 6, 3)]),
      sample.call([sample.normal([3, 5], 7), sample.integers([0], 8, 3)]),
      // Ids beyond the table read zeros.
      sample.call([sample.normal([3, 5], 9), sample.values([0, 2, 3, 4294967295], 'u32')]),
    ],
  });
  ops.check(gather, 'gather', {
    apply: ([x, indices], { axis }) => gather(x!, indices!, axis as number),
    samples: [
      sample.call([sample.normal([65, 17], 3), sample.integers([65, 3], 4, 17)], { axis: 1 }),
      sample.call([sample.normal([3, 257], 5), sample.integers([65, 257], 6, 3)], { axis: 0 }),
      sample.call([sample.normal([3, 5], 7), sample.integers([0, 5], 8, 3)], { axis: 0 }),
      sample.call([sample.integers([3, 5], 7, 9, 'i32'), sample.integers([3, 2], 8, 5)], { axis: 1 }),
      // Indices beyond the axis read zero.
      sample.call([sample.normal([3], 9), sample.values([0, 2, 3, 4294967295], 'u32')], { axis: 0 }),
    ],
  });
  ops.check(oneHot, 'oneHot', {
    apply: ([ids], { depth }) => oneHot(ids!, depth as number),
    samples: [
      sample.call([sample.integers([17], 1, 3)], { depth: 3 }),
      sample.call([sample.integers([3, 65], 2, 20)], { depth: 17 }),
      sample.call([sample.integers([0], 2, 20)], { depth: 17 }),
    ],
    half: { none: 'ids are whole and the result is f32' },
  });
  const { none } = { none: 'PyTorch spells it index_add; its values are those of the embedding gradients above' };
  ops.check(
    scatterAdd,
    { none },
    {
      apply: ([rows, ids], { count }) => scatterAdd(rows!, ids!, count as number),
      samples: [
        sample.call([sample.normal([1, 1], 1), sample.integers([1], 2, 1)], { count: 1 }),
        sample.call([sample.normal([17, 3], 3), sample.integers([17], 4, 5)], { count: 5 }),
        sample.call([sample.normal([3, 65, 17], 5), sample.integers([3, 65], 6, 65)], { count: 65 }),
        sample.call([sample.normal([257, 5], 7), sample.integers([257], 8, 3)], { count: 3 }),
        sample.call([sample.normal([0, 5], 9), sample.integers([0], 10, 3)], { count: 3 }),
        sample.call([sample.normal([3, 0], 9), sample.integers([3], 10, 3)], { count: 3 }),
        // Ids from the count up are left out.
        sample.call([sample.normal([4, 5], 9), sample.values([0, 2, 3, 4294967295], 'u32')], { count: 3 }),
        sample.call([sample.normal([4, 5], 9), sample.values([0, 2, 3, 4294967295], 'u32')], { count: 0 }),
      ],
    },
  );
});
