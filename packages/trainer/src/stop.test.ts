// Ctrl-C at any moment. The signal comes at the n-th touch of a file or note of progress, for every n there is (every third,
// unless PARIS_THOROUGH is set): what was
// there stays or is replaced as a whole, nothing unfinished is left, and the same call ends as if nobody had stopped it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dit } from '@paris/dit';
import { type FileStore, memoryStore } from '@paris/files';
import { routerTransformer } from '@paris/router';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { stride } from '@paris/test-tools/thorough';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { assemble } from './assemble/assemble.js';
import { prepare } from './node/prepare.js';
import { partitionData } from './partition/partition.js';
import { counter, steps } from './run/counter.testing.js';
import { runTraining } from './run/run.js';
import { writeFlatPictures } from './testing/flat-pictures.js';
import { type Act, stoppedAt } from './testing/stopped-at.js';
import { toySize, toyTraining, writeToyData } from './testing/toy.js';
import { ditConfig, routerConfig } from './train/configs.js';
import { trainExpert } from './train/expert.js';
import { trainRouter } from './train/router.js';

let device: Device | undefined;
let pictures: string;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
  pictures = await mkdtemp(join(tmpdir(), 'paris-stop-'));
  await writeFlatPictures(pictures, 32);
});
afterAll(async () => {
  await device?.close();
  await rm(pictures, { recursive: true });
});
const onDevice = (context: TestContext): Device => {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  return device!;
};

/** @returns how often the act ended early, after having been stopped at each of its moments; about, where only some were tried */
async function stopEverywhere(fresh: () => Promise<FileStore>, act: Act, whole = true): Promise<number> {
  const [before, finished] = [await contents(await fresh()), await fresh()];
  const { moments } = await stoppedAt(Number.POSITIVE_INFINITY, finished, act);
  const after = await contents(finished);
  let early = 0;
  for (let n = 1; n <= moments; n += stride) {
    const store = await fresh();
    const { error } = await stoppedAt(n, store, act);
    if (error) {
      early += 1;
      expect(`${error.name} ${(error as { code?: string }).code}`).toMatch(/AbortError|INTERRUPTED/);
    }
    if (whole) expect([before, after], `stopped at moment ${n}`).toContainEqual(await contents(store));
    await stoppedAt(Number.POSITIVE_INFINITY, store, act);
    expect(await contents(store), `continued from moment ${n}`).toEqual(after);
  }
  return early * stride;
}

async function contents(store: FileStore): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const path of await store.list()) {
    if (path.endsWith('log.jsonl')) continue; // the clock's
    const text = Buffer.from(await store.read(path)).toString('latin1');
    files[path] = text.replace(/"(?:seconds|imagesPerSecond)": [\d.e-]+/g, ''); // the clock's
  }
  return files;
}

async function copyOf(store: FileStore): Promise<FileStore> {
  const copy = memoryStore();
  for (const path of await store.list()) await copy.write(path, await store.read(path));
  return copy;
}

describe('stopped at every moment', () => {
  it('a training resumes to the same bytes', async () => {
    const train: Act = (runs, { signal, watched }) =>
      runTraining(async () => watched(counter()), {
        runs,
        name: 'router',
        identity: { kind: 'router', options: { steps }, data: { sha256: 'd', count: 5 } },
        versions: {},
        adapter: { fingerprint: 'f', name: 'test adapter' },
        checkpointEvery: 3,
        signal,
      });
    expect(await stopEverywhere(async () => memoryStore(), train, false)).toBeGreaterThan(20);
  });

  it('prepare leaves the old pictures or the new, never clusters of others', async () => {
    const old = memoryStore();
    await prepare({ source: pictures, size: 4, out: old });
    await writeToyData(old);
    await old.write('notes.txt', new Uint8Array(3));
    const act: Act = (out, { signal, tick }) =>
      prepare({ source: pictures, size: 8, out, fresh: true, signal, onProgress: tick });
    expect(await stopEverywhere(() => copyOf(old), act)).toBeGreaterThan(12);
    await act(old, { signal: new AbortController().signal, watched: (x) => x, tick: () => undefined });
    expect(await old.list()).toEqual(['images.safetensors', 'manifest.json', 'notes.txt']);
    await writeToyData(old);
    await prepare({ source: pictures, size: 8, out: old });
    expect(await old.list()).toContain('clusters/00/cluster.json'); // the same pictures again
  });

  it('a partition leaves the old clusters or the new', async (context) => {
    const device = onDevice(context);
    const old = memoryStore();
    await prepare({ source: pictures, size: 8, out: old });
    await partitionData({ device, data: old, clusters: 3 });
    const act: Act = (data, { signal, tick }) => partitionData({ device, data, clusters: 2, signal, onProgress: tick });
    expect(await stopEverywhere(() => copyOf(old), act)).toBeGreaterThan(15);
  });

  it('assemble leaves the old model or the new', async (context) => {
    const device = onDevice(context);
    const [data, runs, model] = [memoryStore(), memoryStore(), memoryStore()];
    await writeToyData(data);
    const training = { ...toyTraining, steps: 1 };
    for (const cluster of [0, 1, 2])
      await trainExpert({ device, data, runs, cluster, architecture: dit, config: ditConfig(toySize), training });
    await trainRouter({ device, data, runs, architecture: routerTransformer, config: routerConfig(toySize), training });
    await assemble({ runs, out: model, licence: 'old' });
    const act: Act = (out, { signal, watched }) => assemble({ runs: watched(runs), out, licence: 'new', signal });
    expect(await stopEverywhere(() => copyOf(model), act)).toBeGreaterThan(25);
  });
});
