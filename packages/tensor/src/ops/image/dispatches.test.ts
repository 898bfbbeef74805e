import { expect, it } from 'vitest';
import { grad } from '../../autodiff/gradient.js';
import type { Tensor } from '../../tensor.js';
import { useDevice } from '../../testing/use-device.testing.js';
import { conv2d } from './convolutions.js';
import { resize } from './resize.js';

const device = useDevice();

it('a convolution is two dispatches, one of a 1 × 1 kernel', async (context) => {
  const on = device(context);
  const make = (shape: number[]) => on.tensor(new Float32Array(shape.reduce((a, b) => a * b)), { shape });
  const [x, three, one, bias] = [[2, 4, 8, 8], [6, 4, 3, 3], [6, 4, 1, 1], [6]].map(make) as Tensor[];
  const counted = async (tree: unknown) => {
    const before = on.counters.dispatches;
    await on.run(tree);
    return on.counters.dispatches - before;
  };
  expect(await counted(conv2d(x!, three!, { bias, padding: 1 }))).toBe(2);
  expect(await counted(conv2d(x!, one!, { bias }))).toBe(1);
  // Back: a product and a fold for x; the windows laid out, a product for each picture and their sum for the weight.
  const both = grad((p: { x: Tensor; w: Tensor }) => conv2d(p.x, p.w, { padding: 1 }).square().sum());
  expect(await counted(both({ x: x!, w: three! }))).toBeLessThanOrEqual(8);
  expect(await counted(resize(x!, [16, 16], 'nearest').mul(2))).toBe(1);
  // Enlarged as the windows are laid out: the large picture is never stored.
  expect(await counted(conv2d(resize(x!, [16, 16], 'nearest'), three!, { padding: 1 }))).toBe(2);
});

it('says what does not fit', (context) => {
  const on = device(context);
  const make = (shape: number[]) => on.tensor(new Float32Array(shape.reduce((a, b) => a * b)), { shape });
  expect(() => conv2d(make([1, 3, 4, 4]), make([2, 2, 3, 3]))).toThrow(
    '[conv2d] x must be [B, C, H, W] and the weight [O, C/groups, kh, kw]; got [1, 3, 4, 4] and [2, 2, 3, 3] with 1 groups.',
  );
  expect(() => conv2d(make([1, 3, 2, 4]), make([2, 3, 3, 3]))).toThrow(
    '[conv2d] no window fits: the kernel is [3, 3] and the picture [2, 4]. Pad it.',
  );
  expect(() => conv2d(make([1, 3, 4, 4]), make([2, 3, 3, 3]), { stride: 0 })).toThrow(
    '[conv2d] the stride must be one or two whole numbers from 1 up, got 0.',
  );
  expect(() => resize(make([3, 4, 4]), [2, 2])).toThrow(
    '[resize] x must be [B, C, H, W] and the size [h, w] from 1 up',
  );
  expect(() => resize(make([1, 3, 4, 4]), [2, 2], 'bicubic' as 'bilinear')).toThrow(
    '[resize] the mode is "bicubic". Give "nearest" or "bilinear".',
  );
});
