// Plain numbers as operands of a tensor: what its dtype does not hold is refused, as by device.tensor.
import { expect, it } from 'vitest';
import { clamp, full, maximum, scalar, type Tensor, where } from '../index.js';
import { useDevice } from '../testing/use-device.testing.js';

const device = useDevice();

it('numbers that would wrap around are refused', async (context) => {
  const on = device(context);
  const u = on.tensor(Uint32Array.of(1, 3));
  const i = on.tensor(Int32Array.of(1, -3));
  const flags = on.tensor([1, 0], { dtype: 'bool' });
  const refused: Record<string, () => Tensor> = {
    greater: () => u.greater(-1),
    less: () => i.less(3e9),
    maximum: () => maximum(u, -1),
    minimum: () => i.minimum(-(2 ** 31) - 1),
    add: () => u.add(2 ** 32),
    subtract: () => u.rsub(0.5),
    where: () => where(flags, u, -1),
    equal: () => i.equal(Number.NaN),
  };
  for (const [op, call] of Object.entries(refused)) expect(call, op).toThrow(`[${op}] an operand of dtype`);
  expect(() => u.greater(-1)).toThrow(
    '[greater] an operand of dtype u32 must be a whole number from 0 to 4294967295, got -1. Cast the tensor.',
  );
  expect(() => clamp(u, -1, 2)).toThrow('[maximum] an operand');
  expect(() => scalar(2, 'bool')).toThrow(
    '[scalar] an operand of dtype bool must be a whole number from 0 to 1, got 2.',
  );
  expect(() => full([2], -1, 'u32')).toThrow('[scalar] an operand of dtype u32');
  // The least and the greatest are numbers of the dtype.
  expect(await u.lessEqual(2 ** 32 - 1).read()).toEqual(Uint32Array.of(1, 1));
  expect(await i.greaterEqual(-(2 ** 31)).read()).toEqual(Uint32Array.of(1, 1));
});
