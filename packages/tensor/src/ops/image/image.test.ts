import type { Tensor } from '../../tensor.js';
import { type OpSample, sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { type Conv2dOptions, conv2d, convTranspose2d } from './convolutions.js';
import { type ResizeMode, resize } from './resize.js';
import { avgPool2d, fold, maxPool2d, type Windows, windows } from './windows.js';

const picture = (shape: number[], seed = 1) => sample.normal(shape, seed);

opSuite('image', (ops) => {
  ops.check(conv2d, 'conv2d', {
    apply: ([x, weight, bias], options) => conv2d(x!, weight!, { ...(options as Conv2dOptions), bias }),
    samples: [
      sample.call([picture([2, 3, 17, 9]), picture([5, 3, 3, 3], 2)], { padding: 1 }),
      sample.call([picture([1, 6, 9, 17]), picture([6, 2, 2, 3], 2)], { groups: 3, stride: [2, 3] }),
      sample.call([picture([0, 3, 4, 4]), picture([5, 3, 3, 3], 2)], { padding: 1 }),
      // More outputs than places.
      sample.call([picture([2, 4, 4, 3]), picture([10, 2, 3, 2], 2)], { groups: 2 }),
    ],
    // Sums of 27 products of size 1, and of 300 in the weight's gradient.
    tolerance: { absolute: 1e-5 },
    gradientTolerance: { absolute: 5e-5 },
  });
  ops.check(resize, 'resize', {
    apply: ([x], { size, mode }) => resize(x!, size as [number, number], mode as ResizeMode),
    samples: [
      sample.call([picture([3, 5, 17, 9])], { size: [65, 13], mode: 'bilinear' }),
      sample.call([picture([3, 5, 17, 9])], { size: [7, 27], mode: 'nearest' }),
      sample.call([picture([0, 5, 3, 3])], { size: [7, 6], mode: 'nearest' }),
      sample.call([sample.integers([2, 1, 3, 5], 4, 100, 'i32')], { size: [6, 7], mode: 'nearest' }),
      sample.call([sample.integers([2, 1, 3, 5], 4, 2, 'bool')], { size: [6, 7], mode: 'nearest' }),
    ],
    gradientTolerance: { absolute: 1e-5 },
    edges: { infinities: { none: 'adapters differ in what an infinity with a share of 0 adds' } },
  });
  ops.check(windows, 'windows', { apply: ([x], layout) => windows(x!, layout as unknown as Windows) });
  ops.check(fold, 'fold', {
    apply: ([g], { size, ...layout }) => fold(g!, size as [number, number], layout as unknown as Windows),
  });
  const pictures = sample.normal([2, 4, 9, 7], 70);
  ops.check(convTranspose2d, 'convTranspose2d', {
    samples: [
      sample.call([pictures, sample.normal([4, 3, 3, 2], 71)], { stride: [2, 3], padding: 1, outputPadding: [1, 2] }),
      sample.call([sample.normal([0, 2, 3, 3], 72), sample.normal([2, 1, 3, 3], 73)]),
    ],
    gradientTolerance: { absolute: 2e-5 },
  });
  const pooled = [
    sample.call([pictures], { kernel: [3, 2], stride: [2, 1], padding: 1 }),
    sample.call([sample.normal([1, 3, 8, 8], 74)], { kernel: 2 }),
    sample.call([sample.normal([0, 3, 8, 8], 75)], { kernel: 2 }),
  ];
  const pool =
    (of: typeof maxPool2d): Pool =>
    ([x], { kernel, ...options }) =>
      of(x!, kernel as number, options);
  ops.check(maxPool2d, 'maxPool2d', { apply: pool(maxPool2d), samples: pooled });
  ops.check(avgPool2d, 'avgPool2d', { apply: pool(avgPool2d), samples: pooled });
});

type Pool = (inputs: readonly Tensor[], attrs: OpSample['attrs']) => Tensor;
