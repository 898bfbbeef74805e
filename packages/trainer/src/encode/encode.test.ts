// What `prepare` encodes: the numbers of the codec and the text encoder, once, whatever else is prepared with them.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseTinyAutoencoderConfig, taesdLayout, tinyAutoencoderParameterShapes } from '@paris/encoders/autoencoder';
import { encodeJson, type FileStore, fromHalf, memoryStore, toHalf } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { type HostTensor, readSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { fromStateDict, promptEncoderOf } from '@paris/model';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { columnOf } from '../data/columns.js';
import { decodeUnconditional } from '../data/encodings.js';
import { readManifestFolder } from '../data/files.js';
import { prepare } from '../node/prepare.js';
import { partitionData } from '../partition/partition.js';
import { mergeData } from '../prepare/merge.js';
import { reduced, usualThumbnail } from '../prepare/reduced.js';
import { toyCodec, toyText, writeToyPictures } from '../testing/parts.testing.js';
import { captionEncoder } from './captions.js';
import { latentEncoder } from './latents.js';
import { loadCodec, loadTextEncoder, partRecord } from './parts.js';

let device: Device;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-encode-'));
  await writeToyPictures(folder, 4);
  const opened = await openDevice().catch(() => undefined);
  if (opened) device = opened;
});
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(async () => {
  await device?.close();
  await rm(folder, { recursive: true });
});

const half = (values: ArrayLike<number>) => Array.from(values, (value) => fromHalf(toHalf(value)));
const pixels = (count: number) => Uint8Array.from({ length: count * 3 * 64 }, (_, i) => (i * 37 + (i >> 5)) % 256);

describe('latents', () => {
  it('are those of the codec, alone or among others', async () => {
    const codec = await loadCodec(device, await toyCodec(device));
    const encoder = latentEncoder(codec, 8, 4);
    expect(encoder.format).toMatchObject({ channels: 4, height: 4, width: 4, pictureSize: 8 });
    const all = await encoder.encode(pixels(6), 6);
    expect(await encoder.encode(pixels(6).subarray(5 * 192), 1)).toEqual(all.subarray(5 * 64));
    const plain = device.tensor(
      Float32Array.from(pixels(6), (byte) => byte / 127.5 - 1),
      { shape: [6, 3, 8, 8] },
    );
    const wanted = (await codec.network.encode(codec.params, plain).read()) as Float32Array;
    expect(Math.max(...wanted.map((value, i) => Math.abs(value - all[i]!)))).toBeLessThan(1e-4);
    codec.release();
  });

  it('of a real autoencoder decode to the picture, as they are kept', async (context) => {
    const taef2 = fileURLToPath(new URL('../../../../../shared/data/taef2/', import.meta.url));
    requireCapability(context, 'data', existsSync(taef2), 'the weights of TAEF2 are not there');
    const files = nodeStore(taef2);
    const theirs: Record<string, HostTensor> = {};
    for (const side of ['encoder', 'decoder']) {
      const read = await readSafetensors(files, `${side}.safetensors`);
      for (const [name, tensor] of Object.entries(read)) theirs[`${side}.${name}`] = tensor;
    }
    const config = { architecture: 'tiny-autoencoder', latent_channels: 32, pooled_middle: true };
    const shapes = tinyAutoencoderParameterShapes(parseTinyAutoencoderConfig(config));
    const store = memoryStore({
      'codec/config.json': encodeJson(config),
      'codec/model.safetensors': writeSafetensors(fromStateDict(taesdLayout, shapes, theirs)),
    });
    const codec = await loadCodec(device, { store, folder: 'codec' });
    const { image, latents } = (await readSafetensors(files, 'photo_io.safetensors')) as Record<string, HostTensor>;
    const [height, width] = image!.shape.slice(2) as [number, number];
    const side = Math.min(height, width);
    const square = new Uint8Array(3 * side * side);
    for (const at of square.keys()) {
      const [c, y, x] = [Math.floor(at / side ** 2), Math.floor(at / side) % side, at % side];
      square[at] = Math.round(255 * (image!.data as Float32Array)[(c * height + y) * width + x]!);
    }
    const encoder = latentEncoder(codec, side);
    expect(encoder.format).toMatchObject({ channels: latents!.shape[1]!, height: side / 8, width: side / 8 });
    const kept = device.tensor(Float32Array.from(half(await encoder.encode(square, 1))), {
      shape: [1, latents!.shape[1]!, side / 8, side / 8],
    });
    const decoded = (await codec.network.decode(codec.params, kept).read()) as Float32Array;
    const errors = decoded.map((value, i) => Math.abs(value - (square[i]! / 127.5 - 1)));
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.1);
    codec.release();
  });
});

