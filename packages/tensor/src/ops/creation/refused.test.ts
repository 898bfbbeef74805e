import { expect, it } from 'vitest';
import { scalar, zeros } from './constant.js';

it('names what a scalar and a shape cannot hold', () => {
  expect(() => scalar(1.5, 'i32')).toThrow(
    '[scalar] an operand of dtype i32 must be a whole number from -2147483648 to 2147483647, got 1.5. Cast the tensor.',
  );
  expect(() => zeros([2, -1])).toThrow('[constant] a shape holds whole numbers from 0 up, got [2, -1].');
});
