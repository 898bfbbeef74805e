// How long a training took, over all its processes. Steps take a minute of a clock that the test moves.
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { counter } from './counter.testing.js';
import { movedClock } from './moved-clock.testing.js';
import { type RunRecord, readRun, writeRun } from './record.js';
import { type RunOptions, runTraining } from './run.js';

const clock = movedClock();

/** Trains to so many steps of four pictures in a process that may die after some; an hour passes before the next one. */
async function train(runs: FileStore, steps: number, dieAfter?: number, more: Partial<RunOptions> = {}) {
  const job = counter({ steps, ...(dieAfter !== undefined && { dieAfter }) });
  const { advance } = job;
  job.advance = (state, step) => {
    clock.passedMs += 60_000;
    return advance(state, step);
  };
  const end = runTraining(async () => job, {
    ...{ runs, name: 'router', versions: {}, adapter: { fingerprint: 'f', name: 'test adapter' }, checkpointEvery: 2 },
    identity: { kind: 'router', options: { steps }, data: { sha256: 'd', count: 5 } },
    ...more,
  });
  if (dieAfter !== undefined) await expect(end).rejects.toThrow('killed');
  else await end;
  clock.passedMs += 3_600_000;
  return (await readRun(folderStore(runs, 'router')))!;
}

const perSecond = 4 / 60;

describe('how long a training took', () => {
  it('counts all processes, but for what each made after its last checkpoint', async () => {
    const runs = memoryStore();
    expect((await train(runs, 8, 3)).checkpoints).toMatchObject([{ step: 2, seconds: 120 }]);
    const before = await train(runs, 8, 4);
    expect(before.checkpoints?.map(({ step, seconds }) => [step, seconds])).toEqual([
      [6, 360],
      [4, 240],
    ]);
    const seconds: number[] = [];
    const onEvent: RunOptions['onEvent'] = (event) => {
      if (event.type === 'finished') seconds.push(event.seconds);
    };
    const { result } = await train(runs, 8, undefined, { onEvent });
    expect(result?.seconds).toBe(480);
    expect(result?.imagesPerSecond).toBeCloseTo(perSecond, 10);
    expect(seconds).toEqual([480]);
  });

  it('counts the shorter run of one that is lengthened', async () => {
    const runs = memoryStore();
    const short = await train(runs, 3, undefined, { mayLengthen: true });
    expect(short.checkpoints).toEqual([{ step: 3, sizeBytes: expect.any(Number), sha256: expect.any(String) }]);
    expect((await train(runs, 7, undefined, { mayLengthen: true })).result?.seconds).toBe(420);
  });

  it('is that of the last process where an older version began', async () => {
    const runs = memoryStore();
    const record: RunRecord = await train(runs, 8, 3);
    const checkpoints = record.checkpoints?.map(({ seconds: _, ...each }) => each);
    await writeRun(folderStore(runs, 'router'), { ...record, checkpoints });
    expect((await train(runs, 8, 3)).checkpoints?.[0]).not.toHaveProperty('seconds');
    const { result } = await train(runs, 8);
    expect(result?.seconds).toBe(240);
    expect(result?.imagesPerSecond).toBeCloseTo(perSecond, 10);
  });
});
