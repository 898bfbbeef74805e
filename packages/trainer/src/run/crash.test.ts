// A process may die, or a disk fill up, at any touch of a file. Every touch of a run is tried: afterwards the same command
// ends with the same bytes.
import { type FileStore, memoryStore, StoreError } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { dies, dyingStore, type End } from '../testing/dying-store.js';
import { counter, steps } from './counter.testing.js';
import { runTraining } from './run.js';

const isFull: End = async (method) => {
  if (method === 'remove') return; // which here frees nothing
  throw new StoreError('store', 'cannot write: ENOSPC: no space left on device. Free some space.');
};

const train = (runs: FileStore) =>
  runTraining(async () => counter(), {
    runs,
    name: 'router',
    identity: { kind: 'router', options: { steps }, data: { sha256: 'd', count: 5 } },
    versions: {},
    adapter: { fingerprint: 'f', name: 'test adapter' },
    companions: { 'text/vocabulary.json': new Uint8Array(3) },
    checkpointEvery: 3,
  });

async function contents(store: FileStore): Promise<Record<string, unknown>> {
  const files: Record<string, unknown> = {};
  const lasting = (await store.list()).filter((path) => !path.endsWith('log.jsonl')); // which clocks write
  for (const path of lasting) files[path] = new TextDecoder().decode(await store.read(path));
  const run = JSON.parse(String(files['router/run.json']));
  files['router/run.json'] = { ...run, result: { ...run.result, seconds: 0, imagesPerSecond: 0 } };
  return files;
}

describe.each([
  ['dies', dies, 'killed'],
  ['finds the disk full', isFull, 'Free some space'],
])('a run whose process %s', (_, end, message) => {
  it('at any access to a file can be resumed, and ends with the same files', async () => {
    const whole = memoryStore();
    await train(whole);
    const expected = await contents(whole);
    let tried = 0;
    for (let touches = 0; ; touches++) {
      const runs = memoryStore();
      const said = await train(dyingStore(runs, touches, end)).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (said === undefined) break; // more touches than the run needs
      tried += 1;
      expect(said).toContain(message);
      await train(dyingStore(runs, touches + 2, end)).catch(() => undefined); // and again, a little later
      await train(runs);
      expect(await contents(runs)).toEqual(expected);
    }
    expect(tried).toBeGreaterThan(10);
  });
});
