import { type FileStore, memoryStore } from '@paris/files';
import { expect, it } from 'vitest';
import type { StepMetrics } from './events.js';
import { appendMetrics, lastLoss, METRICS_FILE } from './metrics.js';

/** Lines whose loss is the step. */
async function written(steps: number, more: Partial<StepMetrics> = {}): Promise<FileStore> {
  const store = memoryStore();
  const lines = Array.from({ length: steps }, (_, i) => ({ step: i + 1, loss: i + 1, ...more }));
  await appendMetrics(store, lines);
  return store;
}

/** The store, and the bytes that were read of it. */
function counted(store: FileStore) {
  const read = { bytes: 0 };
  const counting: FileStore = {
    ...store,
    size: (path) => store.size(path),
    exists: (path) => store.exists(path),
    async read(path, range, options) {
      const bytes = await store.read(path, range, options);
      read.bytes += bytes.length;
      return bytes;
    },
  };
  return { counting, read };
}

it('the loss of a run is the mean of its last 64 steps, of fewer where there are fewer, and 0 without any', async () => {
  expect(await lastLoss(memoryStore())).toBe(0);
  expect(await lastLoss(memoryStore({ [METRICS_FILE]: '' }))).toBe(0);
  expect(await lastLoss(await written(1))).toBe(1);
  expect(await lastLoss(await written(10))).toBe(5.5);
  expect(await lastLoss(await written(64))).toBe(32.5);
  expect(await lastLoss(await written(65))).toBe(33.5);
});

it('it reads the end of the metrics, however long they are', async () => {
  const { counting, read } = counted(await written(20_000));
  expect(await counting.size(METRICS_FILE)).toBeGreaterThan(500_000);
  expect(await lastLoss(counting)).toBe(20_000 - 31.5);
  expect(read.bytes).toBe(2 ** 14);
});

it('it reads more where lines are long, or damaged, and leaves out what is cut', async () => {
  const numbers = { accuracy: 1 / 3, gradientNorm: 1e-300 / 3, learningRate: 1e-300 / 7, replaced: 123_456_789 };
  const long = await written(1000, numbers);
  const { counting, read } = counted(long);
  expect(await lastLoss(counting)).toBe(1000 - 31.5);
  expect(read.bytes).toBeLessThan(2 ** 17);
  // A power cut's zeros, lines of another form, and one that a kill cut short.
  await long.append(
    METRICS_FILE,
    `${'\0'.repeat(40_000)}\n${'{"step":7}\n'.repeat(3000)}{"step":1001,"loss":5}\n{"step":10`,
  );
  expect(await lastLoss(long)).toBeCloseTo((63 * (1000 - 31) + 5) / 64, 12);
});
