import type { FileStore } from '@paris/files';
import { parseSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { defineArchitecture, writeModelIndex } from '@paris/model';
import { CheckpointError, type Device, key, ones, openDevice, type Tensor, ValueError } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LoadOptions, type LoadProgress, loadPipeline } from './load.js';
import { expertConfig, latent, modelFolder, routerConfig, weightsFile } from './model.testing.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const description = { clusters: 3, latent, licence: 'MIT' };

/** A model after some change to its files, with an index that fits them. */
async function changedModel(change: (store: FileStore) => Promise<void>): Promise<FileStore> {
  const store = await modelFolder(device);
  await change(store);
  await writeModelIndex(store, description);
  return store;
}

const refused = async (store: FileStore, options: LoadOptions = {}) =>
  expect(loadPipeline(store, { device, ...options })).rejects;

describe('loadPipeline', () => {
  it('counts every byte of weights and configs once', async () => {
    const seen: LoadProgress[] = [];
    const pipeline = await loadPipeline(await modelFolder(device), { device, onProgress: (p) => seen.push(p) });
    const last = seen.at(-1)!;
    expect(last.loadedBytes).toBe(last.totalBytes);
    const counts = seen.map(({ loadedBytes }) => loadedBytes);
    expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
    expect(pipeline.vocabulary?.words).toContain('red');
    expect(seen.some(({ file }) => file === 'experts/02/model.safetensors')).toBe(true);
    expect(pipeline.index).toMatchObject(description);
    await pipeline.close();
  });

  it('opens and closes a device of its own where none is given', async () => {
    const pipeline = await loadPipeline(await modelFolder(device));
    const { device: own } = pipeline;
    expect(own).not.toBe(device);
    expect((await pipeline.generate({ prompt: 'red', steps: 1 })).images).toHaveLength(1);
    await pipeline.close();
    expect(() => own.tensor(1)).toThrow('closed');
  });

  it('releases the weights on close', async () => {
    const load = async () => (await loadPipeline(await modelFolder(device), { device })).close();
    for (let i = 0; i < 2; i++) await load();
    const { bytesAllocated } = device.counters;
    for (let i = 0; i < 3; i++) await load();
    expect(device.counters.bytesAllocated).toBe(bytesAllocated);
  });

  it('releases what it loaded of a file that fails, or is aborted, in its middle', async () => {
    const numbers = 17 * 2 ** 18; // 17 MiB: two of them are asked for one after the other
    const large = defineArchitecture({
      architecture: 'large',
      parseConfig: (json) => json as { architecture: 'large' },
      create: () => ({
        objective: { prediction: 'velocity', path: 'linear' },
        init: () => ({ a: ones([numbers]) as Tensor, b: ones([numbers]) as Tensor }),
        apply: (_: unknown, { latents }) => latents,
      }),
    });
    const path = 'experts/00/model.safetensors';
    const row = { data: new Float32Array(numbers), shape: [numbers], dtype: 'f32' } as const;
    const store = await changedModel(async (files) => {
      await files.write('experts/00/config.json', encode({ architecture: 'large' }));
      await files.write(path, writeSafetensors({ a: row, b: row }));
    });
    const uploads = vi.spyOn(device, 'tensor');
    try {
      const controller = new AbortController();
      const onProgress = ({ loadedBytes }: LoadProgress) => {
        if (loadedBytes > 6 * numbers) controller.abort(new Error('enough'));
      };
      const options = { architectures: [large], signal: controller.signal };
      await (await refused(store, { ...options, onProgress })).toThrow('enough');
      const bytes = await store.read(path);
      bytes[bytes.length - 1]! ^= 1;
      await store.write(path, bytes);
      await (await refused(store, { architectures: [large] })).toThrow('its SHA-256 differs');
      expect(uploads).toHaveBeenCalledTimes(2);
      for (const { value } of uploads.mock.results) {
        expect(await (value as Tensor).read().then(() => 'it lives', String)).toContain('disposed');
      }
    } finally {
      uploads.mockRestore();
    }
  });

  it('takes an architecture of somebody else’s beside the built-in one', async () => {
    const flat = defineArchitecture({
      architecture: 'flat',
      parseConfig: (json) => json as { architecture: 'flat' },
      create: () => ({
        objective: { prediction: 'velocity', path: 'linear' },
        init: () => ({ gain: ones([1]) as Tensor }),
        apply: ({ gain }: { gain: Tensor }, { latents }) => latents.mul(gain.reshape([])),
      }),
    });
    const store = await changedModel(async (files) => {
      await files.write('experts/01/config.json', encode({ architecture: 'flat' }));
      await files.write('experts/01/model.safetensors', await weightsFile(device, { gain: ones([1]) }, 0));
    });
    await (await refused(store)).toThrow(
      '[loadPipeline] experts/01/config.json asks for the architecture "flat". Known: "dit". Give yours as architectures.',
    );
    const pipeline = await loadPipeline(store, { device, architectures: [flat] });
    const { expertPictures } = await pipeline.generate({ prompt: 'red', steps: 2, routing: 'full' });
    expect(expertPictures).toEqual([2, 2, 2]);
    await pipeline.close();
  });
});

