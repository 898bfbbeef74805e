// The trained toy with five seeds, at two lengths of training, as a table (docs/theory.md shows it):
//
//   npm run test:long -- toy
import { openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { expect, it } from 'vitest';
import { runToy } from './toy.testing.js';

const rows = ['routed', 'monolith', 'random', 'misrouted', 'data'] as const;

it('routed experts, one model of their compute, and random clusters: five seeds', {
  timeout: 3_600_000,
}, async (context) => {
  const device = await openDevice().catch(() => undefined);
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  for (const trainingSteps of [300, 900]) {
    const start = performance.now();
    const found = await runToy(device!, { seeds: 5, trainingSteps, samples: 1000 });
    const seconds = (performance.now() - start) / 1000;
    console.log(`${trainingSteps} steps, energy distance × 1000, mean ± standard error (${seconds.toFixed(0)} s)`);
    for (const row of rows) {
      const { mean, error } = statistics(found[row]);
      console.log(`  ${row.padEnd(10)} ${(1000 * mean).toFixed(2)} ± ${(1000 * error).toFixed(2)}`);
    }
    const against = (row: 'monolith' | 'random') => statistics(found.routed.map((value, i) => value - found[row][i]!));
    const [monolith, random] = [against('monolith'), against('random')];
    console.log(`  routed − monolith ${(1000 * monolith.mean).toFixed(2)} ± ${(1000 * monolith.error).toFixed(2)}`);
    console.log(`  routed − random   ${(1000 * random.mean).toFixed(2)} ± ${(1000 * random.error).toFixed(2)}`);
    expect(monolith.mean).toBeLessThan(2 * monolith.error);
    if (trainingSteps === 300) expect(random.mean).toBeLessThan(-2 * random.error);
  }
  await device!.close();
});

function statistics(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}
