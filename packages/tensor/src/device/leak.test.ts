import { expect, it } from 'vitest';
import { useDevice } from '../testing/use-device.testing.js';
import { bytesAStep, weightsOver, window } from './leak.testing.js';

const device = useDevice();

it("six thousand steps of the README's loop take no new buffer, and the heap does not grow", async (context) => {
  device(context);
  const weights = await weightsOver(6 * window);
  const [first, start, end] = [weights[0]!, weights[2]!, weights.at(-1)!];
  expect([end.buffersCreated, end.bytesAllocated]).toEqual([first.buffersCreated, first.bytesAllocated]);
  expect((end.heapUsed - start.heapUsed) / (3 * window)).toBeLessThan(bytesAStep);
}, 600_000);
