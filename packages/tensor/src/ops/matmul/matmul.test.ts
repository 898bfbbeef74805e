import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { einsum } from './einsum.js';
import { matmul } from './matmul.js';

/** Sizes around the tiles' edges, batches, broadcast batches, vectors as thin matrices, and nothing. */
const sizes: [number[], number[]][] = [
  [
    [1, 1],
    [1, 1],
  ],
  [
    [3, 17],
    [17, 65],
  ],
  [
    [65, 17],
    [17, 3],
  ],
  [
    [65, 65],
    [65, 65],
  ],
  [
    [1, 257],
    [257, 3],
  ],
  [
    [257, 1],
    [1, 3],
  ],
  [
    [3, 17, 5],
    [5, 17],
  ],
  [
    [3, 17, 5],
    [3, 5, 17],
  ],
  [
    [2, 1, 3, 5],
    [3, 5, 2],
  ],
  [
    [0, 5],
    [5, 3],
  ],
  [
    [3, 5],
    [5, 0],
  ],
  [
    [3, 0],
    [0, 5],
  ],
];

/** What matmul promises of sums of 10,007 products. */
const long = { relative: 10_007 * 2 ** -24 };

opSuite('matmul', (ops) => {
  ops.check(matmul, 'matmul', {
    apply: ([a, b], { transposeA, transposeB }) =>
      matmul(transposeA ? a!.transpose() : a!, transposeB ? b!.transpose() : b!),
    samples: [
      ...sizes.map(([a, b], i) => sample.call([sample.normal(a, 200 + i), sample.normal(b, 300 + i)])),
      sample.call([sample.normal([17, 33], 1), sample.normal([17, 65], 2)], { transposeA: true }),
      sample.call([sample.normal([33, 17], 3), sample.normal([65, 17], 4)], { transposeB: true }),
    ],
    // Rounding of a sum of 257 products of size 1.
    tolerance: { relative: 2e-5, absolute: 2e-5 },
    half: { relative: 4e-3, absolute: 4e-3 },
    edges: { long },
  });
  ops.check(einsum, 'einsum', {
    apply: (tensors, { equation }) => einsum(equation as string, ...tensors),
    samples: [
      ['bij,bjk->bik', [3, 17, 5], [3, 5, 65]],
      ['ij,kj', [65, 17], [3, 17]],
      ['i,j->ji', [0], [3]],
      ['ij,jk->ik', [3, 0], [0, 5]],
      ['...i->...', [2, 3, 17]],
    ].map(([equation, ...shapes], i) =>
      sample.call(
        shapes.map((shape, j) => sample.normal(shape as number[], 30 + 5 * i + j)),
        { equation },
      ),
    ),
    tolerance: { relative: 2e-5, absolute: 1e-5 },
    edges: { long },
  });
});
