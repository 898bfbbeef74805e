import { opSuite } from '../suite.testing.js';
import { cos } from './cos.js';
import { sin } from './sin.js';

// In f16 an angle of up to 1000 is rounded to halves already: both sides see the same rounded angle.
opSuite('trigonometry', (ops) => {
  ops.elementwise(sin, 'sin');
  ops.elementwise(cos, 'cos');
});
