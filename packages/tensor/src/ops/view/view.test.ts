import type { Tensor } from '../../tensor.js';
import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { barrier, identity, stopGradient } from './identity.js';
import { concat, pad, type SliceRange, slice, split, stack } from './parts.js';
import { tril, triu } from './triangle.js';
import { expand, flip, permute, reshape, transpose } from './views.js';

const x = (shape: number[], seed = 1) => sample.normal(shape, seed);
const integers = sample.integers([3, 17], 2, 100, 'i32');
const flags = sample.integers([3, 17], 3, 2, 'bool');

const triangles = [
  sample.call([x([17, 65])], { diagonal: 3 }),
  sample.call([x([3, 5, 4])], { diagonal: -9 }),
  sample.call([x([2, 0, 3])], { diagonal: 0 }),
  sample.call([integers], { diagonal: -1 }),
  sample.call([flags], { diagonal: 0 }),
];

opSuite('view', (ops) => {
  ops.check(reshape, 'reshape', {
    apply: ([t], { shape }) => reshape(t!, shape as number[]),
    samples: [
      sample.call([x([65, 17])], { shape: [17, 65] }),
      sample.call([x([257])], { shape: [1, 257, 1] }),
      sample.call([x([0, 3])], { shape: [5, 0] }),
      sample.call([x([1])], { shape: [] }),
      sample.call([x([3, 17])], { shape: [-1, 3] }),
      sample.call([flags], { shape: [51] }),
    ],
  });
  ops.check(permute, 'permute', {
    apply: ([t], { axes }) => permute(t!, axes as number[]),
    samples: [
      sample.call([x([65, 17])], { axes: [1, 0] }),
      sample.call([x([3, 5, 17])], { axes: [1, 2, 0] }),
      sample.call([x([3, 0, 2])], { axes: [2, 1, 0] }),
      sample.call([integers], { axes: [1, 0] }),
    ],
  });
  ops.check(
    transpose,
    { none: 'permute with two axes swapped, which has one' },
    {
      samples: [sample.call([x([3, 17])]), sample.call([x([2, 3, 17])]), sample.call([flags])],
    },
  );
  ops.check(expand, 'expand', {
    apply: ([t], { shape }) => expand(t!, shape as number[]),
    samples: [
      sample.call([x([17])], { shape: [65, 17] }),
      sample.call([x([3, 1])], { shape: [3, 257] }),
      sample.call([x([1, 5, 1])], { shape: [3, 5, 17] }),
      sample.call([x([])], { shape: [0, 3] }),
      sample.call([integers], { shape: [2, 3, 17] }),
    ],
  });
  ops.check(slice, 'slice', {
    apply: ([t], { ranges }) => slice(t!, ranges as (SliceRange | null)[]),
    samples: [
      sample.call([x([65, 17])], { ranges: [[3, 60], null] }),
      sample.call([x([65, 17])], { ranges: [null, [-5, -1]] }),
      sample.call([x([257])], { ranges: [[1, 257, 7]] }),
      sample.call([x([5, 3])], { ranges: [[2, 2], null] }),
      sample.call([flags], {
        ranges: [
          [0, 3, 2],
          [1, 17, 3],
        ],
      }),
    ],
  });
  ops.check(pad, 'pad', {
    apply: ([t], { padding }) => pad(t!, padding as [number, number][]),
    samples: [
      sample.call([x([3, 17])], {
        padding: [
          [1, 0],
          [2, 3],
        ],
      }),
      sample.call([x([257])], { padding: [[0, 65]] }),
      sample.call([x([0, 3])], {
        padding: [
          [1, 2],
          [0, 1],
        ],
      }),
      sample.call([integers], {
        padding: [
          [1, 1],
          [0, 0],
        ],
      }),
      sample.call([flags], {
        padding: [
          [0, 1],
          [3, 0],
        ],
      }),
    ],
  });
  ops.check(tril, 'tril', { apply: ([t], { diagonal }) => tril(t!, diagonal as number), samples: triangles });
  ops.check(triu, 'triu', { apply: ([t], { diagonal }) => triu(t!, diagonal as number), samples: triangles });
  ops.check(flip, 'flip', {
    apply: ([t], { axes }) => flip(t!, axes as number[]),
    samples: [
      sample.call([x([65, 17])], { axes: [0, 1] }),
      sample.call([x([1, 257])], { axes: [-1] }),
      sample.call([x([0, 3])], { axes: [1] }),
      sample.call([flags], { axes: [1] }),
    ],
  });
  const joined = [
    sample.call([x([3, 17]), x([3, 1], 2), x([3, 65], 3)], { axis: 1 }),
    sample.call([x([17, 3]), x([0, 3], 2), x([1, 3], 3)], { axis: 0 }),
    sample.call([x([0, 3]), x([0, 3], 2)], { axis: 0 }),
    sample.call([integers, integers], { axis: -1 }),
    sample.call([flags, flags], { axis: 0 }),
  ];
  ops.check(concat, 'concat', { apply: (list, { axis }) => concat(list, axis as number), samples: joined });
  ops.check(stack, 'stack', {
    apply: (list, { axis }) => stack(list, axis as number),
    samples: [
      sample.call([x([3, 17]), x([3, 17], 2)], { axis: 1 }),
      sample.call([x([]), x([], 2), x([], 3)], { axis: 0 }),
    ],
  });
  ops.check(split, 'split', {
    apply: ([t], { parts, axis }) => split(t!, parts as number | number[], axis as number),
    samples: [
      sample.call([x([3, 17])], { parts: [1, 16], axis: 1 }),
      sample.call([x([65, 4])], { parts: 5, axis: 0 }),
      sample.call([x([3, 4])], { parts: [0, 3], axis: 0 }),
    ],
  });
  const same = [x([1]), x([3, 17]), x([0, 5]), integers, flags].map((input) => sample.call([input]));
  ops.check(identity, { none: 'it is its input' }, { samples: same });
  ops.check(
    barrier,
    { none: 'it is its first input' },
    {
      apply: ([t, ...others]) => barrier(t!, others),
      samples: [sample.call([x([3, 17]), x([5], 2)]), sample.call([x([3, 17]), integers, x([3, 17], 2)])],
    },
  );
  ops.check(
    stopGradient as (t: Tensor) => Tensor,
    { none: 'it is its input' },
    {
      samples: same.slice(3),
      half: { none: 'checked with integers: the gradient is not that of its values' },
    },
  );
});
