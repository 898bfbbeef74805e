// What leak.test.ts says of the heap, of the resident memory: malloc and the JIT take their share in the first twenty thousand
// steps. About half a minute on two free cores.
import { expect, it } from 'vitest';
import { bytesAStep, weightsOver, window } from './leak.testing.js';

const measured = 5;

it("25,000 steps of the README's loop grow by less than 200 bytes a step", async () => {
  const weights = await weightsOver(25 * window);
  const [start, end] = [weights.at(-1 - measured)!, weights.at(-1)!];
  expect((end.heapUsed - start.heapUsed) / (measured * window), 'heap').toBeLessThan(bytesAStep);
  // What grows with the steps grows between any two points of them. What malloc takes and gives back does not.
  const late = weights.slice(measured);
  const slopes = late.flatMap(({ rss }, i) =>
    late.slice(i + measured).map((later, j) => (later.rss - rss) / ((j + measured) * window)),
  );
  expect(slopes.sort((a, b) => a - b)[slopes.length >> 1], 'resident, the median of all slopes').toBeLessThan(
    bytesAStep,
  );
  expect(end.rss - start.rss, 'resident, in all').toBeLessThan(10e6);
}, 600_000);
