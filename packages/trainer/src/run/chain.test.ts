// What a run commits itself to. The job multiplies a number, so every state can be foretold.
import { type FileStore, folderStore, memoryStore, sha256 } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../errors.js';
import { readChain, stateProof } from './chain.js';
import { counter } from './counter.testing.js';
import { appendLines } from './lines.js';
import { rootByPath } from './merkle.js';
import { readRun } from './record.js';
import { type RunOptions, runTraining } from './run.js';

const store = (runs: FileStore) => folderStore(runs, 'expert-00');
const text = (value: string) => new TextEncoder().encode(value);

function train(runs: FileStore, more: Partial<RunOptions> & { steps?: number; dieAfter?: number; seed?: number } = {}) {
  const { steps = 10, dieAfter, seed = 0, ...change } = more;
  return runTraining(async () => counter({ steps, ...(dieAfter !== undefined && { dieAfter }) }), {
    runs,
    name: 'expert-00',
    identity: { kind: 'expert', cluster: 0, options: { steps, seed }, data: { sha256: 'd', count: 5 } },
    versions: { '@paris/trainer': '1' },
    adapter: { fingerprint: 'f', name: 'two threads' },
    checkpointEvery: 4,
    proveEvery: 3,
    ...change,
  });
}

async function chainAfter(more: Parameters<typeof train>[1] = {}) {
  const runs = memoryStore();
  await train(runs, more);
  return readChain(store(runs));
}

describe('the chain of a run', () => {
  it('lists what the run was, its states and its weights, and its root is in run.json', async () => {
    const runs = memoryStore();
    const record = await train(runs);
    const chain = await readChain(store(runs));
    expect(chain.claim).toEqual({
      kind: 'expert',
      cluster: 0,
      options: { steps: 10, seed: 0 },
      data: { sha256: 'd', count: 5 },
      versions: { '@paris/trainer': '1' },
      adapters: [{ fromStep: 0, fingerprint: 'f' }],
    });
    expect(chain.states.map(({ step }) => step)).toEqual([3, 6, 9]);
    expect(chain.weights).toEqual({ 'model.safetensors': record.result?.sha256 });
    expect(record.proof).toEqual({ every: 3, root: chain.root });
    expect(await readRun(store(runs))).toEqual(record);
    const files = ['proof/00000003.safetensors', 'proof/00000006.safetensors', 'proof/00000009.safetensors'];
    expect(await store(runs).list('proof')).toEqual(files);
    expect(new TextDecoder().decode(await store(runs).read(files[0]!))).toBe('32'); // 1 → 3 → 10 → 32
  });

  it.each([1, 3, 4, 5, 6, 8, 9])('is the same when the run was killed after %d steps and resumed', async (dieAfter) => {
    const runs = memoryStore();
    await expect(train(runs, { dieAfter })).rejects.toThrow('killed');
    await train(runs);
    expect(await readChain(store(runs))).toEqual(await chainAfter());
  });

  it('is the same on another number of threads, when stopped, and when a line was lost', async () => {
    const runs = memoryStore();
    const stop = new AbortController();
    stop.abort();
    await expect(train(runs, { signal: stop.signal })).rejects.toThrow(InterruptedError);
    await expect(train(runs, { dieAfter: 9 })).rejects.toThrow('killed');
    await store(runs).write('proof.jsonl', text('\0\0{"step":3'));
    await appendLines(store(runs), 'proof.jsonl', [{ step: 6 }]);
    await train(runs, { adapter: { fingerprint: 'f', name: 'one thread' } });
    expect(await readChain(store(runs))).toEqual(await chainAfter());
  });

  it('is that of the long run when a shorter one is lengthened', async () => {
    const runs = memoryStore();
    for (const steps of [4, 6, 10]) await train(runs, { steps, mayLengthen: true });
    expect(await readChain(store(runs))).toEqual(await chainAfter({ mayLengthen: true }));
  });

  it('is another one for another seed, length of segments, adapter or version', async () => {
    const roots = new Set<string>();
    const others = [
      {},
      { seed: 1 },
      { proveEvery: 4 },
      { adapter: { fingerprint: 'g', name: '' } },
      { versions: { '@paris/trainer': '2' } },
    ];
    for (const other of others) roots.add((await chainAfter(other)).root);
    expect(roots.size).toBe(others.length);
  });

  it('changes no byte of the weights, and a run without it keeps nothing', async () => {
    const [proved, plain] = [memoryStore(), memoryStore()];
    await train(proved);
    await train(plain, { proveEvery: undefined });
    expect(await store(plain).list()).toEqual(['log.jsonl', 'metrics.jsonl', 'model.safetensors', 'run.json']);
    expect(await store(plain).read('model.safetensors')).toEqual(await store(proved).read('model.safetensors'));
    await expect(readChain(store(plain))).rejects.toThrow('the run kept no chain. Train it with --prove-every N.');
  });

  it('does not begin in the middle of a run, nor change there', async () => {
    const runs = memoryStore();
    await expect(train(runs, { dieAfter: 5, proveEvery: undefined })).rejects.toThrow('killed');
    await expect(train(runs)).rejects.toThrow('expert-00 keeps no states for a proof, and 3 were asked for');
    await train(runs, { fresh: true });
    await expect(train(runs, { proveEvery: 2 })).rejects.toThrow(
      'keeps every 3 steps for a proof, and 2 were asked for',
    );
    await train(runs, { proveEvery: undefined }); // finished already
    await train(runs, { fresh: true }); // its states move aside with it
    expect(await folderStore(runs, 'expert-00.old-2').list('proof')).toHaveLength(3);
  });

  it('says that a state is gone', async () => {
    const runs = memoryStore();
    await expect(train(runs, { dieAfter: 9 })).rejects.toThrow('killed');
    await store(runs).remove('proof/00000003.safetensors');
    await expect(train(runs)).rejects.toThrow('proof/00000003.safetensors, a state that the proof of this run needs');
  });

  it('is refused where it was changed', async () => {
    const runs = memoryStore();
    await train(runs);
    const chain = JSON.parse(new TextDecoder().decode(await store(runs).read('chain.json')));
    chain.states[1].sha256 = await sha256(text('forged'));
    await store(runs).write('chain.json', text(JSON.stringify(chain)));
    await expect(readChain(store(runs))).rejects.toThrow('its root is not that of what it lists');
  });

  it('shows one state to somebody who has the root alone', async () => {
    const chain = await chainAfter();
    const { entry, ...where } = await stateProof(chain, 6);
    expect(JSON.parse(new TextDecoder().decode(entry))).toEqual(chain.states[1]);
    expect(await rootByPath(entry, where)).toBe(chain.root);
    expect(await rootByPath(text('{}'), where)).not.toBe(chain.root);
  });
});
