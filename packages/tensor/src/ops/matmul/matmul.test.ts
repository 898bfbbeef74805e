import { expect, it } from 'vitest';
import { sample } from '../../testing/samples.js';
import { useDevice } from '../../testing/useDevice.testing.js';
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
  });
});

const device = useDevice();

it('einsum says what is wrong with an equation', (context) => {
  const on = device(context);
  const [a, b] = [on.tensor(new Float32Array(6), { shape: [2, 3] }), on.tensor(new Float32Array(8), { shape: [4, 2] })];
  const error = (equation: string, ...tensors: (typeof a)[]) => expect(() => einsum(equation, ...tensors));
  error('i+j', a).toThrow("[einsum] 'i+j' is no equation. Write letters for axes, as in 'ij,jk->ik'.");
  error('ij,jk->ik', a).toThrow("[einsum] 'ij,jk' has 2 operands, got 1 tensors. Give one each.");
  error('ijk->i', a).toThrow("[einsum] operand 0 is [2, 3], and 'ijk' names other axes. Name each one.");
  error('ij,jk->ik', a, b).toThrow('[einsum] label j is 3 in one place and 4 in another. They must agree.');
  error('ij->ik', a).toThrow("[einsum] the output label k must be in an operand, and once in the output. Got 'ik'.");
  error('ij->ii', a).toThrow("[einsum] the output label i must be in an operand, and once in the output. Got 'ii'.");
  error('...j->j', a).toThrow("[einsum] an operand has '...' and the output has not. Write it there, too.");
});

it('einsum is one dispatch where it is one product', async (context) => {
  const on = device(context);
  const [q, k] = [5, 7].map((n) => on.tensor(new Float32Array(2 * n * 3 * 4), { shape: [2, n, 3, 4] }));
  const before = on.counters.dispatches;
  await on.run(einsum('bnhd,bmhd->bhnm', q!, k!));
  expect(on.counters.dispatches - before).toBe(1);
});
