// The size of a batch is in uniforms, never in a kernel's text: all batches share their pipelines.
import { describe, expect, it } from 'vitest';
import { openDevice } from '../device/open.js';
import { blockBatch, blockOptimizer, blockParameters, blockStep } from '../testing/transformer-block.testing.js';
import { useDevice } from '../testing/use-device.testing.js';

const device = useDevice();

describe('batches', () => {
  for (const order of [
    [1, 2, 4, 8, 3],
    [8, 1],
  ]) {
    it(`of ${order.join(', ')} create no pipeline after the first of a transformer block's training step`, async (context) => {
      device(context);
      // A device without pipelines: the file's would have those of the order before.
      const on = await openDevice();
      const step = blockStep(on);
      let state = await on.run(blockOptimizer.init(blockParameters(on)));
      const created: number[] = [];
      const losses: number[] = [];
      for (const batch of order) {
        const before = on.counters.pipelinesCreated;
        const result = await step(state, blockBatch(on, batch));
        state = result.state;
        created.push(on.counters.pipelinesCreated - before);
        losses.push(await result.loss.item());
      }
      expect(created.slice(1)).toEqual(order.slice(1).map(() => 0));
      expect(losses.every(Number.isFinite)).toBe(true);
      await on.close();
    });
  }
});
