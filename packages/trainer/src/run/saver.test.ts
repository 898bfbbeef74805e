// Checkpoints are written while the training continues, are checked by hash before they are used, and a training that is to end
// soon writes one only if there is time.
import { type FileStore, folderStore, memoryStore, sha256 } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../errors.js';
import { checkpointPath, isIntact, listCheckpoints, writeCheckpoint } from './checkpoint.js';
import { counter, type State, steps } from './counter.testing.js';
import type { TrainEvent } from './events.js';
import { readRun } from './record.js';
import { type RunOptions, runTraining, type TrainingJob } from './run.js';

async function train(runs: FileStore, change: Partial<RunOptions> = {}, job: TrainingJob<State> = counter()) {
  return runTraining(async () => job, {
    runs,
    name: 'router',
    identity: { kind: 'router', options: { steps }, data: { sha256: 'd', count: 5 } },
    versions: {},
    adapter: { fingerprint: 'f', name: 'test adapter' },
    checkpointEvery: 3,
    ...change,
  });
}

const weights = async (runs: FileStore) => new TextDecoder().decode(await runs.read('router/model.safetensors'));
const reference = async () => {
  const runs = memoryStore();
  await train(runs);
  return weights(runs);
};

/** A store whose checkpoints take so many milliseconds to write. */
function slowStore(runs: FileStore, ms: number, begun: (path: string) => void = () => undefined): FileStore {
  return {
    ...runs,
    write: async (path, content) => {
      if (path.includes('checkpoints/')) {
        begun(path);
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
      await runs.write(path, content);
    },
  };
}

/** The counter with a note of the steps that it begins. */
function noted(notes: string[], job = counter()): TrainingJob<State> {
  const { advance, snapshot } = job;
  job.advance = async (state, step) => {
    notes.push(`step ${step + 1}`);
    return advance(state, step);
  };
  job.snapshot = async (state) => {
    notes.push('copy');
    return snapshot(state);
  };
  return job;
}

describe('a checkpoint', () => {
  it('is written while the next steps are made, and the next copy waits for it', async () => {
    const notes: string[] = [];
    const runs = memoryStore();
    const slow = slowStore(runs, 500, () => notes.push('begin'));
    const onEvent = (event: TrainEvent) => event.type === 'checkpoint' && notes.push(`saved ${event.step}`);
    await train(slow, { onEvent }, noted(notes));
    expect(notes.slice(0, 10)).toEqual([
      'step 1',
      'step 2',
      'step 3',
      'copy',
      'begin',
      'step 4',
      'step 5',
      'step 6',
      'saved 3',
      'copy',
    ]);
    expect(notes).toContain('saved 9');
    expect(await weights(runs)).toBe(await reference());
    expect(await runs.list('router/checkpoints')).toEqual([]);
  });

  it('that cannot be written ends the training, and the one before is used', async () => {
    const runs = memoryStore();
    const failing: FileStore = {
      ...runs,
      write: async (path, content) => {
        if (path.includes('00000006')) {
          await new Promise((resolve) => setTimeout(resolve, 300));
          throw new Error('disk full');
        }
        await runs.write(path, content);
      },
    };
    await expect(train(failing)).rejects.toThrow('disk full');
    expect(await listCheckpoints(folderStore(runs, 'router'))).toEqual([3]);
    await train(runs);
    expect(await weights(runs)).toBe(await reference());
  });

  it('is in run.json with the hash of its pieces, and the two newest are kept', async () => {
    const runs = memoryStore();
    await expect(train(runs, {}, counter({ dieAfter: 9 }))).rejects.toThrow('killed');
    const { checkpoints } = (await readRun(folderStore(runs, 'router')))!;
    expect(checkpoints!.map(({ step }) => step)).toEqual([9, 6]);
    const bytes = await runs.read('router/checkpoints/00000009.safetensors');
    const hash = await sha256(new TextEncoder().encode(await sha256(bytes)));
    expect(checkpoints![0]).toEqual({ step: 9, sizeBytes: bytes.length, sha256: hash, seconds: expect.any(Number) });
  });

  it('with a bit that changed on the disk is not used', async () => {
    const runs = memoryStore();
    await expect(train(runs, {}, counter({ dieAfter: 9 }))).rejects.toThrow('killed');
    await runs.write('router/checkpoints/00000009.safetensors', new TextEncoder().encode('100')); // a state, but another
    const events: TrainEvent[] = [];
    await train(runs, { onEvent: (event) => events.push(event) });
    expect(events).toContainEqual({
      type: 'notice',
      message: 'checkpoint 9 cannot be read ([train] its bytes are not those that were written)',
    });
    expect(await weights(runs)).toBe(await reference());
  });

  it('that was refused does not outlive the next one', async () => {
    const runs = memoryStore();
    await expect(train(runs, {}, counter({ dieAfter: 9 }))).rejects.toThrow('killed');
    await runs.write('router/checkpoints/00000009.safetensors', new TextEncoder().encode('100'));
    await expect(train(runs, { checkpointEvery: 7 }, counter({ dieAfter: 2 }))).rejects.toThrow('killed');
    expect(await listCheckpoints(folderStore(runs, 'router'))).toEqual([7, 6]);
    await train(runs);
    expect(await weights(runs)).toBe(await reference());
  });

  it('of many pieces is the same bytes, and every piece is looked at', async () => {
    const store = memoryStore();
    const part = (length: number, from: number) => Uint8Array.from({ length }, (_, i) => (from + 7 * i) % 251);
    const parts = [part(3, 1), part(17 * 2 ** 20, 2), part(0, 3), part(15 * 2 ** 20 - 1, 4), part(2 ** 20, 5)];
    const saved = await writeCheckpoint(store, 7, parts);
    const whole = await store.read(checkpointPath(7));
    expect(saved.sizeBytes).toBe(33 * 2 ** 20 + 2);
    expect(Buffer.compare(Buffer.concat(parts), whole)).toBe(0);
    expect(await writeCheckpoint(store, 7, whole)).toEqual(saved);
    expect(await isIntact(store, saved)).toBe(true);
    for (const at of [0, 16 * 2 ** 20, whole.length - 1]) {
      const bad = new Uint8Array(whole);
      bad[at]! ^= 4;
      await store.write(checkpointPath(7), bad);
      expect(await isIntact(store, saved)).toBe(false);
    }
    await store.write(checkpointPath(7), whole.subarray(1));
    expect(await isIntact(store, saved)).toBe(false);
  });

  it('is made by the clock as well', async () => {
    const saved: number[] = [];
    const job = counter();
    const { advance } = job;
    job.advance = async (state, step) => {
      if (step === 3) await new Promise((resolve) => setTimeout(resolve, 800));
      return advance(state, step);
    };
    const onEvent = (event: TrainEvent) => event.type === 'checkpoint' && saved.push(event.step);
    await train(memoryStore(), { checkpointEvery: undefined, checkpointMinutes: 0.6 / 60, onEvent }, job);
    expect(saved).toEqual([4]);
  });
});

describe('a training that is to end', () => {
  /** Stops after the first checkpoint, which took `ms`. */
  async function stopped(runs: FileStore, ms: number, graceSeconds?: number) {
    const stop = new AbortController();
    const onEvent = (event: TrainEvent) => event.type === 'checkpoint' && stop.abort();
    const end = train(
      slowStore(runs, ms),
      { checkpointEvery: 4, signal: stop.signal, graceSeconds, onEvent },
      patient(),
    );
    const error: Error = await end.then(
      () => new Error('not stopped'),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(InterruptedError);
    return error.message;
  }

  /** Steps take a moment, so that the checkpoint is written before the last of them. */
  function patient(): TrainingJob<State> {
    const job = counter();
    const { advance } = job;
    job.advance = async (state, step) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return advance(state, step);
    };
    return job;
  }

  it('writes a last checkpoint if the time suffices', async () => {
    const runs = memoryStore();
    expect(await stopped(runs, 250, 30)).toMatch(
      /^\[train\] stopped after step \d of 10; run the same command to resume\.$/,
    );
    const [last, before] = await listCheckpoints(folderStore(runs, 'router'));
    expect(last).toBeGreaterThan(4);
    expect(before).toBe(4);
    await train(runs, { checkpointEvery: 4 });
    expect(await weights(runs)).toBe(await reference());
  });

  it('leaves the last one if it does not, and says so', async () => {
    const runs = memoryStore();
    expect(await stopped(runs, 250, 0.1)).toMatch(
      /^\[train\] stopped after step \d of 10; a checkpoint takes about 1 s, and 0\.1 s are given\. Run the same command to resume after step 4\.$/,
    );
    expect(await listCheckpoints(folderStore(runs, 'router'))).toEqual([4]);
    await train(runs, { checkpointEvery: 4 });
    expect(await weights(runs)).toBe(await reference());
  });
});
