import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDiT, type DiTParams, dit, ditParameterShapes, facebookLayout, parseDiTConfig } from '@paris/dit';
import { autoencoderKL } from '@paris/encoders/autoencoder';
import { type FileStore, memoryStore, ParisError } from '@paris/files';
import { openCheckpoint } from '@paris/files/checkpoint';
import { parseSafetensors, writeSafetensors } from '@paris/files/safetensors';
import {
  ddpmPath,
  fromStateDict,
  type PromptEncoder,
  readNetworks,
  type StateDict,
  weightLoader,
  writeModelIndex,
} from '@paris/model';
import {
  CheckpointError,
  type Device,
  dtypeBytes,
  flattenTree,
  openDevice,
  type Tensor,
  unflattenTree,
} from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mutantCount, mutantsOf } from '../../../files/src/checkpoint/mutants.testing.js';
import { serveFiles } from '../../../files/src/stores/serve-files.testing.js';
import { type LoadOptions, type LoadProgress, loadModel, loadPipeline } from '../pipeline/load.js';
import type { GenerateOptions } from '../pipeline/options.js';
import { diffusersDiT, diffusersPixArt, releasedParis } from './folders.testing.js';
import { importModel } from './import.js';
import { openForeign } from './open.js';

let device: Device;
const models: Record<string, FileStore> = {};
beforeAll(async () => {
  device = await openDevice();
  models.dit = await diffusersDiT(device);
  models.pixart = await diffusersPixArt(device);
  models.paris = await releasedParis(device);
});
afterAll(() => device.close());

