import type { Tensor } from '../../tensor.js';
import { opSuite } from '../suite.testing.js';
import { add, divide, maximum, minimum, multiply, negate, square, subtract } from './arithmetic.js';
import { abs, ceil, exp, floor, log, reciprocal, round, rsqrt, sign, sqrt } from './functions.js';
import { pow, power } from './pow.js';

opSuite('arithmetic', (ops) => {
  ops.elementwise(abs, 'abs');
  ops.elementwise(exp, 'exp');
  ops.elementwise(floor, 'floor');
  ops.elementwise(ceil, 'ceil');
  ops.elementwise(round, 'round');
  ops.elementwise(log, 'log');
  ops.elementwise(negate, 'neg');
  ops.elementwise(reciprocal, 'reciprocal');
  ops.elementwise(rsqrt, 'rsqrt');
  ops.elementwise(sign, 'sign');
  ops.elementwise(sqrt, 'sqrt');
  ops.elementwise(square, 'square');
  ops.elementwise(pow, 'pow', { apply: ([x], { exponent }) => pow(x as Tensor, exponent as number) });

  ops.elementwise(power, 'power', { apply: ([x, y]) => pow(x!, y!) });

  ops.elementwise(add, 'add');
  ops.elementwise(subtract, 'sub');
  ops.elementwise(multiply, 'mul');
  ops.elementwise(divide, 'div');
  ops.elementwise(maximum, 'maximum');
  ops.elementwise(minimum, 'minimum');
  // With a plain number on the left.
  ops.elementwise(subtract, 'rsub', { apply: ([x], { other }) => (x as Tensor).rsub(other as number) });
  ops.elementwise(divide, 'rdiv', { apply: ([x], { other }) => (x as Tensor).rdiv(other as number) });
});
