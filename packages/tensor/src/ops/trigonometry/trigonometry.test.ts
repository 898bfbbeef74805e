import { cos, sin } from '../arithmetic/functions.js';
import { opSuite } from '../suite.testing.js';

// In f16 an angle of up to 1000 is rounded to halves already: both sides see the same rounded angle.
opSuite('trigonometry', (ops) => {
  const none = 'the reduction to [−π/4, π/4] is exact up to 10⁴ only';
  const edges = { offset: { none }, infinities: { none } };
  ops.elementwise(sin, 'sin', { edges });
  ops.elementwise(cos, 'cos', { edges });
});
