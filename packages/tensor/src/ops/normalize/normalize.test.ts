import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { layerNorm } from './layerNorm.js';
import { logSoftmax } from './logSoftmax.js';
import { softmax } from './softmax.js';

const shapes = [
  [1, 1],
  [3, 17],
  [65, 3],
  [2, 257],
  [1, 1025],
  [0, 17],
  [2, 3, 65],
];
const rows = shapes.map((shape, i) => sample.call([sample.normal(shape, 80 + i)], { axis: -1 }));
const columns = sample.call([sample.normal([65, 17], 90)], { axis: 0 });

opSuite('normalize', (ops) => {
  ops.check(softmax, 'softmax', {
    apply: ([x], { axis }) => softmax(x!, axis as number),
    samples: [...rows, columns],
  });
  ops.check(logSoftmax, 'logSoftmax', {
    apply: ([x], { axis }) => logSoftmax(x!, axis as number),
    samples: [...rows, columns],
  });
  ops.check(layerNorm, 'layerNorm', {
    apply: ([x, weight, bias], { eps }) => layerNorm(x!, { weight, bias, eps: eps as number }),
    samples: shapes.flatMap((shape, i) => {
      // A row of one element is all mean: its deviation is 0, and only rounding is left of its gradient.
      if (shape.at(-1) === 1) return [];
      const affine = [sample.normal([shape.at(-1)!], 95), sample.normal([shape.at(-1)!], 96)];
      return sample.call([sample.normal(shape, 90 + i), ...(i % 2 ? affine : [])], { eps: 1e-5 });
    }),
    gradientTolerance: { relative: 1e-4, absolute: 2e-5 },
  });
});
