import { opSuite } from '../suite.testing.js';
import { gelu } from './gelu.js';
import { relu } from './relu.js';
import { sigmoid } from './sigmoid.js';
import { silu } from './silu.js';
import { tanh } from './tanh.js';

opSuite('activation', (ops) => {
  ops.elementwise(gelu, 'gelu');
  ops.elementwise(relu, 'relu');
  ops.elementwise(sigmoid, 'sigmoid');
  ops.elementwise(silu, 'silu');
  ops.elementwise(tanh, 'tanh');
});
