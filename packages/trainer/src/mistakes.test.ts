// What a newcomer gets wrong first when training, and the sentence that comes back. Read them aloud.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dit } from '@paris/dit';
import { type FileStore, memoryStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { routerTransformer } from '@paris/router';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { saidBy } from '@paris/test-tools/said';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  assemble,
  ditConfig,
  partitionData,
  routerConfig,
  type TrainExpertOptions,
  trainExpert,
  trainRouter,
} from './index.js';
import { toySize, toyTraining, writeToyData } from './testing/toy.js';

describe('training', () => {
  let device: Device | undefined;
  let data: FileStore;
  beforeAll(async () => {
    device = await openDevice().catch(() => undefined);
    data = memoryStore();
    await writeToyData(data);
  });
  beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
  afterAll(() => device?.close());

  const expert = (runs: FileStore, change: Partial<TrainExpertOptions> = {}) =>
    trainExpert({
      device: device!,
      data,
      cluster: 1,
      runs,
      architecture: dit,
      config: ditConfig(toySize),
      training: toyTraining,
      ...change,
    });
  const router = (from: FileStore, runs: FileStore) =>
    trainRouter({
      device: device!,
      data: from,
      runs,
      architecture: routerTransformer,
      config: routerConfig(toySize),
      training: toyTraining,
    });
  const changed = async (path: string, change: (text: string) => string) => {
    const store = memoryStore();
    for (const file of await data.list()) await store.write(file, await data.read(file));
    await store.write(path, new TextEncoder().encode(change(new TextDecoder().decode(await data.read(path)))));
    return store;
  };

  it('data that is not there, or not as it should be', async () => {
    const say = (change: Partial<TrainExpertOptions>) => saidBy(() => expert(memoryStore(), change));
    expect(
      await saidBy(() => partitionData({ device: device!, data: memoryStore(), clusters: 2 })),
    ).toMatchInlineSnapshot(
      `"CheckpointError: [data] manifest.json is missing. Run paris prepare PICTURES --out DATA first."`,
    );
    expect(await say({ cluster: 7 })).toMatchInlineSnapshot(
      `"CheckpointError: [data] there is no cluster 7: the data folder has clusters 0 to 2. Give one of them."`,
    );
    expect(await say({ data: memoryStore() })).toMatchInlineSnapshot(
      `"CheckpointError: [data] clusters/01/cluster.json is missing. Run paris partition DATA --clusters N first."`,
    );
    expect(await saidBy(() => router(memoryStore(), memoryStore()))).toMatchInlineSnapshot(
      `"CheckpointError: [data] router/router.json is missing. Run paris partition DATA --clusters N first."`,
    );
    const json = 'clusters/01/cluster.json';
    expect(
      await say({ data: await changed(json, (text) => text.slice(0, 40)) }).then((said) =>
        said.replace(/not JSON: .*\./, 'not JSON: ….'),
      ),
    ).toMatchInlineSnapshot(`"CheckpointError: [readJson] clusters/01/cluster.json is not JSON: …."`);
    expect(
      await say({ data: await changed(json, (text) => text.replace('"size": 8', '"size": "8"')) }),
    ).toMatchInlineSnapshot(
      `"CheckpointError: [readJson] clusters/01/cluster.json is not what this version reads: size must be a number, got "8"."`,
    );
    expect(
      await say({ data: await changed(json, (text) => text.replace('"size": 8', '"size": 16')) }),
    ).toMatchInlineSnapshot(
      `"CheckpointError: [data] clusters/01/images.safetensors should hold images u8 [12, 3, 16, 16], tokens u32 [12, 8], got images u8 [12, 3, 8, 8], tokens u32 [12, 8]."`,
    );
    expect(
      await say({ data: await changed('clusters/01/images.safetensors', (text) => text.slice(0, 99)) }),
    ).toMatchInlineSnapshot(
      `"DataError: [data] clusters/01/images.safetensors has other bytes than were written (its SHA-256 differs). Copy it again, or give the command that wrote it again."`,
    );
  });

  it('options', async () => {
    const say = (change: Partial<TrainExpertOptions>) => saidBy(() => expert(memoryStore(), change));
    expect(await say({ training: { steps: 0 } })).toMatchInlineSnapshot(
      `"ValueError: [train] steps must be a whole number from 1 on, got 0."`,
    );
    expect(await say({ training: { learningRate: Number.NaN } })).toMatchInlineSnapshot(
      `"ValueError: [train] learningRate must be a number from 0 on, got NaN."`,
    );
    expect(await say({ training: { emaDecay: 1 } })).toMatchInlineSnapshot(
      `"ValueError: [train] emaDecay must be a number in [0, 1), got 1."`,
    );
    expect(await say({ config: ditConfig({ ...toySize, patch: 3 }) })).toMatchInlineSnapshot(
      `"ConfigError: [dit] the config does not describe a DiT: inputSize 8 is not a multiple of patchSize 3."`,
    );
    expect(await say({ config: ditConfig({ ...toySize, heads: 3 }) })).toMatchInlineSnapshot(
      `"ConfigError: [dit] the config does not describe a DiT: hiddenSize 16 is not a multiple of heads 3."`,
    );
    expect(
      await say({ training: { ...toyTraining, learningRate: 1e30 } }).then((said) =>
        said.replace(/step \d+/, 'step …'),
      ),
    ).toMatchInlineSnapshot(`"DivergedError: [train] the loss of step … is Infinity. Lower the learning rate."`);
  });

  it('runs', async () => {
    const runs = memoryStore();
    expect(await saidBy(() => assemble({ runs, out: memoryStore() }))).toMatchInlineSnapshot(
      `"RunError: [assemble] there is no run of an expert (expert-00, …). Train them first."`,
    );
    expect(await saidBy(() => assemble({ runs, out: memoryStore(), routing: 'topp2' }))).toContain(
      'there is no policy "topp2". Write full, top2',
    );
    await expert(runs);
    expect(await saidBy(() => expert(runs, { training: { ...toyTraining, seed: 3 } }))).toMatchInlineSnapshot(
      `"RunError: [train] expert-01 holds another run: seed was 0 and is now 3. Use the old value, or --fresh to start again."`,
    );
    const more = await changed('clusters/01/cluster.json', (text) => text.replace('"seed": 0', '"seed": 4'));
    expect(await saidBy(() => expert(runs, { data: more }))).toMatchInlineSnapshot(
      `"RunError: [train] expert-01 holds another run: the data in its folder has changed. Use the old data, or --fresh to start again."`,
    );
    expect(await saidBy(() => assemble({ runs, out: memoryStore() }))).toMatchInlineSnapshot(
      `"RunError: [assemble] router is missing. Train it, or copy its folder here."`,
    );
    for (const cluster of [0, 2]) await expert(runs, { cluster });
    expect(await saidBy(() => assemble({ runs, out: memoryStore() }))).toMatchInlineSnapshot(
      `"RunError: [assemble] router is missing. Train it, or copy its folder here."`,
    );
    const stop = AbortSignal.abort();
    expect(await saidBy(() => expert(memoryStore(), { signal: stop }))).toMatchInlineSnapshot(
      `"InterruptedError: [train] stopped after step 0 of 8; run the same command to resume."`,
    );
    const lock = await runs.lock('expert-01');
    expect(await saidBy(() => expert(runs))).toMatchInlineSnapshot(
      `"FileLockedError: [store] "expert-01" is in use already. Wait for the other one to end."`,
    );
    await lock.release();
  });

  it('a cluster without pictures', async () => {
    const empty = memoryStore();
    await writeToyData(empty, 0);
    expect(await saidBy(() => expert(memoryStore(), { data: empty }))).toMatchInlineSnapshot(
      `"DataError: [data] cluster 1 has no picture to learn from. Partition with fewer clusters."`,
    );
  });

  it('a folder that is in use, on disk', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'paris-mistakes-'));
    const runs = nodeStore(join(folder, 'runs'));
    const lock = await runs.lock('expert-01');
    const said = await saidBy(() => expert(runs));
    expect(said.replaceAll(folder, '…').replace(/process \d+ on [^.]+/, 'process … on …')).toMatchInlineSnapshot(
      `"FileLockedError: [store] …/runs/expert-01 is in use by process … on …. Wait for it to end, or remove …/runs/expert-01/.lock."`,
    );
    await lock.release();
    await rm(folder, { recursive: true });
  });
});
