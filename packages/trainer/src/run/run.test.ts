// Runs without a GPU: the job multiplies a number, so every state and every file can be foretold.
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { DivergedError, InterruptedError, RunError } from '../errors.js';
import { checkpointPath, listCheckpoints } from './checkpoint.js';
import { counter, steps } from './counter.testing.js';
import type { TrainEvent } from './events.js';
import { readMetrics } from './metrics.js';
import { readRun } from './record.js';
import { type RunOptions, runTraining } from './run.js';

const text = (value: string) => new TextEncoder().encode(value);

function setup(runs: FileStore = memoryStore(), change: Partial<RunOptions> = {}) {
  const events: TrainEvent[] = [];
  const options: RunOptions = {
    runs,
    name: 'expert-03',
    identity: {
      kind: 'expert',
      cluster: 3,
      options: { steps, seed: 0, config: { depth: 2 } },
      data: { sha256: 'd', count: 5 },
    },
    versions: { '@paris/trainer': '1' },
    adapter: { fingerprint: 'f', name: 'test adapter' },
    checkpointEvery: 4,
    onEvent: (event) => events.push(event),
    ...change,
  };
  const train = (job = counter(), more: Partial<RunOptions> = {}) =>
    runTraining(async () => job, { ...options, ...more });
  return { runs, store: folderStore(runs, 'expert-03'), train, events };
}

async function reference() {
  const { train, store } = setup();
  await train();
  return { weights: await store.read('model.safetensors'), metrics: await store.read('metrics.jsonl') };
}

