import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { crossEntropy, mse } from './losses.js';

opSuite('loss', (ops) => {
  ops.check(crossEntropy, 'crossEntropy', {
    samples: [
      [1, 3],
      [65, 17],
      [3, 257],
    ].map(([b, k], i) => sample.call([sample.normal([b!, k!], i), sample.integers([b!], i + 9, k!)])),
  });
  ops.check(mse, 'mse', {
    samples: [[1], [17, 65], [1025]].map((shape, i) =>
      sample.call([sample.normal(shape, 20 + i), sample.normal(shape, 30 + i)]),
    ),
  });
});