describe('features of captions', () => {
  it('are those of the text encoder, alone or among others, and the empty caption has its own', async () => {
    const text = await loadTextEncoder(device, await toyText(device));
    const encoder = await captionEncoder(text, 2);
    const captions = ['a cat', '', 'the inn', 'a cat', 'a red cat'];
    const { text: all } = await encoder.encode(captions);
    expect(all).toHaveLength(5 * 64);
    const row = (i: number) => all.subarray(64 * i, 64 * (i + 1));
    expect(row(3)).toEqual(row(0));
    expect(row(1)).toEqual(encoder.unconditional.text);
    expect((await encoder.encode(['the inn'])).text).toEqual(row(2));
    const given = await promptEncoderOf(device, text.network, text.params).encode(['a red cat']);
    const wanted = (await (given as { tokens: { read(): Promise<ArrayLike<number>> } }).tokens.read()) as Float32Array;
    expect(Math.max(...wanted.map((value, i) => Math.abs(value - row(4)[i]!)))).toBeLessThan(1e-5);
    const kept = decodeUnconditional(encoder.format).text;
    expect([...kept]).toEqual(half(encoder.unconditional.text));
    encoder.dispose();
    text.release();
  });
});

describe('a data folder with encodings', () => {
  const prepared = async (change: Partial<Parameters<typeof prepare>[0]> = {}): Promise<FileStore> => {
    const out = (change.out ?? memoryStore()) as FileStore;
    const [codec, text] = [
      await loadCodec(device, await toyCodec(device)),
      await loadTextEncoder(device, await toyText(device)),
    ];
    const source = { source: folder, captions: join(folder, 'captions.csv'), size: 8, thumbnail: 4, holdout: 0 };
    await prepare({ ...source, out, codec, text, classes: 'categories', nearCopies: false, ...change });
    for (const part of [codec, text]) part.release();
    return out;
  };
  const bytes = async (store: FileStore) =>
    Object.fromEntries(
      await Promise.all((await store.list()).map(async (path) => [path, await store.read(path)] as const)),
    );

  it('holds f16 of them, small pictures and class numbers, and says what they are', async () => {
    const { manifest, columns } = await readManifestFolder(await prepared());
    expect(manifest).toMatchObject({ version: 2, size: 4, channels: 3, classes: { classes: 3 } });
    expect(manifest.latents!.codec).toEqual(await partRecord(await toyCodec(device), 'codec'));
    expect(manifest.text!.encoder).toEqual(await partRecord(await toyText(device), 'text'));
    expect(Object.keys(columns)).toEqual(['images', 'tokens', 'latents', 'text', 'label']);
    const names = manifest.classes!.names!;
    expect(Array.from(columnOf(columns, 'label', 'u32'), (id) => names[id])).toEqual(
      manifest.items!.map((item) => item.category),
    );
    const text = await loadTextEncoder(device, await toyText(device));
    const encoder = await captionEncoder(text);
    const wanted = await encoder.encode(manifest.items!.map((item) => item.caption));
    expect([...columnOf(columns, 'text', 'f16')]).toEqual(half(wanted.text));
    encoder.dispose();
    text.release();
  });

  it('has the same bytes again, and from parts of several machines', async () => {
    const whole = await prepared();
    expect(await bytes(await prepared())).toEqual(await bytes(whole));
    const parts = [1, 2].map((index) => prepared({ shard: { index, count: 2 } }));
    const out = memoryStore();
    await mergeData({ data: await Promise.all(parts), out, holdout: 0, nearCopies: false });
    expect(await bytes(out)).toEqual(await bytes(whole));
  });

  it('stays as it is when it is partitioned and prepared again', async () => {
    const out = await prepared();
    await partitionData({ device, data: out, clusters: 1 });
    const before = await bytes(out);
    await prepared({ out });
    expect(await bytes(out)).toEqual(before);
    await expect(prepared({ out, thumbnail: 2 })).rejects.toThrow('the output folder is partitioned');
  });

  it('numbers classes of a list, by name or number', async () => {
    const classes = { classes: 4, names: ['violet', 'red', 'green', 'blue'] };
    const { manifest, columns } = await readManifestFolder(await prepared({ classes }));
    expect(manifest.classes).toEqual(classes);
    expect(new Set(columnOf(columns, 'label', 'u32'))).toEqual(new Set([3, 2, 1]));
  });

  it('merges folders of one list, and none whose numbers would become others', async () => {
    const classes = { classes: 4, names: ['violet', 'red', 'green', 'blue'] };
    const [listed, own] = [await prepared({ classes }), await prepared({})];
    const how = { holdout: 0, nearCopies: false };
    expect((await mergeData({ data: [listed, listed], out: memoryStore(), ...how })).classes).toEqual(classes);
    expect((await mergeData({ data: [own, own], out: memoryStore(), ...how })).classes!.names).toEqual([
      'blue',
      'green',
      'red',
    ]);
    await expect(mergeData({ data: [own, listed], out: memoryStore(), ...how })).rejects.toThrow(
      '[merge] the classes of data folder 2 are of a list that was given, and not all folders have that list. Prepare all with it: --labels FILE.',
    );
  });
});

it('small pictures are means of blocks, and their usual size divides', () => {
  expect([...reduced(Uint8Array.of(0, 10, 20, 31), 2, 1)]).toEqual([15]);
  expect([...reduced(Uint8Array.of(1, 2, 3, 4), 2, 2)]).toEqual([1, 2, 3, 4]);
  expect([8, 64, 96, 256, 100, 101].map(usualThumbnail)).toEqual([8, 64, 48, 64, 50, 1]);
});
