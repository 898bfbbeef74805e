import { expect, it } from 'vitest';
import { ReadAhead } from './read-ahead.js';

const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A reader that notes what it is asked for and takes a while. */
function reader(ms: number, steps = 6) {
  const asked: number[] = [];
  const ahead = new ReadAhead(async (step: number) => {
    asked.push(step);
    await soon(ms);
    return `batch ${step}`;
  }, steps);
  return { asked, ahead };
}

it('reads two batches ahead, each once, and none after the last step', async () => {
  const { asked, ahead } = reader(0);
  const seen: string[] = [];
  for (let step = 0; step < 6; step++) {
    seen.push(await ahead.take(step));
    ahead.prepare(step);
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5].map((step) => `batch ${step}`));
  expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
});

it('waits for slow reading only as long as it takes beyond the work', async () => {
  const { ahead } = reader(30);
  for (let step = 0; step < 6; step++) {
    await ahead.take(step);
    ahead.prepare(step);
    await soon(60); // the device's work
  }
  expect(ahead.waitedMs).toBeGreaterThan(20); // the first batch
  expect(ahead.waitedMs).toBeLessThan(60);
});

it('gives any step that is asked for, as after a resumption', async () => {
  const { asked, ahead } = reader(0, 100);
  expect(await ahead.take(40)).toBe('batch 40');
  ahead.prepare(40);
  expect(await ahead.take(42)).toBe('batch 42');
  ahead.prepare(42);
  expect(asked).toEqual([40, 41, 42, 43, 44]);
});

it('throws what reading threw, at the step that needs it', async () => {
  const ahead = new ReadAhead(async (step: number) => {
    if (step === 1) throw new Error('the shard is gone');
    return step;
  }, 3);
  expect(await ahead.take(0)).toBe(0);
  ahead.prepare(0);
  await soon(5);
  await expect(ahead.take(1)).rejects.toThrow('the shard is gone');
});