describe('runTraining', () => {
  it('leaves weights, one line of metrics a step, and a record without checkpoints', async () => {
    const { train, store, events } = setup();
    const record = await train();
    expect(await store.list()).toEqual(['log.jsonl', 'metrics.jsonl', 'model.safetensors', 'run.json']);
    expect((await readMetrics(store)).map((line) => line.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(record).toEqual(await readRun(store));
    expect(record).toMatchObject({ status: 'finished', cluster: 3, result: { steps: 10 } });
    expect(events[0]).toMatchObject({ type: 'start', step: 0, steps: 10, count: 5 });
    expect(events.at(-1)).toMatchObject({ type: 'finished', alreadyDone: false, sha256: record.result?.sha256 });
  });

  it.each([1, 3, 4, 5, 8, 9])('ends with the same bytes when it was killed after %d steps', async (dieAfter) => {
    const { train, store } = setup();
    await expect(train(counter({ dieAfter }))).rejects.toThrow('killed');
    await train();
    expect(await store.read('model.safetensors')).toEqual((await reference()).weights);
    expect(await store.read('metrics.jsonl')).toEqual((await reference()).metrics);
  });

  it('gives the mean loss of its last steps, however often it was reported or begun again', async () => {
    const { train, store } = setup();
    const { result: whole } = await train();
    const metrics = await readMetrics(store);
    expect(whole!.loss).toBeCloseTo(metrics.reduce((sum, { loss }) => sum + loss, 0) / 10, 12);
    const again = setup();
    const weights = () => Promise.reject(new Error('full')); // after the last checkpoint: no step is left to make
    await expect(again.train({ ...counter(), weights }, { checkpointEvery: 5 })).rejects.toThrow('full');
    expect((await again.train()).result!.loss).toBe(whole!.loss);
  });

  it('survives being killed again and again, and a line that was cut short', async () => {
    const { train, store } = setup();
    for (let i = 0; i < 2; i++) {
      await expect(train(counter({ dieAfter: 5 }), { checkpointEvery: 2 })).rejects.toThrow('killed');
      await store.append('metrics.jsonl', '{"step":');
    }
    await train();
    expect(await store.read('metrics.jsonl')).toEqual((await reference()).metrics);
    expect(await store.read('model.safetensors')).toEqual((await reference()).weights);
  });

  it('resumes although a power cut took lines of the metrics, or damaged them', async () => {
    const { train, store, events } = setup();
    await expect(train(counter({ dieAfter: 9 }))).rejects.toThrow('killed');
    const lines = new TextDecoder().decode(await store.read('metrics.jsonl')).split('\n');
    lines[2] = '\0'.repeat(20);
    await store.write('metrics.jsonl', text(lines.slice(0, 6).join('\n')));
    await train();
    const message = 'metrics.jsonl has no line for 4 of the first 8 steps; the weights do not depend on them';
    expect(events).toContainEqual({ type: 'notice', message });
    expect((await readMetrics(store)).map(({ step }) => step)).toEqual([1, 2, 4, 5, 9, 10]);
    expect(await store.read('model.safetensors')).toEqual((await reference()).weights);
  });

  it('goes back to the checkpoint before, if the newest cannot be read', async () => {
    const { train, store, events } = setup();
    await expect(train(counter({ dieAfter: 9 }))).rejects.toThrow('killed');
    expect(await listCheckpoints(store)).toEqual([8, 4]);
    await store.write(checkpointPath(8), text('garbage'));
    await train();
    expect(events.some((event) => event.type === 'notice' && event.message.includes('checkpoint 8'))).toBe(true);
    expect(await store.read('model.safetensors')).toEqual((await reference()).weights);
    expect(await store.read('metrics.jsonl')).toEqual((await reference()).metrics);
  });

  it('stops between two steps when asked, with a checkpoint, and resumes from it', async () => {
    const { train, store } = setup();
    const stop = new AbortController();
    const job = counter();
    const advance = job.advance;
    job.advance = async (state, step) => {
      if (step === 5) stop.abort();
      return advance(state, step);
    };
    const end = train(job, { signal: stop.signal });
    await expect(end).rejects.toThrow(InterruptedError);
    await expect(end).rejects.toThrow('stopped after step 6 of 10; run the same command to resume.');
    expect(await listCheckpoints(store)).toEqual([6, 4]);
    const second = counter({ dieAfter: 4 }); // exactly what is left
    await train(second);
    expect(await store.read('model.safetensors')).toEqual((await reference()).weights);
    expect(await store.read('metrics.jsonl')).toEqual((await reference()).metrics);
  });

  it('stops with a checkpoint when its hours are over, and resumes', async () => {
    const { train, store } = setup();
    const slow = counter();
    const { advance } = slow;
    slow.advance = async (state, step) => {
      if (step === 2) await new Promise((resolve) => setTimeout(resolve, 60));
      return advance(state, step);
    };
    const end = train(slow, { maxHours: 50 / 3.6e6 });
    await expect(end).rejects.toThrow(InterruptedError);
    await expect(end).rejects.toThrow(/^\[train\] stopped after step \d of 10, since its hours are over; run the same/);
    expect((await listCheckpoints(store))[0]).toBeGreaterThanOrEqual(1);
    await train(counter(), { maxHours: 1 });
    expect(await store.read('model.safetensors')).toEqual((await reference()).weights);
  });

  it('says that a finished run is finished, and touches nothing', async () => {
    const { train, store, events } = setup();
    await train();
    await store.write('model.safetensors', text('kept'));
    events.length = 0;
    await train(counter({ dieAfter: 0 }));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ type: 'finished', alreadyDone: true, steps: 10 });
    expect(await store.read('model.safetensors')).toEqual(text('kept'));
  });

  it.each([
    [
      { options: { steps: 20, seed: 0, config: { depth: 2 } } },
      'a run of 10 steps, over which its learning rate falls to zero: 20 steps',
    ],
    [{ options: { steps, seed: 0, config: { depth: 3 } } }, 'config.depth was 2 and is now 3'],
    [{ options: { steps, seed: 0, config: { depth: 2 }, ema: 0.9 } }, 'ema was null and is now 0.9'],
    [{ data: { sha256: 'other', count: 5 } }, 'the data in its folder has changed'],
    [{ cluster: 4 }, 'cluster was 3 and is now 4'],
  ])('refuses another run in the same folder: %j', async (change, message) => {
    const { runs, train } = setup();
    await train();
    const other = setup(runs);
    const identity = {
      kind: 'expert' as const,
      cluster: 3,
      options: { steps, seed: 0, config: { depth: 2 } },
      data: { sha256: 'd', count: 5 },
    };
    const end = other.train(counter(), { identity: { ...identity, ...change } });
    await expect(end).rejects.toThrow(RunError);
    await expect(end).rejects.toThrow(message);
  });

  it('moves an old run aside when it is to be fresh', async () => {
    const { runs, train, store } = setup();
    await train();
    await train(counter(), { fresh: true });
    await train(counter(), { fresh: true });
    expect(await runs.exists('expert-03.old/model.safetensors')).toBe(true);
    expect(await runs.exists('expert-03.old-2/model.safetensors')).toBe(true);
    expect(await store.read('metrics.jsonl')).toEqual((await reference()).metrics);
  });

  it('keeps a second trainer out', async () => {
    const { runs, train } = setup();
    const job = counter();
    job.start = async () => {
      await expect(runs.lock('expert-03')).rejects.toThrow('in use');
      return { value: 1 };
    };
    await train(job);
    const lock = await runs.lock('expert-03');
    await expect(train()).rejects.toThrow('in use');
    await lock.release();
  });

  it('ends where the loss is no number, names the step, and keeps the metrics of those before', async () => {
    const { store, train } = setup();
    const end = train(counter({ loss: (step) => (step === 6 ? Number.NaN : 1) }));
    await expect(end).rejects.toThrow(DivergedError);
    await expect(end).rejects.toThrow('the loss of step 7 is NaN');
    expect((await readMetrics(store)).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('records the adapters, and says when a run is resumed on another', async () => {
    const { train, events } = setup();
    await expect(train(counter({ dieAfter: 5 }))).rejects.toThrow('killed');
    const record = await train(counter(), { adapter: { fingerprint: 'g', name: 'other adapter' } });
    expect(record.adapters.map(({ fromStep, name }) => [fromStep, name])).toEqual([
      [0, 'test adapter'],
      [4, 'other adapter'],
    ]);
    expect(events.some((event) => event.type === 'notice' && event.message.includes('other adapter'))).toBe(true);
  });
});
