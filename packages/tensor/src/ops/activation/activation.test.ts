import { opSuite } from '../suite.testing.js';
import { elu } from './elu.js';
import { erf } from './erf.js';
import { gelu } from './gelu.js';
import { geluExact } from './gelu-exact.js';
import { leakyRelu } from './leaky-relu.js';
import { relu } from './relu.js';
import { sigmoid } from './sigmoid.js';
import { silu } from './silu.js';
import { softplus } from './softplus.js';
import { tanh } from './tanh.js';

opSuite('activation', (ops) => {
  ops.elementwise(gelu, 'gelu');
  ops.elementwise(geluExact, 'geluExact');
  ops.elementwise(erf, 'erf');
  ops.elementwise(softplus, 'softplus');
  ops.elementwise(leakyRelu, 'leakyRelu', { apply: ([x], { slope }) => leakyRelu(x!, slope as number) });
  ops.elementwise(elu, 'elu', { apply: ([x], { alpha }) => elu(x!, alpha as number) });
  ops.elementwise(relu, 'relu');
  ops.elementwise(sigmoid, 'sigmoid');
  ops.elementwise(silu, 'silu');
  ops.elementwise(tanh, 'tanh');
});
