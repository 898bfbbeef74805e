import type { Tensor } from '../../tensor.js';
import { opSuite } from '../suite.testing.js';
import { abs } from './abs.js';
import { add } from './add.js';
import { ceil } from './ceil.js';
import { divide } from './divide.js';
import { exp } from './exp.js';
import { floor } from './floor.js';
import { log } from './log.js';
import { maximum } from './maximum.js';
import { minimum } from './minimum.js';
import { multiply } from './multiply.js';
import { negate } from './negate.js';
import { pow, power } from './pow.js';
import { reciprocal } from './reciprocal.js';
import { round } from './round.js';
import { rsqrt } from './rsqrt.js';
import { sign } from './sign.js';
import { sqrt } from './sqrt.js';
import { square } from './square.js';
import { subtract } from './subtract.js';

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
