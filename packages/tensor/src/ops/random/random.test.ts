import { key } from '../../random/index.js';
import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { foldIn, normal, randomBits, splitWords, TensorKey, uniform } from './random.js';

// The generator itself is proved against known answers in random/; here: the ops against the host's numbers.
const none = 'Philox known answers and the host generator are in random/';
const half = { none: 'random numbers are drawn in f32' };
const shapes = [[1], [3], [17], [65], [257], [1025], [3, 5, 2], [0]];
const calls = shapes.map((shape, i) => sample.call([], { shape, seed: i }, `[${shape}]`));
const words = (attrs: Readonly<Record<string, unknown>>) => TensorKey.of(key(attrs.seed as number));

opSuite('random', (ops) => {
  ops.check(
    uniform,
    { none },
    {
      apply: (_, a) => uniform(words(a), a.shape as number[]),
      tolerance: { relative: 0, absolute: 0 },
      samples: calls,
      half,
    },
  );
  ops.check(
    normal,
    { none },
    {
      apply: (_, a) => normal(words(a), a.shape as number[]),
      tolerance: { relative: 0, absolute: 1e-6 },
      samples: calls,
      half,
    },
  );
  ops.check(
    randomBits,
    { none },
    {
      apply: (_, a) => randomBits(words(a), a.shape as number[]),
      samples: calls,
      half,
    },
  );
  const indices = [0, 1, 17, 4294967295].map((index) => sample.call([], { index, seed: 5 }, `index ${index}`));
  ops.check(foldIn, { none }, { apply: (_, a) => foldIn(words(a).words, a.index as number), samples: indices, half });
  ops.check(
    splitWords,
    { none },
    {
      apply: (_, a) => splitWords(words(a).words, a.index as number),
      samples: indices.slice(0, 3),
      half,
    },
  );
});
