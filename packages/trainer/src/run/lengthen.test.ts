// A run of 4 steps becomes one of 10, with the bytes of one that had 10 from the start; what cannot be lengthened says why.
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { listCheckpoints } from './checkpoint.js';
import { counter } from './counter.testing.js';
import type { TrainEvent } from './events.js';
import { readRun } from './record.js';
import { type RunOptions, runTraining } from './run.js';

const store = (runs: FileStore) => folderStore(runs, 'expert-00');

/** Runs so many steps, which may die after some. */
function train(runs: FileStore, steps: number, more: Partial<RunOptions> & { seed?: number; dieAfter?: number } = {}) {
  const { seed = 0, dieAfter, ...change } = more;
  return runTraining(async () => counter({ steps, ...(dieAfter !== undefined && { dieAfter }) }), {
    runs,
    name: 'expert-00',
    identity: { kind: 'expert', cluster: 0, options: { steps, seed }, data: { sha256: 'd', count: 5 } },
    versions: {},
    adapter: { fingerprint: 'f', name: 'test adapter' },
    checkpointEvery: 3,
    mayLengthen: true,
    ...change,
  });
}

/** All files; of the record what no clock decides. */
async function contents(runs: FileStore): Promise<{ [path: string]: unknown }> {
  const files: { [path: string]: unknown } = {};
  const lasting = (await runs.list()).filter((path) => !path.endsWith('log.jsonl')); // which clocks write
  for (const path of lasting) files[path] = new TextDecoder().decode(await runs.read(path));
  const { result, ...record } = JSON.parse(String(files['expert-00/run.json']));
  return { ...files, 'expert-00/run.json': { ...record, steps: result?.steps, sha256: result?.sha256 } };
}

async function whole(steps: number) {
  const runs = memoryStore();
  await train(runs, steps);
  return contents(runs);
}

describe('a run whose rate does not fall', () => {
  it('is lengthened, over and over, to the same files as one of that length', async () => {
    const runs = memoryStore();
    const starts: number[] = [];
    const onEvent = (event: TrainEvent) => {
      if (event.type === 'start') starts.push(event.step);
    };
    for (const steps of [4, 6, 10]) await train(runs, steps, { onEvent });
    expect(starts).toEqual([0, 4, 6]); // no step is made twice
    expect(await contents(runs)).toEqual(await whole(10));
    expect(await listCheckpoints(store(runs))).toEqual([10]);
  });

  it('does nothing when it has its steps', async () => {
    const runs = memoryStore();
    await train(runs, 4);
    const before = await contents(runs);
    await train(runs, 4, { dieAfter: 0 });
    expect(await contents(runs)).toEqual(before);
  });

  it.each([0, 1, 2, 5])('is lengthened although it died after %d more steps', async (dieAfter) => {
    const runs = memoryStore();
    await train(runs, 4);
    await expect(train(runs, 10, { dieAfter })).rejects.toThrow('killed');
    expect(await readRun(store(runs))).toMatchObject({ status: 'running', options: { steps: 10 } });
    await train(runs, 10);
    expect(await contents(runs)).toEqual(await whole(10));
  });

  it('is lengthened before it is finished', async () => {
    const runs = memoryStore();
    await expect(train(runs, 6, { dieAfter: 4 })).rejects.toThrow('killed');
    await train(runs, 10);
    expect(await contents(runs)).toEqual(await whole(10));
  });

  it('stays as it was if the work cannot begin', async () => {
    const runs = memoryStore();
    await train(runs, 4);
    const before = await contents(runs);
    const failing = runTraining(() => Promise.reject(new Error('no device')), {
      ...{ runs, name: 'expert-00', versions: {}, checkpointEvery: 3, mayLengthen: true },
      identity: { kind: 'expert', cluster: 0, options: { steps: 9, seed: 0 }, data: { sha256: 'd', count: 5 } },
      adapter: { fingerprint: 'f', name: 'test adapter' },
    });
    await expect(failing).rejects.toThrow('no device');
    expect(await contents(runs)).toEqual(before);
  });
});

describe('says why it cannot', () => {
  it.each([
    [
      'a rate that falls to zero',
      { mayLengthen: false },
      '[train] expert-00 holds a run of 4 steps, over which its learning rate falls to zero: 10 steps are another run. ' +
        'Train it from the start with --fresh, or from its weights with --init and another --out. ' +
        'Runs with --schedule constant can be lengthened.',
    ],
    ['another seed', { seed: 1 }, '[train] expert-00 holds another run: steps was 4 and is now 10.'],
  ])('%s', async (_, change: { mayLengthen?: boolean; seed?: number }, message) => {
    const runs = memoryStore();
    await train(runs, 4, { mayLengthen: change.mayLengthen !== false });
    const before = await contents(runs);
    await expect(train(runs, 10, change)).rejects.toThrow(message);
    expect(await contents(runs)).toEqual(before);
  });

  it('fewer steps, and a checkpoint that is gone', async () => {
    const runs = memoryStore();
    await train(runs, 4);
    await expect(train(runs, 3)).rejects.toThrow(
      '[train] expert-00 holds a run of 4 steps, which cannot be shortened to 3. Give 4 steps or more',
    );
    await runs.remove('expert-00/checkpoints/00000004.safetensors');
    await expect(train(runs, 9)).rejects.toThrow('cannot be lengthened: checkpoints/00000004.safetensors');
    expect(await readRun(store(runs))).toMatchObject({ status: 'finished' });
  });
});
