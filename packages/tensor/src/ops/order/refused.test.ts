import { expect, it } from 'vitest';
import { useDevice } from '../../testing/use-device.testing.js';
import { sort, topK } from './order.js';

const device = useDevice();

it('refuses what it cannot order', (context) => {
  const on = device(context);
  const x = on.tensor(new Float32Array(5000));
  expect(() => sort(x)).toThrow(
    '[sort] 5000 elements are more than the 4096 it compares pair by pair. Order them on the host.',
  );
  expect(() => topK(on.tensor([1, 2]), 3)).toThrow(
    '[topK] k must be a whole number from 0 to 2, the size of axis 0; got 3.',
  );
  expect(() => sort(on.tensor(new Uint32Array([1]), { dtype: 'bool' }))).toThrow('[sort] the dtype is bool');
});
