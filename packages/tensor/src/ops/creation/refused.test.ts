import { expect, it } from 'vitest';
import { useDevice } from '../../testing/use-device.testing.js';
import { unary } from '../define/elementwise.js';
import { none } from '../define/op.js';
import { arange, full, ones, scalar, zeros } from './constant.js';

const device = useDevice();

it('names what a scalar and a shape cannot hold', () => {
  expect(() => scalar(1.5, 'i32')).toThrow(
    '[scalar] an operand of dtype i32 must be a whole number from -2147483648 to 2147483647, got 1.5. Cast the tensor.',
  );
  expect(() => zeros([2, -1])).toThrow('[constant] a shape holds whole numbers from 0 up, got [2, -1].');
});

it('a dtype that there is not is refused where the tensor is made', (context) => {
  const on = device(context);
  const f64 = 'f64' as 'f32';
  const known = "there is no dtype 'f64'. Use one of f32, f16, i32, u32, bool.";
  expect(() => zeros([2], f64)).toThrow(`[constant] ${known}`);
  expect(() => ones([2], f64)).toThrow(`[constant] ${known}`);
  expect(() => scalar(1, f64)).toThrow(`[scalar] ${known}`);
  expect(() => full([2], 1, f64)).toThrow(`[scalar] ${known}`);
  expect(() => arange(2, f64)).toThrow('[arange] the dtype is f64, and only f32, f16, i32, u32 will do.');
  expect(() => on.tensor([1, 2], { dtype: f64 })).toThrow(`[tensor] ${known}`);
  expect(() => on.tensor(Int32Array.of(1), { dtype: 'u8' as 'u32' })).toThrow("[tensor] there is no dtype 'u8'.");
  expect(() => on.tensor([1]).cast(f64)).toThrow(`[cast] ${known}`);
  const wide = unary({ name: 'wide', result: f64, kernel: 'x', vjp: none('it is a test') });
  expect(() => wide(on.tensor([1]))).toThrow(`[wide] ${known}`);
});
