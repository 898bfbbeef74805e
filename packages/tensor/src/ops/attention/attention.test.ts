import type { Tensor } from '../../tensor.js';
import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { attention } from './attention.js';

const apply = ([q, k, v, mask]: readonly Tensor[], { scale }: Readonly<Record<string, unknown>>) =>
  attention(q!, k!, v!, { mask, scale: scale as number | undefined });

/** q [B, N, H, d], k and v [B, M, H, d]. */
function call(b: number, n: number, m: number, h: number, d: number, seed: number) {
  return sample.call([
    sample.normal([b, n, h, d], seed),
    sample.normal([b, m, h, d], seed + 1),
    sample.normal([b, m, h, d], seed + 2),
  ]);
}

opSuite('attention', (ops) => {
  ops.check(attention, 'attention', {
    apply,
    samples: [call(2, 3, 17, 2, 5, 4), call(1, 65, 17, 2, 16, 7)],
    tolerance: { relative: 5e-5, absolute: 1e-5 },
  });
});
