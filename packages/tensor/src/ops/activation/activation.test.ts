import { opSuite } from '../suite.testing.js';
import { erf, gelu, geluExact, relu, sigmoid, silu, softplus, tanh } from './activations.js';
import { elu, leakyRelu } from './elu.js';

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
