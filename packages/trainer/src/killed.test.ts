// kill -9 at every write, rename and removal (every third, unless PARIS_THOROUGH is set) of prepare, merge, partition and assemble,
// of files of items too: the same command ends with the bytes of one that nobody disturbed, killed once or twice, and leaves
// nothing else behind.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { stride } from '@paris/test-tools/thorough';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { assemble } from './assemble/assemble.js';
import { prepare } from './node/prepare.js';
import { partitionData } from './partition/partition.js';
import { pinned } from './pinned/sums.testing.js';
import { mergeData } from './prepare/merge.js';
import { dyingStore } from './testing/dying-store.js';
import { writeFlatPictures } from './testing/flat-pictures.js';

/** Two pictures of 8 × 8 pixels in a file. */
const shardBytes = 500;
const size = 8;
let device: Device | undefined;
let pictures: string;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
  pictures = await mkdtemp(join(tmpdir(), 'paris-killed-'));
  await writeFlatPictures(pictures, 16);
});
afterAll(async () => {
  await device?.close();
  await rm(pictures, { recursive: true });
});
const onDevice = (context: TestContext): Device => {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  return device!;
};

type Act = (store: FileStore) => Promise<unknown>;

/** @returns how many kills there were, and how many of them were at files of what is said of pictures */
async function killEverywhere(fresh: () => Promise<FileStore>, act: Act): Promise<{ kills: number; items: number }> {
  const undisturbed = await fresh();
  let items = 0;
  const { write, move, remove } = undisturbed;
  const noted = <A extends string[]>(change: (...paths: A) => Promise<void>) => {
    return (...paths: A) => {
      if (paths[0]!.endsWith('.jsonl')) items++;
      return change(...paths);
    };
  };
  await act({
    ...undisturbed,
    write: (path, content) => noted((path: string) => write(path, content))(path),
    move: noted(move),
    remove: noted(remove),
  });
  const expected = await contents(undisturbed);
  for (let touches = 0; ; touches += stride) {
    const store = await fresh();
    const killed = await act(dyingStore(store, touches)).then(
      () => false,
      (error: Error) => error.message.includes('killed'),
    );
    if (!killed) {
      expect(await contents(store)).toEqual(expected);
      return { kills: touches, items };
    }
    if (touches % 2 === 1) await act(dyingStore(store, touches >> 1)).catch(() => undefined); // and again
    await act(store);
    expect(await contents(store), `killed after ${touches} changes`).toEqual(expected);
  }
}

/** Of files of items as many kills, so that none of their writes is forgotten; of all, more than so many. */
function expectKills({ kills, items }: { kills: number; items: number }, least: number, ofItems: number): void {
  expect(kills).toBeGreaterThan(least);
  expect(items).toBe(ofItems);
}

async function contents(store: FileStore): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const path of await store.list()) files[path] = Buffer.from(await store.read(path)).toString('latin1');
  return files;
}

async function copyOf(store: FileStore): Promise<FileStore> {
  const copy = memoryStore();
  for (const path of await store.list()) await copy.write(path, await store.read(path));
  return copy;
}

describe('killed at every change of a file', { timeout: 300_000 }, () => {
  const act: Act = (out) => prepare({ source: pictures, size, out, shardBytes, nearCopies: false });

  it('prepare writes the shards that it would have written', async () => {
    expectKills(await killEverywhere(async () => memoryStore(), act), 50, 8);
  });

  it('prepare replaces pictures of before, and what is not ours stays', async () => {
    const old = memoryStore();
    await prepare({ source: pictures, size: 4, out: old, shardBytes: 100 });
    await old.write('notes.txt', new Uint8Array(3));
    expectKills(await killEverywhere(() => copyOf(old), act), 65, 18);
  });

  it('prepare on a disk does so, too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'paris-killed-out-'));
    let made = 0;
    try {
      const fresh = async () => nodeStore(join(folder, `${made++}`));
      const few: Act = (out) => prepare({ source: pictures, size, out, shardBytes: 1200, nearCopies: false });
      expectKills(await killEverywhere(fresh, few), 20, 2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('merge gives the bytes of one machine', async () => {
    const whole = memoryStore();
    await act(whole);
    const parts = [memoryStore(), memoryStore()];
    for (const [i, out] of parts.entries()) {
      await prepare({ source: pictures, size, out, shardBytes: 700, shard: { index: i + 1, count: 2 } });
    }
    const merge: Act = (out) => mergeData({ data: parts, out, shardBytes, nearCopies: false });
    expectKills(await killEverywhere(async () => memoryStore(), merge), 25, 8);
    const merged = memoryStore();
    await merge(merged);
    expect(await contents(merged)).toEqual(await contents(whole));
  });

  it('partition leaves clusters of the old pictures or the new, then the new', async (context) => {
    const device = onDevice(context);
    const old = memoryStore();
    await act(old);
    await partitionData({ device, data: old, clusters: 3, shardBytes: 700 });
    const partition: Act = (data) => partitionData({ device, data, clusters: 2, shardBytes });
    expectKills(await killEverywhere(() => copyOf(old), partition), 50, 8);
  });

  it('assemble leaves the old model or the new, then the new', async () => {
    const runs = folderStore(pinned, 'runs');
    const old = memoryStore();
    await assemble({ runs, out: old, licence: 'old' });
    const act: Act = (out) => assemble({ runs, out, licence: 'new', weights: 'f16' });
    expectKills(await killEverywhere(() => copyOf(old), act), 20, 0);
  });
});
