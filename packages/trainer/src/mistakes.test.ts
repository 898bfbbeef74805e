// What a newcomer gets wrong first when training, and the sentence that comes back. Read them aloud.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dit } from '@paris/dit';
import { type FileStore, memoryStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { routerTransformer } from '@paris/router';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { saidBy } from '@paris/test-tools/said';
import type { Command } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reportFailure } from './cli/failure.js';
import { loadArchitecture, loadConfig } from './cli/modules.js';
import { createProgram } from './cli/program.js';
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

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-mistakes-'));
  await writeFile(join(folder, 'no-file.csv'), 'name,caption\na.png,a\n');
  await writeFile(join(folder, 'torn.csv'), 'file,caption\na.png,"a\n');
  await writeFile(join(folder, 'a.png'), 'no picture');
  await writeFile(join(folder, 'mine.mjs'), 'export default { architecture: "mine" };');
  await writeFile(join(folder, 'broken.mjs'), 'import "./not-there.mjs";');
  await writeFile(join(folder, 'config.json'), '[1, 2]');
});
afterAll(() => rm(folder, { recursive: true }));

/** What a command prints before it ends with a code other than 0. Commands that use a GPU only read their options. */
async function cli(...args: string[]): Promise<string> {
  let said = '';
  const program = createProgram();
  const hear = (text: string): void => {
    said += text;
  };
  const listen = (command: Command): void => {
    command.configureOutput({ writeErr: hear });
    command.commands.forEach(listen);
  };
  listen(program);
  const before = process.exitCode;
  const code = await program.parseAsync(args, { from: 'user' }).then(
    () => 0,
    (error: unknown) => reportFailure(error, (line) => hear(`${line}\n`)),
  );
  process.exitCode = before;
  return `${code}: ${said.trim().replaceAll(folder, '…')}`;
}

it('commands', async () => {
  expect(await cli('tran')).toMatchInlineSnapshot(`
    "2: error: unknown command 'tran'
    (Did you mean train?)
    (paris --help shows the commands)"
  `);
  expect(await cli('train', 'exprt', 'data')).toMatchInlineSnapshot(`
    "2: error: unknown command 'exprt'
    (Did you mean expert?)"
  `);
  expect(await cli('prepare')).toMatchInlineSnapshot(`"2: error: required option '--out <folder>' not specified"`);
  expect(await cli('prepare', folder)).toMatchInlineSnapshot(
    `"2: error: required option '--out <folder>' not specified"`,
  );
  expect(await cli('prepare', folder, '--out', 'x', '--sise', '32')).toMatchInlineSnapshot(`
    "2: error: unknown option '--sise'
    (Did you mean --size?)"
  `);
  expect(await cli('prepare', folder, '--out', 'x', '--size', '31.5')).toMatchInlineSnapshot(
    `"2: error: option '--size <pixels>' argument '31.5' is invalid. It is not a whole number."`,
  );
  expect(await cli('prepare', folder, '--out', 'x', '--fit', 'stretch')).toMatchInlineSnapshot(
    `"2: error: option '--fit <how>' argument 'stretch' is invalid. Allowed choices are cover, contain."`,
  );
  expect(await cli('train', 'expert', 'data', '--out', 'runs')).toMatchInlineSnapshot(
    `"2: error: required option '--cluster <k>' not specified"`,
  );
  expect(await cli('train', 'expert', 'data', '--out', 'runs', '--cluster', 'all')).toMatchInlineSnapshot(
    `"2: error: option '--cluster <k>' argument 'all' is invalid. It is not a whole number."`,
  );
  expect(await cli('sample', 'my-model')).toMatchInlineSnapshot(
    `"2: error: required option '--prompt <text>' not specified"`,
  );
  expect(await cli('info', join(folder, 'nothing'))).toMatchInlineSnapshot(
    `"1: paris: [info] …/nothing is neither a model, run or data folder nor a preset (dit-xl-2, dit-l-2, dit-b-2, dit-s-2, router-b-2). Check the path."`,
  );
  expect(await cli('assemble', join(folder, 'nothing'), '--out', join(folder, 'model'))).toMatchInlineSnapshot(
    `"1: paris: [assemble] there is no run of an expert (expert-00, …). Train them first."`,
  );
});

