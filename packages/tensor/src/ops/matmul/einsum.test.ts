import { expect, it } from 'vitest';
import { useDevice } from '../../testing/use-device.testing.js';
import { einsum } from './einsum.js';

const device = useDevice();

it('einsum says what is wrong with an equation', (context) => {
  const on = device(context);
  const [a, b] = [on.tensor(new Float32Array(6), { shape: [2, 3] }), on.tensor(new Float32Array(8), { shape: [4, 2] })];
  const error = (equation: string, ...tensors: (typeof a)[]) => expect(() => einsum(equation, ...tensors));
  error('i+j', a).toThrow("[einsum] 'i+j' is no equation. Write letters for axes, as in 'ij,jk->ik'.");
  error('ij,jk->ik', a).toThrow("[einsum] 'ij,jk' has 2 operands, got 1 tensors. Give one each.");
  error('ijk->i', a).toThrow("[einsum] operand 0 is [2, 3], and 'ijk' names other axes. Name each one.");
  error('ij,jk->ik', a, b).toThrow('[einsum] label j is 3 in one place and 4 in another. They must agree.');
  error('ij->ik', a).toThrow("[einsum] the output label k must be in an operand, and once in the output. Got 'ik'.");
  error('ij->ii', a).toThrow("[einsum] the output label i must be in an operand, and once in the output. Got 'ii'.");
  error('...j->j', a).toThrow("[einsum] an operand has '...' and the output has not. Write it there, too.");
});

it('einsum is one dispatch where it is one product', async (context) => {
  const on = device(context);
  const [q, k] = [5, 7].map((n) => on.tensor(new Float32Array(2 * n * 3 * 4), { shape: [2, n, 3, 4] }));
  const before = on.counters.dispatches;
  await on.run(einsum('bnhd,bmhd->bhnm', q!, k!));
  expect(on.counters.dispatches - before).toBe(1);
});