describe('loadPipeline refuses', () => {
  it('a folder without an index', async () => {
    const store = await modelFolder(device);
    await store.remove('model_index.json');
    await (await refused(store)).toThrow(
      '[loadPipeline] there is no model_index.json in the store. Give the folder that holds it.',
    );
    await expect(loadPipeline('/no/such/folder', { device })).rejects.toThrow(
      'there is no model_index.json in /no/such/folder.',
    );
  });

  it('weights that are not those that the index describes', async () => {
    const store = await modelFolder(device);
    const bytes = await store.read('experts/02/model.safetensors');
    bytes[bytes.length - 1]! ^= 1;
    await store.write('experts/02/model.safetensors', bytes);
    await (await refused(store)).toThrow(CheckpointError);
    await (await refused(store)).toThrow(
      'experts/02/model.safetensors is not the file that model_index.json describes',
    );
  });

  it('weights that do not fit their networks: all of them in one error', async () => {
    const store = await changedModel(async (files) => {
      const path = 'experts/01/model.safetensors';
      const { 't_block.1.bias': _, ...rest } = parseSafetensors(await files.read(path));
      const table = rest['layers.0.scale_shift_table']!;
      await files.write(
        path,
        writeSafetensors({
          ...rest,
          'layers.7.extra': { data: Float32Array.of(1), shape: [1], dtype: 'f32' },
          'layers.0.scale_shift_table': { ...table, shape: [16, 6] },
        }),
      );
      await files.write('router/config.json', encode({ ...routerConfig, clusters: 4 }));
    });
    await (await refused(store)).toThrow(CheckpointError);
    await (await refused(store)).toThrow(
      '[loadPipeline] the model does not fit together. experts/01: missing t_block.1.bias; ' +
        'experts/01: unexpected layers.7.extra; ' +
        'experts/01: wrong shapes: layers.0.scale_shift_table is [16, 6], not [6, 16]; ' +
        'router: wrong shapes: head.4.bias is [3], not [4], head.4.weight is [3, 16], not [4, 16]; ' +
        'router: it knows 4 clusters, the model has 3 experts.',
    );
  });

  it('weights that are not finite, by name', async () => {
    const store = await changedModel(async (files) => {
      const path = 'experts/02/model.safetensors';
      const tensors = parseSafetensors(await files.read(path));
      tensors['t_block.1.bias']!.data[3] = Number.NaN;
      tensors['patch_embed.weight']!.data[0] = Number.NEGATIVE_INFINITY;
      await files.write(path, writeSafetensors(tensors as Parameters<typeof writeSafetensors>[0]));
    });
    await (await refused(store)).toThrow(
      '[loadPipeline] experts/02: NaN or infinity in patch_embed.weight, t_block.1.bias. ' +
        'Train it again, or from an earlier checkpoint.',
    );
    await (await refused(store)).toThrow(CheckpointError);
  });

  it.for(['f16', 'q8', 'q4'] as const)('weights that would be infinite in %s, by name', async (weights, context) => {
    requireCapability(context, 'f16', device.hasFeature('shader-f16'), 'the adapter has no f16');
    const changed = (bias: number) =>
      changedModel(async (files) => {
        const path = 'experts/00/model.safetensors';
        const tensors = parseSafetensors(await files.read(path));
        tensors['final_layer.linear.bias']!.data[0] = bias;
        await files.write(path, writeSafetensors(tensors as Parameters<typeof writeSafetensors>[0]));
      });
    await (await loadPipeline(await changed(-65519), { device, weights })).close();
    const beyond = await changed(-65520);
    await (await loadPipeline(beyond, { device })).close();
    await (await refused(beyond, { weights })).toThrow(
      '[loadPipeline] experts/00: numbers beyond f16 in final_layer.linear.bias. Load the model in f32.',
    );
    await (await refused(beyond, { weights })).toThrow(CheckpointError);
  });

  it('configs that describe nothing', async () => {
    const store = await changedModel((files) =>
      files.write('experts/00/config.json', encode({ ...expertConfig, heads: 3 })),
    );
    await (await refused(store)).toThrow(ValueError);
    const broken = await changedModel((files) => files.write('router/config.json', new TextEncoder().encode('{')));
    await (await refused(broken)).toThrow('[loadPipeline] router/config.json is not JSON');
    const codec = await modelFolder(device);
    await writeModelIndex(codec, { ...description, codec: 'sd-vae' });
    await (await refused(codec)).toThrow(
      '[loadPipeline] codec/config.json asks for the architecture "sd-vae". Known: "identity", "autoencoder-kl", "tiny-autoencoder". Give yours as codecs.',
    );
  });

  it('prompts, where the model has no text side', async () => {
    const store = await changedModel(async (files) => {
      await files.remove('text');
    });
    const pipeline = await loadPipeline(store, { device });
    await expect(pipeline.generate({ prompt: 'red' })).rejects.toThrow(
      '[generate] prompts: this model has no text side. Leave them out, or load it with a promptEncoder.',
    );
    await pipeline.close();
  });
});

it('parameters that nobody asked for are named up to eight', async () => {
  const store = await changedModel(async (files) => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`x.${i}`, ones([1])]));
    await files.write('router/model.safetensors', await weightsFile(device, many, key(0).words[0]));
  });
  await (await refused(store)).toThrow(/unexpected x\.0, .*x\.7 and 3 more/);
});
