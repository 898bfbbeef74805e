// Sums of ten million numbers stay within the bound that reductions.ts states.
import { expect, it } from 'vitest';
import { hostNormal, key } from '../../index.js';
import { useDevice } from '../../testing/use-device.testing.js';

const device = useDevice();

it.for([10_000_000, 10_000_019])('%i numbers', async (n, context) => {
  const on = device(context);
  const bound = (192 + n / 2 ** 18) * 2 ** -24;
  const drawn = hostNormal(key(7), n);
  for (const numbers of [new Float32Array(n).fill(0.1), drawn]) {
    const [exact, size] = numbers.reduce(([sum, abs], x) => [sum + x, abs + Math.abs(x)], [0, 0]);
    const x = on.tensor(numbers);
    for (const total of [x.sum(), x.reshape([1, n]).sum(1), x.reshape([n, 1]).sum(0), x.mean().mul(n)]) {
      expect(Math.abs((await total.item()) - exact) / size).toBeLessThan(bound + 2 * 2 ** -24);
    }
    x.dispose();
  }
});