const notices: string[] = [];
const load = (source: string | FileStore, options: LoadOptions = {}) => {
  notices.length = 0;
  return loadPipeline(source, { device, onNotice: (line) => notices.push(line), ...options });
};
/** Embeddings of width 6 that tell prompts apart. */
const promptEncoder: PromptEncoder = {
  encode: async (prompts) => ({
    kind: 'embeddings',
    tokens: device.tensor(
      Float32Array.from({ length: prompts.length * 12 }, (_, i) => Math.sin(i + prompts[Math.floor(i / 12)]!.length)),
      {
        shape: [prompts.length, 2, 6],
      },
    ) as Tensor,
  }),
};
const draw = async (source: string | FileStore, options: GenerateOptions, loading: LoadOptions = {}) => {
  const pipeline = await load(source, loading);
  const { images } = await pipeline.generate({ ...(!options.times && { steps: 2 }), seed: 4, ...options });
  await pipeline.close();
  return images[0]!;
};
/** The model with other files. */
async function changed(model: FileStore, files: Record<string, string | Uint8Array | undefined>): Promise<FileStore> {
  const store = memoryStore();
  for (const path of await model.list()) await store.write(path, await model.read(path));
  for (const [path, content] of Object.entries(files)) {
    if (content === undefined) await store.remove(path);
    else await store.write(path, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  }
  return store;
}

describe("a DiT in diffusers' form", () => {
  it('is loaded, and said in a line', async () => {
    const progress: LoadProgress[] = [];
    const pipeline = await load(models.dit!, { onProgress: (each) => progress.push(each) });
    expect(notices).toEqual([
      "the store is in diffusers' form (DiTPipeline): diffusers' DiT by transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight, " +
        '2 blocks of width 64, 3 classes; epsilon on ddpm-linear; codec autoencoder-kl.',
      'Its licence: cc-by-nc-4.0. It is for NonCommercial use only.',
    ]);
    expect(pipeline.index).toMatchObject({
      clusters: 1,
      latent: { channels: 4, height: 8, width: 8 },
      path: 'ddpm-linear',
      licence: 'cc-by-nc-4.0',
    });
    expect(pipeline.labels).toMatchObject({ classes: 3, names: ['tench', 'goldfish, carp', 'shark'] });
    expect(progress.at(-1)!.loadedBytes).toBe(progress.at(-1)!.totalBytes);
    const { images } = await pipeline.generate({ label: 'carp', steps: 2, seed: 4 });
    expect([images[0]!.width, images[0]!.height]).toEqual([16, 16]);
    await pipeline.close();
  });

  it('draws the same pictures once it is imported, in f16 nearly the same', async () => {
    const [out, small] = [memoryStore(), memoryStore()];
    const index = await importModel(models.dit!, out);
    expect(index).toMatchObject({ format: 'paris-model', codec: 'autoencoder-kl', licence: 'cc-by-nc-4.0' });
    expect(await out.list()).toEqual([
      'README.md',
      'codec/config.json',
      'codec/model.safetensors',
      'experts/00/config.json',
      'experts/00/model.safetensors',
      'model_index.json',
    ]);
    const foreign = await draw(models.dit!, { label: 1 });
    expect((await draw(out, { label: 1 })).data).toEqual(foreign.data);
    // Ours now, and still not for everybody.
    expect(notices).toEqual(['Its licence: cc-by-nc-4.0. It is for NonCommercial use only.']);
    expect((await draw(out, { label: 2 })).data).not.toEqual(foreign.data);
    await expect(importModel(models.dit!, small, { weights: 'q3' as 'q4' })).rejects.toThrow(
      '[importModel] weights is "q3". Give "f32" or "f16" or "q8" or "q4".',
    );
    await importModel(models.dit!, small, { weights: 'f16' });
    const path = 'experts/00/model.safetensors';
    expect((await small.size(path)) / (await out.size(path))).toBeLessThan(0.6);
    const rounded = await draw(small, { label: 1 });
    const difference = Math.max(...rounded.data.map((level, i) => Math.abs(level - foreign.data[i]!)));
    expect(difference).toBeLessThan(8);
  });

  it.each(['q8', 'q4'] as const)(
    'imported in %s draws what its packed numbers say, without unpacking them',
    async (weights) => {
      const [packed, plain] = [memoryStore(), memoryStore()];
      const index = await importModel(models.dit!, packed, { weights });
      expect(index.weights).toBe(weights);
      await importModel(models.dit!, plain, { weights: 'f16' });
      const path = 'experts/00/model.safetensors';
      const [words, half] = [parseSafetensors(await packed.read(path)), parseSafetensors(await plain.read(path))];
      // The same numbers, unpacked in plain JavaScript.
      const unpacked = Object.fromEntries(
        Object.entries(half).map(([name, tensor]) => {
          const [q, scale] = [words[`${name}.${weights}`], words[`${name}.scale`]];
          if (!q || !scale) return [name, tensor] as const;
          const bits = weights === 'q8' ? 8 : 4;
          const group = tensor.data.length / scale.data.length;
          const data = Float32Array.from(tensor.data, (_, i) => {
            const word = q.data[Math.floor((i * bits) / 32)]!;
            const above = 32 - bits - ((i * bits) % 32);
            return ((word << above) >> (32 - bits)) * scale.data[Math.floor(i / group)]!;
          });
          return [name, { ...tensor, dtype: 'f32', data }] as const;
        }),
      );
      expect(Object.keys(words).length - Object.keys(half).length).toBe(2 * 5); // in each block
      await plain.write(path, writeSafetensors(unpacked));
      const { files: _, ...description } = await importModel(models.dit!, memoryStore());
      await writeModelIndex(plain, description);

      const model = await loadModel(packed, { device });
      const words32 = flattenTree<Tensor>(model.experts[0]!.params).filter(({ value }) => value.dtype === 'u32');
      expect(words32.length).toBe(2 * 5);
      const { params } = model.experts[0]!;
      const held = flattenTree<Tensor>(params).reduce(
        (sum, { value }) => sum + value.size * dtypeBytes(value.dtype),
        0,
      );
      const networks = await readNetworks(packed, index, { experts: [dit], routers: [], codecs: [autoencoderKL] });
      expect(held).toBe(weightLoader(device, packed, 'f32').deviceBytes(networks.experts[0]!));
      await model.close();
      const drawn = await draw(packed, { label: 1 });
      expect(drawn.data).toEqual((await draw(plain, { label: 1 })).data);
      expect(drawn.data).not.toEqual((await draw(models.dit!, { label: 1 })).data);
      const ratio = (await packed.size(path)) / (await plain.size(path));
      expect(ratio).toBeLessThan(weights === 'q8' ? 0.5 : 0.4); // toy widths: much of it is embeddings
    },
  );

  it('is sampled on the noise and with the shift that its scheduler says, imported as well', async () => {
    const scheduler = (config: object) =>
      changed(models.dit!, { 'scheduler/scheduler_config.json': JSON.stringify(config) });
    const flow = await scheduler({ _class_name: 'FlowMatchEulerDiscreteScheduler', shift: 3 });
    const plain = await scheduler({ _class_name: 'FlowMatchEulerDiscreteScheduler' });
    const shifted = (await draw(flow, { label: 1, steps: 4 })).data;
    const times = Float64Array.from([1, 0.75, 0.5, 0.25, 0], (t) => (3 * t) / (1 + 2 * t));
    const expected = (await draw(plain, { label: 1, times })).data;
    expect(Math.max(...shifted.map((level, i) => Math.abs(level - expected[i]!)))).toBeLessThanOrEqual(1);
    const out = memoryStore();
    expect(await importModel(flow, out)).toMatchObject({ path: 'linear', shift: 3 });
    expect((await draw(out, { label: 1, steps: 4 })).data).toEqual(shifted);
    const zero = await scheduler({ rescale_betas_zero_snr: true, prediction_type: 'v_prediction' });
    const pictures = memoryStore();
    expect(await importModel(zero, pictures)).toMatchObject({ path: 'ddpm-linear:zero-snr' });
    const { data } = await draw(zero, { label: 1, steps: 4 });
    expect((await draw(pictures, { label: 1, steps: 4 })).data).toEqual(data);
    expect(new Set(data).size).toBeGreaterThan(10);
  });

  it.each(['q8', 'q4'] as const)('quantized in %s while it loads draws as if it was imported so', async (weights) => {
    const packed = memoryStore();
    await importModel(models.dit!, packed, { weights });
    const half = device.hasFeature('shader-f16');
    const imported = await draw(packed, { label: 1 }, { weights: half ? 'f16' : 'f32' });
    // Without f16 what is not quantized is not rounded to it while it loads: a level or two of difference.
    const isTheSame = ({ data }: { data: Uint8Array }) =>
      expect(Math.max(...data.map((level, i) => Math.abs(level - imported.data[i]!)))).toBeLessThanOrEqual(
        half ? 0 : 3,
      );
    isTheSame(await draw(models.dit!, { label: 1 }, { weights }));
    isTheSame(await draw(packed, { label: 1 }, { weights })); // quantized already
    const ours = memoryStore();
    await importModel(models.dit!, ours);
    isTheSame(await draw(ours, { label: 1 }, { weights }));
    const paris = await loadModel(models.paris!, { device, weights, onNotice: () => {} });
    expect(new Set(paris.experts.map(({ expert }) => expert)).size).toBe(1); // experts of one config share their plans
    await paris.close();
    // A budget in which f32 does not fit.
    const memoryBudgetBytes = 550_000;
    await expect(load(models.dit!, { memoryBudgetBytes })).rejects.toThrow('memoryBudgetBytes is 550000');
    isTheSame(await draw(models.dit!, { label: 1 }, { weights, memoryBudgetBytes }));
    const other = weights === 'q8' ? 'q4' : 'q8';
    await expect(load(packed, { weights: other })).rejects.toThrow(
      `[loadPipeline] weights is '${other}', and the model is stored in ${weights}. Leave weights out, or import the model again.`,
    );
  });

  it('is refused where it is not whole, or contradicts itself', async () => {
    const config = JSON.parse(new TextDecoder().decode(await models.dit!.read('transformer/config.json')));
    const scheduler = JSON.parse(new TextDecoder().decode(await models.dit!.read('scheduler/scheduler_config.json')));
    const shard = 'transformer/diffusion_pytorch_model-00001-of-00002.safetensors';
    const damaged = shard.replace('00001', '00002');
    const tensors = parseSafetensors(await models.dit!.read(damaged));
    const data = new Float32Array(64).fill(Number.NaN);
    const broken = { ...tensors, 'pos_embed.proj.bias': { ...tensors['pos_embed.proj.bias']!, data } };
    const cases: [Record<string, string | Uint8Array | undefined>, string][] = [
      [
        { 'transformer/config.json': JSON.stringify({ ...config, num_layers: 28, in_channels: 16 }) },
        'transformer/config.json contradicts transformer/diffusion_pytorch_model.safetensors.index.json: num_layers is 28, the weights have 2; in_channels is 16, the weights have 4.',
      ],
      [
        { 'transformer/config.json': JSON.stringify({ ...config, sample_size: undefined }) },
        'so the size of the latents is not known',
      ],
      [
        { 'scheduler/scheduler_config.json': JSON.stringify({ ...scheduler, beta_schedule: 'exponential' }) },
        'scheduler/scheduler_config.json: beta_schedule is "exponential", which is not read here.',
      ],
      [
        { 'scheduler/scheduler_config.json': JSON.stringify({ ...scheduler, prediction_type: 'score' }) },
        'prediction_type is "score"',
      ],
      [{ 'scheduler/scheduler_config.json': JSON.stringify({ ...scheduler, beta_end: 'x' }) }, 'beta_end is "x"'],
      [
        { [shard]: undefined },
        'it names files that are missing: "diffusion_pytorch_model-00001-of-00002.safetensors".',
      ],
      [{ [damaged]: writeSafetensors(broken) }, 'experts/00: NaN or infinity in patch_embed.bias.'],
      [
        { 'vae/config.json': undefined },
        "the experts' latents have 4 channels, and the model comes without an autoencoder.",
      ],
      [
        { 'vae/config.json': '{"_class_name":"VQModel"}' },
        'vae/config.json is that of "VQModel". Known: AutoencoderKL, AutoencoderTiny.',
      ],
      [
        { 'transformer/config.json': undefined },
        'there is a model_index.json of "DiTPipeline", and no transformer/ in the store.',
      ],
    ];
    for (const [files, message] of cases) {
      const failure = await load(await changed(models.dit!, files)).then(String, (error) => error);
      expect(failure).toBeInstanceOf(CheckpointError);
      expect(failure.message).toContain(message);
    }
    await expect(
      importModel(await changed(models.dit!, { [damaged]: writeSafetensors(broken) }), memoryStore()),
    ).rejects.toThrow('[import] experts/00: NaN or infinity in patch_embed.bias.');
    await expect(importModel(models.dit!, memoryStore({ x: '' }))).rejects.toThrow(
      '[import] the folder to write has files already.',
    );
  });
});

it('says all that is wrong with the weights of all networks in one error, and what nothing uses', async () => {
  const weights = 'vae/diffusion_pytorch_model.safetensors';
  const shard = 'transformer/diffusion_pytorch_model-00002-of-00002.safetensors';
  const index = 'transformer/diffusion_pytorch_model.safetensors.index.json';
  const vae = parseSafetensors(await models.dit!.read(weights));
  const { 'decoder.conv_in.bias': bias, ...others } = vae;
  const parts = parseSafetensors(await models.dit!.read(shard));
  const { 'pos_embed.proj.bias': place, ...rest } = parts;
  const { weight_map, ...more } = JSON.parse(new TextDecoder().decode(await models.dit!.read(index)));
  const { 'pos_embed.proj.bias': _, ...map } = weight_map;
  const wrong = await changed(models.dit!, {
    [weights]: writeSafetensors({ ...others, 'decoder.conv_out.bias': bias! }),
    [shard]: writeSafetensors(rest),
    [index]: JSON.stringify({ ...more, weight_map: map }),
  });
  const failure = await load(wrong).then(String, (error) => error);
  expect(failure).toBeInstanceOf(CheckpointError);
  expect(failure.message).toContain(`${index} does not fit the layout of diffusers' DiT: missing pos_embed.proj.bias.`);
  expect(failure.message).toContain(
    `${weights} does not fit the layout of AutoencoderKL: missing decoder.conv_in.bias;`,
  );
  expect(failure.message).toContain(`unfit decoder.conv_out.bias is [${bias!.shape}], not [3].`);

  const extra = { ...vae, 'loss.logvar': place!, 'quantize.embedding': place! };
  const odd = await changed(models.dit!, { [weights]: writeSafetensors(extra) });
  await (await load(odd)).close();
  expect(notices[0]).toContain('; not used: 2 tensors (loss.logvar, quantize.embedding) of codec.');
});

it("a PixArt in diffusers' form draws what a promptEncoder tells it", async () => {
  const red = await draw(models.pixart!, { prompt: 'red' }, { promptEncoder });
  expect(notices[0]).toContain(
    "diffusers' PixArt by adaln_single.linear.weight, 2 blocks of width 64, text of width 6; epsilon on ddpm-linear",
  );
  expect(red.width).toBe(16);
  expect((await draw(models.pixart!, { prompt: 'green apple' }, { promptEncoder })).data).not.toEqual(red.data);
  const pipeline = await load(models.pixart!);
  expect(notices[0]).toContain('no text side: T5EncoderModel is not read: give a promptEncoder.');
  await expect(pipeline.generate({ prompt: 'red' })).rejects.toThrow('this model has no text side');
  await pipeline.close();
});

it('a folder is read with the heads and the size that its config does not say', async () => {
  const path = 'transformer/config.json';
  const {
    num_attention_heads: _,
    sample_size: __,
    ...config
  } = JSON.parse(new TextDecoder().decode(await models.dit!.read(path))) as Record<string, unknown>;
  const bare = await changed(models.dit!, { [path]: JSON.stringify(config) });
  await expect(load(bare)).rejects.toThrow('Say it, as inputSize');
  await expect(load(bare, { foreign: { inputSize: 8 } })).rejects.toThrow('attention_head_dim is 32');
  const hints = { heads: 2, inputSize: 8 };
  const drawn = await draw(bare, { label: 1 }, { foreign: hints });
  expect(drawn.data).toEqual((await draw(models.dit!, { label: 1 })).data);
  const other = { heads: 1, inputSize: 16 }; // the config is believed
  expect((await draw(models.dit!, { label: 1 }, { foreign: other })).data).toEqual(drawn.data);
});

it('each model has a hash of its own, the same each time', async () => {
  const hashes: string[] = [];
  for (const source of [models.dit!, models.pixart!, models.dit!]) {
    const pipeline = await load(source, { promptEncoder });
    hashes.push(pipeline.modelHash);
    await pipeline.close();
  }
  expect(hashes[0]).not.toBe(hashes[1]);
  expect(hashes[0]).toBe(hashes[2]);
});

it("a folder's experts are those of the key", async () => {
  const files: Record<string, Uint8Array> = {};
  for (const k of [0, 1]) {
    const path = `expert_${k}/diffusion_pytorch_model.safetensors`;
    const tensors = Object.entries(parseSafetensors(await models.paris!.read(path)));
    const zero = tensors.map(([name, tensor]) => [`model.${name}`, { ...tensor, data: tensor.data.map(() => 0) }]);
    const average = tensors.map(([name, tensor]) => [`average.${name}`, tensor]);
    files[path] = writeSafetensors(Object.fromEntries([...zero, ...average]));
  }
  const both = await changed(models.paris!, files);
  const drawn = (key: string) => draw(both, { prompt: 'red' }, { promptEncoder, foreign: { key } });
  expect((await drawn('average')).data).toEqual((await draw(models.paris!, { prompt: 'red' }, { promptEncoder })).data);
  expect((await drawn('model')).data).not.toEqual((await drawn('average')).data);
  await expect(drawn('teacher')).rejects.toThrow('no tensor\'s name begins with "teacher."');
});

it('the released Paris is experts and a router', async () => {
  const pipeline = await load(models.paris!, { promptEncoder });
  expect(notices[0]).toContain('in the form of the released Paris: 2 × Paris by layers.0.attn.in_proj_weight');
  expect(pipeline.index).toMatchObject({ clusters: 2, path: 'linear', routing: 'top2', licence: 'mit' });
  const { routing, expertPictures } = await pipeline.generate({ prompt: 'red', steps: 2, seed: 4, sampler: 'ddim' });
  expect(expertPictures).toEqual([2, 2]);
  expect(routing[0]![0]!.probabilities).toHaveLength(2);
  await pipeline.close();
  const out = memoryStore();
  expect((await importModel(models.paris!, out)).files.map(({ path }) => path)).toContain('router/model.safetensors');
  expect((await draw(out, { prompt: 'red' }, { promptEncoder })).data).toEqual(
    (await draw(models.paris!, { prompt: 'red' }, { promptEncoder })).data,
  );
});

it('the released Paris draws the same with one expert on the device at a time', async () => {
  const options: GenerateOptions = { prompt: 'red', steps: 3, seed: 4, count: 2 };
  const whole = await load(models.paris!, { promptEncoder });
  const { images } = await whole.generate(options);
  await whole.close();
  const refused = await load(models.paris!, { promptEncoder, memoryBudgetBytes: 1 }).catch(String);
  const [, least] = /Give (\d+) or more/.exec(String(refused)) ?? [];
  const seen: LoadProgress[] = [];
  const control = new AbortController();
  const one = await load(models.paris!, {
    ...{ promptEncoder, memoryBudgetBytes: Number(least), signal: control.signal },
    onProgress: (progress) => seen.push(progress),
  });
  control.abort(); // ends nothing any more
  const drawn = await one.generate(options);
  expect(drawn.images.map(({ data }) => data)).toEqual(images.map(({ data }) => data));
  // Each step begins with the expert that the step before ended with.
  expect(one.residency).toMatchObject({ loads: 4, evictions: 3 });
  expect(seen.at(-1)!.loadedBytes).toBe(seen.at(-1)!.totalBytes); // each counts once
  await one.close();
});

describe('a file of weights', () => {
  const file = fileURLToPath(new URL('../../../files/fixtures/checkpoint/dit.pt', import.meta.url));

  it("is loaded by its path, with a training's average", async () => {
    const pipeline = await load(file, { foreign: { heads: 2 } });
    expect(notices[0]).toContain(
      'dit.pt is in a file of weights (PyTorch, its ema): facebookresearch/DiT by y_embedder.embedding_table.weight',
    );
    expect(pipeline.index).toMatchObject({
      codec: 'identity',
      latent: { channels: 3, height: 4, width: 4 },
      licence: 'not stated by its source',
    });
    const average = (await pipeline.generate({ label: 1, steps: 3, seed: 2 })).images[0]!.data;
    await pipeline.close();
    expect(
      (await draw(file, { label: 1, steps: 3, seed: 2 }, { foreign: { heads: 2, key: 'model' } })).data,
    ).not.toEqual(average);
  });

  it('gives what its network says at the integer step, on the path of its betas', async () => {
    const bytes = await readFile(file);
    const checkpoint = await openCheckpoint(memoryStore({ f: bytes }), 'f');
    const theirs: Record<string, StateDict[string]> = {};
    for await (const [name, tensor] of checkpoint.stream()) theirs[name] = tensor;
    const config = parseDiTConfig({
      ...{
        inputSize: 4,
        channels: 3,
        patchSize: 2,
        hiddenSize: 8,
        depth: 1,
        heads: 2,
        modulation: 'zero',
        learnSigma: true,
      },
      ...{ layerNormEps: 1e-6, timeScale: 999, timeRounding: 'nearest', condition: { kind: 'label', classes: 2 } },
    });
    const ours = fromStateDict(facebookLayout, ditParameterShapes(config), theirs);
    const params = unflattenTree(
      Object.entries(ours).map(([path, { data, shape }]) => ({
        path,
        value: device.tensor(data as Float32Array, { shape }),
      })),
    ) as unknown as DiTParams;
    const model = await loadModel(file, { device, foreign: { heads: 2 }, onNotice: () => {} });
    expect(model.path.name).toBe(ddpmPath({ betas: 'linear' }).name);
    const input = {
      latents: device.tensor(
        Float32Array.from({ length: 48 }, (_, i) => Math.cos(i)),
        { shape: [1, 3, 4, 4] },
      ) as Tensor,
      time: device.tensor(Float32Array.of(500 / 999)) as Tensor,
      condition: { kind: 'label', label: device.tensor(Uint32Array.of(1), { dtype: 'u32' }) } as never,
    };
    const { expert, params: loaded } = model.experts[0]!;
    const expected = await createDiT(config).apply(params, input).read();
    expect(await expert.apply(loaded, input).read()).toEqual(expected);
    expect(Math.max(...expected)).toBeGreaterThan(0.1);
    await model.close();
  });

  it('that is no model of a known layout says what it begins with', async () => {
    const bytes = writeSafetensors({ 'conv.weight': { data: new Float32Array(2), shape: [2], dtype: 'f32' } });
    const store = await changed(models.dit!, {
      'transformer/diffusion_pytorch_model.safetensors.index.json': undefined,
      'transformer/diffusion_pytorch_model.safetensors': bytes,
    });
    await expect(load(store)).rejects.toThrow(
      "transformer/diffusion_pytorch_model.safetensors is of no known layout (DiT, PixArt, diffusers' of both, and Paris). It begins with conv.weight.",
    );
  });
});

it('a model of a hub is downloaded once, with the token, and then needs no server', async () => {
  const bytes = new Map<string, Uint8Array>();
  for (const path of await models.dit!.list()) bytes.set(`/me/toy/resolve/main/${path}`, await models.dit!.read(path));
  const tokens = new Set<string | undefined>();
  const answer = serveFiles(bytes, () => ({ ranges: true, tag: '"1"' }));
  const server = createServer((request, response) => {
    tokens.add(request.headers.authorization);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cache = await mkdtemp(join(tmpdir(), 'paris-hub-'));
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('HF_TOKEN', 'hf_secret');
  vi.stubEnv('PARIS_CACHE', cache);
  try {
    const online = await draw('hf:me/toy', { label: 1 });
    expect(notices[0]).toContain("hf:me/toy is in diffusers' form");
    expect([...tokens]).toEqual(['Bearer hf_secret']);
    server.closeAllConnections();
    server.close();
    vi.stubEnv('HF_TOKEN', '');
    expect((await draw('hf:me/toy', { label: 1 })).data).toEqual(online.data);
    expect(online.data).toEqual((await draw(models.dit!, { label: 1 })).data);
  } finally {
    vi.unstubAllEnvs();
    server.close();
    await rm(cache, { recursive: true });
  }
});

/** What is asked of a server with these files while something is done with its address. */
async function asked(files: Record<string, Uint8Array>, act: (address: string) => Promise<void>): Promise<Set<string>> {
  const urls = new Set<string>();
  const answer = serveFiles(new Map(Object.entries(files)), () => ({ ranges: true, tag: '"1"' }));
  const server = createServer((request, response) => {
    urls.add(request.url!);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
  return urls;
}

describe('a file of weights on a server', () => {
  const path = fileURLToPath(new URL('../../../files/fixtures/checkpoint/dit.pt', import.meta.url));

  it('has the query of its address, which no line shows', async () => {
    const urls = await asked({ '/a/model.pt': await readFile(path) }, async (address) => {
      await draw(`${address}/a/model.pt?X-Amz-Signature=s/1.x`, { label: 1 }, { foreign: { heads: 2 }, cache: false });
      expect(notices[0]).toContain('/a/model.pt is in a file of weights');
      expect(notices.join()).not.toContain('Amz');
    });
    expect(urls).toContain('/a/model.pt?X-Amz-Signature=s/1.x');
    expect([...urls].filter((url) => !url.endsWith('?X-Amz-Signature=s/1.x'))).toEqual([]);
  });

  it('may be of a revision of a hub with slashes', async () => {
    const urls = await asked({ '/o/n/resolve/refs/pr/3/a/model.pt': await readFile(path) }, async (address) => {
      vi.stubEnv('HF_ENDPOINT', address);
      const loading = { foreign: { heads: 2 }, cache: false } as const;
      await draw('hf:o/n@refs/pr/3/a/model.pt', { label: 1 }, loading).finally(() => vi.unstubAllEnvs());
    });
    expect(urls).toContain('/o/n/resolve/refs%2Fpr%2F3/a/model.pt');
  });
});

it('a variable HF_ENDPOINT that is empty names no other hub', async () => {
  vi.stubEnv('HF_ENDPOINT', '');
  const ask = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('fetch failed'));
  try {
    await expect(draw('hf:o/n', { label: 1 }, { cache: false })).rejects.toThrow(
      'could not be fetched from https://huggingface.co/o/n/resolve/main/.',
    );
  } finally {
    ask.mockRestore();
    vi.unstubAllEnvs();
  }
});

describe('folders that are damaged', () => {
  const count = Math.ceil(mutantCount / 5);
  it.each([
    'model_index.json',
    'transformer/config.json',
    'scheduler/scheduler_config.json',
    'vae/config.json',
    'README.md',
  ])('%s: the model is recognised or refused in a sentence', { timeout: 3_600_000 }, async (path) => {
    const original = await models.dit!.read(path);
    const outcome = { recognised: 0, refused: 0 };
    for (const [seed, bytes] of mutantsOf(original, count).entries()) {
      const opening = openForeign(await changed(models.dit!, { [path]: bytes }), 'the store', {});
      const failure = await opening.then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure !== undefined) expect(failure, `mutant ${seed}`).toBeInstanceOf(ParisError);
      outcome[failure === undefined ? 'recognised' : 'refused']++;
    }
    expect(outcome.recognised + outcome.refused).toBe(count);
    expect(outcome[path === 'README.md' ? 'recognised' : 'refused']).toBeGreaterThan(0);
  });

  it('sizes that are claimed and not stored are believed up to a limit', async () => {
    const config = JSON.parse(new TextDecoder().decode(await models.dit!.read('transformer/config.json')));
    for (const sample_size of [8192, 2 ** 20, 2 ** 31, 2 ** 53, 1e300, -8, 7.5]) {
      const store = await changed(models.dit!, {
        'transformer/config.json': JSON.stringify({ ...config, sample_size }),
      });
      const failure = await load(store).then(String, (error) => error);
      expect(failure, String(sample_size)).toBeInstanceOf(ParisError);
    }
  });
});

it('a model of ours is no source of an import, and is told so', async () => {
  const ours = memoryStore();
  await importModel(models.dit!, ours);
  const again = importModel(ours, memoryStore(), { weights: 'q4' });
  await expect(again).rejects.toThrow(
    '[loadPipeline] the store is a model folder of Paris already. It needs no import:',
  );
});

it('names that are no source are refused', async () => {
  await expect(load('hf:nobody')).rejects.toThrow(
    '[loadPipeline] "hf:nobody" is no model of a hub. Write hf:owner/name.',
  );
  await expect(load('ftp://example.org/model.pt')).rejects.toThrow('ftp:// is not read.');
});
