import { sample } from '../../testing/samples.js';
import { opSuite } from '../suite.testing.js';
import {
  equal,
  finite,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  notEqual,
} from './comparisons.js';

opSuite('compare', (ops) => {
  const half = { none: 'the result is bool' };
  ops.elementwise(equal, 'equal', { half });
  ops.elementwise(notEqual, 'notEqual', { half });
  // Its text is tested with infinities in optim/loss-scale.test.ts: TypeGPU's CPU runs refuse them.
  const finiteOnly = [sample.values([0, -0, 1e38, -1e-40]), sample.normal([257], 1), sample.normal([0], 2)];
  ops.check(finite, { none: 'JSON holds no infinities' }, { half, samples: finiteOnly.map((x) => sample.call([x])) });
  ops.elementwise(less, 'less', { half });
  ops.elementwise(lessEqual, 'lessEqual', { half });
  ops.elementwise(greater, 'greater', { half });
  ops.elementwise(greaterEqual, 'greaterEqual', { half });
  ops.elementwise(logicalAnd, 'logicalAnd', { half });
  ops.elementwise(logicalOr, 'logicalOr', { half });
  ops.elementwise(logicalNot, 'logicalNot', { half });
});