it('pictures and captions', async () => {
  const prepare = (...args: string[]) => cli('prepare', ...args, '--out', `${folder}-data`);
  expect(await prepare(join(folder, 'nowhere'))).toMatchInlineSnapshot(
    `"1: paris: [prepare] …/nowhere is not a folder."`,
  );
  expect(await prepare(join(folder, 'a.png'))).toMatchInlineSnapshot(`"1: paris: [prepare] …/a.png is not a folder."`);
  expect(await prepare(folder)).toMatchInlineSnapshot(
    `"1: paris: [prepare] none of 1 pictures could be used; the first: a.png: Input file contains unsupported image format."`,
  );
  expect(await prepare(folder, '--captions', join(folder, 'captions.csv'))).toMatchInlineSnapshot(
    `"1: paris: [prepare] the captions file …/captions.csv cannot be read (ENOENT). Check its path."`,
  );
  expect(await prepare(folder, '--captions', join(folder, 'no-file.csv'))).toMatchInlineSnapshot(
    `"1: paris: [captions] …/no-file.csv has no column file (columns: name, caption). The first line names the columns."`,
  );
  expect(await prepare(folder, '--captions', join(folder, 'torn.csv'))).toMatchInlineSnapshot(
    `"1: paris: [captions] …/torn.csv is not a CSV file with a header: Quote Not Closed: the parsing is finished with an opening quote at line 2."`,
  );
});

it('modules and configs of one’s own', async () => {
  const load = async (file: string) =>
    (await saidBy(() => loadArchitecture(join(folder, file)))).replaceAll(folder, '…');
  expect(await load('nowhere.mjs')).toMatchInlineSnapshot(
    `"ValueError: [train] …/nowhere.mjs cannot be loaded: it, or what it imports, is not there."`,
  );
  expect(await load('broken.mjs')).toMatchInlineSnapshot(
    `"ValueError: [train] …/broken.mjs cannot be loaded: it, or what it imports, is not there."`,
  );
  expect(await load('mine.mjs')).toMatchInlineSnapshot(
    `"ValueError: [train] …/mine.mjs has no default export made by defineArchitecture(…)."`,
  );
  const config = async (file: string) => (await saidBy(() => loadConfig(join(folder, file)))).replaceAll(folder, '…');
  expect(await config('nowhere.json')).toMatchInlineSnapshot(
    `"ValueError: [train] the config file …/nowhere.json cannot be read (ENOENT). Check its path."`,
  );
  expect(await config('config.json')).toMatchInlineSnapshot(
    `"CheckpointError: [readJson] …/config.json is not what this version reads: it must be an object, got [1,2]."`,
  );
});

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
      `"CheckpointError: [data] clusters/07/cluster.json is missing. Run paris partition DATA --clusters N first."`,
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
      `"CheckpointError: [safetensors] "clusters/01/images.safetensors": its header claims 12435439 of 93 bytes. Was it cut off?"`,
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
      `"ValueError: [dit] the config does not describe a DiT: inputSize 8 is not a multiple of patchSize 3."`,
    );
    expect(await say({ config: ditConfig({ ...toySize, heads: 3 }) })).toMatchInlineSnapshot(
      `"ValueError: [dit] the config does not describe a DiT: hiddenSize 16 is not a multiple of heads 3."`,
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
      `"RunError: [train] expert-01 holds another run: seed was 0 and is now 3. Use the old value, or --fresh to start anew."`,
    );
    const more = await changed('clusters/01/cluster.json', (text) => text.replace('"seed": 0', '"seed": 4'));
    expect(await saidBy(() => expert(runs, { data: more }))).toMatchInlineSnapshot(
      `"RunError: [train] expert-01 holds another run: the data in its folder has changed. Use the old data, or --fresh to start anew."`,
    );
    expect(await saidBy(() => assemble({ runs, out: memoryStore() }))).toMatchInlineSnapshot(
      `"RunError: [assemble] expert-00 is missing. Train it, or copy its folder here."`,
    );
    for (const cluster of [0, 2]) await expert(runs, { cluster });
    expect(await saidBy(() => assemble({ runs, out: memoryStore() }))).toMatchInlineSnapshot(
      `"RunError: [assemble] router is missing. Train it, or copy its folder here."`,
    );
    const stop = AbortSignal.abort();
    expect(await saidBy(() => expert(memoryStore(), { signal: stop }))).toMatchInlineSnapshot(
      `"InterruptedError: [train] stopped after step 0 of 8; the same command goes on."`,
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
    const runs = nodeStore(join(folder, 'runs'));
    const lock = await runs.lock('expert-01');
    const said = await saidBy(() => expert(runs));
    expect(said.replaceAll(folder, '…').replace(/process \d+ on [^.]+/, 'process … on …')).toMatchInlineSnapshot(
      `"FileLockedError: [store] …/runs/expert-01 is in use by process … on …. Wait for it to end, or remove …/runs/expert-01/.lock."`,
    );
    await lock.release();
  });
});
