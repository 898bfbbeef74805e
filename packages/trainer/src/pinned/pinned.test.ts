// Runs, models and pictures have the bytes that they had, and folders that were written before are still read. A change
// that is meant to change bytes says so and records them again: PARIS_RECORD=1 npx vitest run packages/trainer/src/pinned,
// on SwiftShader (which writes the files, too), on lavapipe and on the CPU.
import { writeFileSync } from 'node:fs';
import { type FileStore, folderStore, memoryStore } from '@paris/files';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { assemble } from '../assemble/assemble.js';
import type { TrainEvent } from '../run/events.js';
import { drawPinned, makePinned, STOPPED_AFTER, trainPinned, trainPinnedRouter } from './pinned.testing.js';
import { distance, lastingFiles, numbersOf, pinned, readSums, sumsFile, sumsOf } from './sums.testing.js';

let device: Device;
let made: FileStore;
beforeAll(async () => {
  const opened = await openDevice().catch(() => undefined);
  if (!opened) return;
  device = opened;
  made = memoryStore();
  await makePinned(device, made);
  if (process.env.PARIS_RECORD) await record();
}, 600_000);
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

/** What adapters may differ by: a level of 256 in pixels, else four times what lavapipe and SwiftShader were seen to. */
const tolerances = [
  { of: /\.png/, atMost: 1 },
  { of: /./, atMost: 1e-4 },
];

it('makes the same numbers on any adapter', async () => {
  let compared = 0;
  for (const path of await pinned.list()) {
    const [before, now] = [await numbersOf(pinned, path), await numbersOf(made, path)];
    expect(Object.keys(now), path).toEqual(Object.keys(before));
    for (const [name, numbers] of Object.entries(before)) {
      const { atMost } = tolerances.find(({ of }) => of.test(path))!;
      expect(distance(now[name]!, numbers), `${path}: ${name}`).toBeLessThanOrEqual(atMost);
      compared += numbers.length;
    }
  }
  expect(compared).toBeGreaterThan(50_000);
});

it('makes the same files, byte for byte, on the adapters whose bytes are recorded', async (context) => {
  const recorded = readSums()[device.info.fingerprint];
  const { adapter } = device.info;
  if (!recorded) return context.skip(`adapter: the bytes of ${adapter} are not recorded`);
  expect(await sumsOf(made)).toEqual(recorded);
});

it('recorded the committed files on one of these adapters', async () => {
  const sums = await sumsOf(pinned);
  expect(Object.values(readSums())).toContainEqual(sums);
  expect(Object.keys(sums).length).toBeGreaterThan(40);
});

it('draws the recorded pictures from the recorded model', async () => {
  const store = memoryStore();
  await store.write('pictures.png', await drawPinned(device, folderStore(pinned, 'model')));
  const [now, before] = [await numbersOf(store, 'pictures.png'), await numbersOf(pinned, 'pictures.png')];
  expect(distance(now.pixels!, before.pixels!)).toBeLessThanOrEqual(1);
});

it('assembles the recorded runs to the recorded model', async () => {
  const [runs, data, out] = [folderStore(pinned, 'runs'), folderStore(pinned, 'data'), memoryStore()];
  await assemble({ runs, data, out, licence: 'MIT' });
  expect(await sumsOf(out)).toEqual(await sumsOf(folderStore(pinned, 'model')));
});

it('finds the recorded runs finished, and changes nothing in them', async () => {
  const [runs, data] = [await copyOf('runs'), folderStore(pinned, 'data')];
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent) => events.push(event);
  for (const cluster of [0, 1] as const) await trainPinned({ device, data, runs, cluster, onEvent });
  await trainPinnedRouter({ device, data, runs, onEvent });
  const done = { type: 'finished', alreadyDone: true, step: 6 };
  expect(events).toEqual([expect.objectContaining(done), expect.objectContaining(done), expect.objectContaining(done)]);
  expect(await sumsOf(runs)).toEqual(await sumsOf(folderStore(pinned, 'runs')));
});

it('continues the recorded stopped run to the same weights', async () => {
  const runs = await copyOf('stopped');
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent) => events.push(event);
  await trainPinned({ device, data: folderStore(pinned, 'data'), runs, cluster: 0, onEvent });
  expect(events.find(({ type }) => type === 'start')).toMatchObject({ step: STOPPED_AFTER, steps: 6 });
  const path = 'expert-00/model.safetensors';
  const [now, before] = [await numbersOf(runs, path), await numbersOf(folderStore(pinned, 'runs'), path)];
  for (const [name, numbers] of Object.entries(before)) expect(distance(now[name]!, numbers), name).toBeLessThan(1e-4);
  // The first steps were made on the adapter whose files are committed: there the bytes are the same, too.
  const committed = (await sumsOf(folderStore(pinned, 'runs')))[path];
  if (readSums()[device.info.fingerprint]?.[`runs/${path}`] === committed) {
    expect((await sumsOf(runs))[path]).toBe(committed);
  }
});

async function copyOf(name: string): Promise<FileStore> {
  const copy = memoryStore();
  const store = folderStore(pinned, name);
  for (const path of await store.list()) await copy.write(path, await store.read(path));
  return copy;
}

async function record(): Promise<void> {
  const { fingerprint, adapter } = device.info;
  if (/swiftshader/i.test(adapter)) {
    for (const path of await pinned.list()) await pinned.remove(path);
    for (const path of await lastingFiles(made)) await pinned.write(path, await made.read(path));
  }
  const sums = { ...readSums(), [fingerprint]: await sumsOf(made) };
  writeFileSync(sumsFile, `${JSON.stringify(sums, null, 1)}\n`);
}
