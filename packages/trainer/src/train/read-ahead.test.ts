import { dit } from '@paris/dit';
import { memoryStore } from '@paris/files';
import { openDevice } from '@paris/tensor';
import { expect, it, vi } from 'vitest';
import { toySize, toyTraining, writeToyData } from '../testing/toy.js';
import { ditConfig } from './configs.js';
import { expertRecipe } from './expert.js';
import { createJob } from './job.js';
import { ReadAhead } from './read-ahead.js';

const soon = () => new Promise((resolve) => setTimeout(resolve));

/** A reader that notes what it is asked for. */
function reader(steps = 6) {
  const asked: number[] = [];
  const ahead = new ReadAhead(async (step: number) => {
    asked.push(step);
    await soon();
    return `batch ${step}`;
  }, steps);
  return { asked, ahead };
}

it('reads two batches ahead, each once, and none after the last step', async () => {
  const { asked, ahead } = reader();
  const seen: string[] = [];
  for (let step = 0; step < 6; step++) {
    seen.push(await ahead.take(step));
    ahead.prepare(step);
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5].map((step) => `batch ${step}`));
  expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
});

it('counts as waiting only what a step waits for: of batches that were read ahead, nothing', async () => {
  let passedMs = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => passedMs);
  const ahead = new ReadAhead(async (step: number) => {
    passedMs += 30; // reading takes so long
    return step;
  }, 6);
  for (let step = 0; step < 6; step++) {
    await ahead.take(step);
    ahead.prepare(step);
  }
  clock.mockRestore();
  expect(passedMs).toBe(6 * 30);
  expect(ahead.waitedMs).toBe(30); // the first one
});

it('a training asks for two batches while the device is at work, and no step waits for those after its own', async () => {
  await using device = await openDevice({ require: 'cpu' });
  const data = memoryStore();
  await writeToyData(data);
  const recipe = await expertRecipe({
    ...{ device, data, runs: memoryStore(), cluster: 1, architecture: dit, config: ditConfig(toySize) },
    training: toyTraining,
  });
  const asked: number[] = [];
  const arrive: (() => void)[] = [];
  const there = Array.from({ length: 8 }, () => new Promise<void>((resolve) => arrive.push(resolve)));
  const batch = async (step: number) => {
    asked.push(step);
    await there[step];
    return recipe.batch(step);
  };
  const job = createJob(device, { ...recipe, batch });
  let state = await job.start();
  for (let step = 0; step < 8; step++) {
    arrive[step]!(); // and none of the later ones
    const next = await job.advance(state, step);
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7].slice(0, step + 3));
    await next.values(); // the device has made the step
    state = next.state;
  }
  job.release(state);
});

it('gives any step that is asked for, as after a resumption', async () => {
  const { asked, ahead } = reader(100);
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
  await soon();
  await expect(ahead.take(1)).rejects.toThrow('the shard is gone');
});
