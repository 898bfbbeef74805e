// A process may die, or a disk fill up, at any touch of a file. Every touch of a run is tried: afterwards the same command
// ends with the same bytes.
import { type FileStore, memoryStore, StoreError } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { counter, steps } from './counter.testing.js';
import { runTraining } from './run.js';

/** Files that can be changed `touches` times; after that it is as `end` says, for good. */
function ending(files: FileStore, touches: number, end: (method: string) => Promise<void>): FileStore {
  let left = touches;
  const touch = (method: string, change: () => Promise<void>) => (left-- > 0 ? change() : end(method));
  return {
    ...files,
    write: (path, bytes) => touch('write', () => files.write(path, bytes)),
    remove: (path) => touch('remove', () => files.remove(path)),
    move: (from, to) => touch('move', () => files.move(from, to)),
    // All but this is atomic: a line may be torn.
    append: async (path, text) => {
      if (left === 0) await files.append(path, text.slice(0, 9));
      await touch('append', () => files.append(path, text));
    },
    lock: async () => ({ release: async () => {} }), // a dead process's lock is taken over
  };
}

const dies = async (): Promise<void> => {
  throw new Error('killed');
};
const isFull = async (method: string): Promise<void> => {
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
  for (const path of await store.list()) files[path] = new TextDecoder().decode(await store.read(path));
  const run = JSON.parse(String(files['router/run.json']));
  files['router/run.json'] = { ...run, result: { ...run.result, seconds: 0, imagesPerSecond: 0 } };
  return files;
}

describe.each([
  ['dies', dies, 'killed'],
  ['finds the disk full', isFull, 'Free some space'],
])('a run whose process %s', (_, end, message) => {
  it('at any touch of a file goes on, and ends with the same files', async () => {
    const whole = memoryStore();
    await train(whole);
    const expected = await contents(whole);
    let tried = 0;
    for (let touches = 0; ; touches++) {
      const runs = memoryStore();
      const said = await train(ending(runs, touches, end)).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (said === undefined) break; // more touches than the run needs
      tried += 1;
      expect(said).toContain(message);
      await train(ending(runs, touches + 2, end)).catch(() => undefined); // and again, a little later
      await train(runs);
      expect(await contents(runs)).toEqual(expected);
    }
    expect(tried).toBeGreaterThan(10);
  });
});
