import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import { logSoftmax, softmax } from './along.js';
import { groupNorm, layerNorm, rmsNorm } from './norms.js';

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
  const gradientTolerance = { relative: 1e-4, absolute: 2e-5 };
  ops.check(rmsNorm, 'rmsNorm', {
    apply: ([x, weight], { eps }) => rmsNorm(x!, { weight, eps: eps as number }),
    samples: shapes.map((shape, i) => {
      const weight = i % 2 ? [sample.normal([shape.at(-1)!], 95)] : [];
      return sample.call([sample.normal(shape, 90 + i), ...weight], { eps: 1e-5 });
    }),
    gradientTolerance,
  });
  ops.check(groupNorm, 'groupNorm', {
    apply: ([x, weight, bias], { groups, eps }) =>
      groupNorm(x!, groups as number, { weight, bias, eps: eps as number }),
    samples: [
      sample.call([sample.normal([3, 6, 17], 90)], { groups: 2, eps: 1e-5 }),
      sample.call([sample.normal([1, 3, 5, 65], 91), sample.normal([3], 92)], { groups: 3, eps: 1e-5 }),
      sample.call([sample.normal([0, 4, 3], 93)], { groups: 2, eps: 1e-5 }),
    ],
    gradientTolerance,
  });
});
