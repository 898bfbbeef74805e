// A training on a machine whose clock is set while it runs, back and forward: what is due by time goes by what has passed. Steps
// take three minutes of a clock that the test moves, and the time of day jumps as it likes.
import { folderStore, memoryStore } from '@paris/files';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { counter, type State } from './counter.testing.js';
import type { TrainEvent } from './events.js';
import { readLines } from './lines.js';
import { LOG_FILE } from './log.js';
import { movedClock } from './moved-clock.testing.js';
import { type RunOptions, runTraining, type TrainingJob } from './run.js';

const hourMs = 3_600_000;
const stepMs = 180_000;
const steps = 30;
const noon = Date.UTC(2026, 5, 1, 12);

/** The time of day after so many steps. */
const days: Readonly<Record<string, (step: number) => number>> = {
  'is right': (step) => noon + step * stepMs,
  'goes back by an hour after each step': (step) => noon - step * hourMs,
  'goes forward by an hour after each step': (step) => noon + step * hourMs,
  'goes back and forward': (step) => noon + (step % 2 === 0 ? -hourMs : hourMs),
  'goes back to 1970': (step) => (step < 5 ? noon : 0),
};

const clock = movedClock();
afterEach(() => {
  vi.useRealTimers();
});

/** A training whose steps take three minutes each, and set the clock. */
async function train(timeOfDay: (step: number) => number, controls: Partial<RunOptions>) {
  vi.useFakeTimers({ toFake: ['Date'], now: timeOfDay(0) });
  const job: TrainingJob<State> = counter({ steps });
  const { advance } = job;
  job.advance = async (state, step) => {
    clock.passedMs += stepMs;
    vi.setSystemTime(timeOfDay(step + 1));
    return advance(state, step);
  };
  const runs = memoryStore();
  const events: TrainEvent[] = [];
  const error: unknown = await runTraining(async () => job, {
    ...{ runs, name: 'router', versions: {}, adapter: { fingerprint: 'f', name: 'test adapter' } },
    identity: { kind: 'router', options: { steps }, data: { sha256: 'd', count: 5 } },
    onEvent: (event) => events.push(event),
    ...controls,
  }).then(
    () => undefined,
    (thrown) => thrown,
  );
  return { error, events, store: folderStore(runs, 'router') };
}

describe.each(Object.entries(days))('where the time of day %s', (_, timeOfDay) => {
  it('checkpoints are written when so many minutes have passed', async () => {
    const { error, events } = await train(timeOfDay, { checkpointMinutes: 10 });
    expect(error).toBeUndefined();
    const saved = events.flatMap((event) => (event.type === 'checkpoint' ? [event.step] : []));
    expect(saved).toEqual([4, 8, 12, 16, 20, 24, 28]); // after 12 minutes each
  });

  it('a limit of hours ends the training when they have passed', async () => {
    const { error } = await train(timeOfDay, { checkpointMinutes: 10, maxHours: 1 });
    expect(String(error)).toContain('stopped after step 20 of 30, since its hours are over');
  });

  it('speed and the time left are what they are', async () => {
    const { events } = await train(timeOfDay, {});
    const progress = events.flatMap((event) => (event.type === 'progress' ? [event] : []));
    expect(progress).toHaveLength(steps);
    const speed = (4 * 1000) / stepMs;
    for (const { imagesPerSecond } of progress) expect(imagesPerSecond).toBeCloseTo(speed, 10);
    const left = progress.flatMap(({ step, secondsLeft }) => (secondsLeft === undefined ? [] : [[step, secondsLeft]]));
    expect(left.length).toBeGreaterThan(20);
    for (const [step, seconds] of left) expect(seconds).toBeCloseTo(((steps - step!) * stepMs) / 1000, 6);
    expect(events.at(-1)).toMatchObject({ type: 'finished', seconds: (steps * stepMs) / 1000 });
  });

  it('the log has the time of day as it was, and nothing that is negative', async () => {
    const { store } = await train(timeOfDay, { checkpointMinutes: 10 });
    const lines = await readLines(store, LOG_FILE);
    expect(lines.length).toBeGreaterThan(steps);
    for (const { step, time, ...said } of lines) {
      // A checkpoint is written while the training goes on.
      const since = 'checkpointSeconds' in said ? steps - step + 1 : 1;
      const times = Array.from({ length: since }, (_, later) => timeOfDay(step + later));
      expect(times).toContain(Date.parse(String(time)));
      for (const [name, value] of Object.entries(said)) {
        if (typeof value === 'number') expect(value, name).toBeGreaterThanOrEqual(0);
      }
    }
  });
});
