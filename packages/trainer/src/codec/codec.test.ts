// A codec of toy pictures, trained on a real device, and what is made of its folder.
import { encodeJson, type FileStore, folderStore, memoryStore } from '@paris/files';
import { readSafetensors } from '@paris/files/safetensors';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKeys } from '../bundle/keys.js';
import { createResultBundle } from '../bundle/result.js';
import { columnOf } from '../data/columns.js';
import { readManifestFolder } from '../data/files.js';
import { latentEncoder } from '../encode/latents.js';
import { loadCodec } from '../encode/parts.js';
import { InterruptedError } from '../errors.js';
import { preparePictures } from '../prepare/prepare.js';
import type { TrainEvent } from '../run/events.js';
import { readHistory } from '../run/history.js';
import { readMetrics } from '../run/metrics.js';
import { generated } from '../testing/generated.js';
import { type MakeCodecOptions, makeCodec } from './codec.js';
import { codecConfig } from './train-codec.js';

let device: Device;
const data = memoryStore();
const size = 8;

beforeAll(async () => {
  const opened = await openDevice().catch(() => undefined);
  if (!opened) return;
  device = opened;
  await preparePictures({ pictures: generated(40, size), out: data, size, holdout: 0.2, nearCopies: false });
}, 300_000);
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

const config = codecConfig({ factor: 2, latentChannels: 4, width: 16 });
const training = { steps: 12, batchSize: 8, learningRate: 4e-3, warmupSteps: 2, emaDecay: 0 };

function toy(change: Partial<MakeCodecOptions> = {}) {
  const [runs, out] = [memoryStore(), memoryStore()];
  const options = { device, data, runs, out, config, training, ...change };
  return { ...options, run: folderStore(options.runs, 'codec'), make: () => makeCodec(options) };
}

async function filesOf(store: FileStore): Promise<Record<string, Uint8Array>> {
  const paths = await store.list();
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await store.read(path)] as const)));
}

describe('makeCodec', () => {
  it('learns to draw pictures from latents, held-out ones too, and scales the latents', async () => {
    const short = await toy({ training: { ...training, steps: 1 } }).make();
    const { make, out, run } = toy({ training: { ...training, steps: 150 } });
    const report = await make();
    expect(report.training.psnr).toBeGreaterThan(short.training.psnr + 5);
    expect(report.heldOut!.psnr).toBeGreaterThan(short.heldOut!.psnr + 5);
    const { manifest, columns } = await readManifestFolder(data);
    const held = manifest.items!.filter(({ split }) => split === 'test').length;
    expect([report.training.pictures, report.heldOut!.pictures]).toEqual([40 - held, held]);
    const losses = (await readMetrics(run)).map(({ loss }) => loss);
    expect(losses.at(-1)).toBeLessThan(0.3 * losses[0]!);

    const whole = memoryStore();
    for (const [name, bytes] of Object.entries(await filesOf(out))) await whole.write(`codec/${name}`, bytes);
    const codec = await loadCodec(device, { store: whole, folder: 'codec' });
    const encoder = latentEncoder(codec, size, size);
    expect(encoder.format).toMatchObject({ channels: 4, height: 4, width: 4 });
    const latents = await encoder.encode(columnOf(columns, 'images', 'u8'), manifest.count);
    const mean = latents.reduce((sum, value) => sum + value, 0) / latents.length;
    const deviation = Math.sqrt(latents.reduce((sum, value) => sum + (value - mean) ** 2, 0) / latents.length);
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(deviation).toBeGreaterThan(0.9);
    expect(deviation).toBeLessThan(1.1);
    codec.release();
  }, 300_000);

  it('gives the same bytes again, after a stop, and with a batch in parts to rounding', async () => {
    const first = toy();
    await first.make();
    const stop = new AbortController();
    const stopped = toy();
    const onEvent = (event: TrainEvent) => {
      if (event.type === 'checkpoint' && event.step >= 4) stop.abort();
    };
    await expect(makeCodec({ ...stopped, signal: stop.signal, checkpointEvery: 4, onEvent })).rejects.toThrow(
      InterruptedError,
    );
    expect(await stopped.out.list()).toEqual([]);
    await stopped.make();
    expect(await filesOf(stopped.out)).toEqual(await filesOf(first.out));
    await stopped.make(); // finished: nothing changes
    expect(await filesOf(stopped.out)).toEqual(await filesOf(first.out));

    const parts = toy({ training: { ...training, accumulate: 2 } });
    await parts.make();
    const [a, b] = await Promise.all([first, parts].map(({ out }) => readSafetensors(out, 'model.safetensors')));
    for (const [name, { data: values }] of Object.entries(a!)) {
      const other = b![name]!.data;
      expect(Math.max(...Array.from(values, (value, i) => Math.abs(Number(value) - Number(other[i]))))).toBeLessThan(
        1e-3,
      );
    }
  }, 300_000);

  it('measures held-out pictures on the way, without a change of the weights', async () => {
    const plain = toy();
    await plain.make();
    const watched = toy({ validation: { data, every: 6 } });
    await watched.make();
    expect(await watched.out.read('model.safetensors')).toEqual(await plain.out.read('model.safetensors'));
    const { validation } = (await readHistory(watched.run))!;
    expect(validation.map(({ step, time }) => [step, time])).toEqual([
      [6, 0],
      [12, 0],
    ]);
    expect(validation[1]!.loss).toBeLessThan(validation[0]!.loss);
  }, 300_000);

  it('refuses data of latents, sizes that do not fit, folders that are not its own', async () => {
    await expect(toy({ config: codecConfig({ factor: 16 }) }).make()).rejects.toThrow(
      /^\[train\] the codec does not take pictures of 8 px: /,
    );
    expect(() => codecConfig({ factor: 3 })).toThrow('[train] factor must be a power of two, at most 32, got 3.');
    await expect(toy({ latentNoise: -1 }).make()).rejects.toThrow('latentNoise must be a number from 0 on, got -1');
    const foreign = memoryStore({ 'config.json': encodeJson({ architecture: 'tiny-autoencoder' }) });
    await expect(toy({ out: foreign }).make()).rejects.toThrow('holds "config.json" and is no codec of Paris');
    await expect(toy({ data: memoryStore() }).make()).rejects.toThrow('manifest.json is missing');
  });

  it('is no run that others verify', async () => {
    const { make, run } = toy();
    await make();
    const { secretKey } = await createKeys();
    await expect(createResultBundle(run, secretKey)).rejects.toThrow('nobody can verify a codec');
  });
});
