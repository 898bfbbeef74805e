// What a replay asks of WebGPU, counted at the border: every call on every object, from the first step's until the queue
// is idle.

import { expect, it } from 'vitest';
import { callsOf, countCalls } from '../testing/count-calls.testing.js';
import { blockBatch, blockOptimizer, blockParameters, blockStep } from '../testing/transformer-block.testing.js';
import { useDevice } from '../testing/use-device.testing.js';
import { findAdapter } from './adapter.js';
import { openDevice } from './open.js';

const device = useDevice();
const steps = 100;

it('a training step of a transformer block is one submit, one upload, and at most 4 calls a dispatch', async (context) => {
  device(context);
  const { adapter } = await findAdapter();
  const { maxStorageBuffersPerShaderStage } = adapter.limits;
  const gpu = await adapter.requestDevice({ requiredLimits: { maxStorageBuffersPerShaderStage } });
  const counts = countCalls(gpu);
  const on = await openDevice({ device: gpu });
  const batch = blockBatch(on, 4);
  const step = blockStep(on);
  let state = await on.run(blockOptimizer.init(blockParameters(on)));
  const run = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const result = await step(state, batch);
      state = result.state;
      result.loss.dispose();
    }
    await gpu.queue.onSubmittedWorkDone();
  };
  await run(3); // both halves of the state are known
  counts.clear();
  await run(steps);
  const each = (name: string) => callsOf(counts, name) / steps;
  expect(each('.submit')).toBe(1);
  expect(each('.createBuffer')).toBe(0);
  expect(each('.createBindGroup')).toBe(0);
  expect(each('.writeBuffer')).toBe(1);
  expect(each('.createComputePipelineAsync')).toBe(0);
  const dispatches = each('.dispatchWorkgroups');
  expect(dispatches).toBeGreaterThan(10);
  expect(dispatches).toBeLessThan(60);
  expect(callsOf(counts) / steps / dispatches).toBeLessThanOrEqual(4);
  await on.close();
  gpu.destroy();
});
