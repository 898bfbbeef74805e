// Trained experts and a trained router, small enough for each test run. The same with five seeds and longer trainings is
// toy.long.testing.ts.
import { openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { expect, it } from 'vitest';
import { runToy } from './toy.testing.js';

it('routed experts match the data like one model of their compute; random clusters and wrong routes do not', {
  timeout: 600_000,
}, async (context) => {
  const device = await openDevice().catch(() => undefined);
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  const found = await runToy(device!, { seeds: 1, trainingSteps: 300, samples: 500 });
  await device!.close();
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [routed, monolith] = [mean(found.routed), mean(found.monolith)];
  expect(found.macs.decentralized).toBeLessThanOrEqual(found.macs.monolith);
  expect(routed - monolith).toBeLessThan(0.003); // the distance of two draws of the data is ± 0.003 at 500 points
  expect(mean(found.random)).toBeGreaterThan(1.5 * routed);
  expect(mean(found.misrouted)).toBeGreaterThan(0.2);
});
