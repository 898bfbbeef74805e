// A model in latent space, whole: a toy AutoencoderKL, a toy CLIP, two experts and a router, in a folder.
import { readFileSync } from 'node:fs';
import { createDiT, parseDiTConfig } from '@paris/dit';
import {
  createAutoencoderKL,
  createTinyAutoencoder,
  parseAutoencoderKLConfig,
  parseTinyAutoencoderConfig,
} from '@paris/encoders/autoencoder';
import { clipTextParameterShapes, parseClipTextConfig } from '@paris/encoders/clip';
import { encodeJson, type FileStore, memoryStore } from '@paris/files';
import { parseSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { writeModelIndex } from '@paris/model';
import { createRouter, parseRouterConfig } from '@paris/router';
import { type Device, key, openDevice, type Tensor, zeros } from '@paris/tensor';
import { saidBy } from '@paris/test-tools/said';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedCodec, pictureDecoder } from '../images/decode-latents.js';
import { type LoadOptions, type LoadProgress, loadPipeline } from './load.js';
import { weightsFile } from './model.testing.js';

const latent = { channels: 4, height: 4, width: 4 };
const sizes = { inputSize: 4, channels: 4, patchSize: 2, hiddenSize: 8, depth: 1, heads: 2 };
const expert = { architecture: 'dit', ...sizes, condition: { kind: 'embeddings', width: 8 } };
const router = { architecture: 'router-transformer', ...sizes, clusters: 2 };
const codec = { architecture: 'autoencoder-kl', block_out_channels: [2, 4], norm_num_groups: 2, latent_channels: 4 };
const text = {
  ...{ architecture: 'clip', vocab_size: 812, eos_token_id: 811, hidden_size: 8, intermediate_size: 16 },
  ...{ num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 12 },
};

// The cut vocabulary of @paris/encoders' own tests.
const { tokens, merges } = JSON.parse(
  readFileSync(new URL('../../../encoders/fixtures/tokens.json', import.meta.url), 'utf8'),
) as { tokens: string[]; merges: string[] };

let device: Device;
let files: Record<string, Uint8Array>;
beforeAll(async () => {
  device = await openDevice();
  const zeroed = (shapes: Readonly<Record<string, readonly number[]>>) =>
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, zeros(shape)]));
  const [dit, kl] = [createDiT(parseDiTConfig(expert)), createAutoencoderKL(parseAutoencoderKLConfig(codec))];
  const parts: [folder: string, config: object, params: unknown][] = [
    ['experts/00', expert, dit.init(key(0))],
    ['experts/01', expert, dit.init(key(1))],
    ['router', router, createRouter(parseRouterConfig(router)).init(key(2))],
    ['codec', codec, kl.init(key(3))],
    ['text', text, zeroed(clipTextParameterShapes(parseClipTextConfig(text)))],
  ];
  files = {
    'text/vocab.json': encodeJson(Object.fromEntries(tokens.map((token, i) => [token, i]))),
    'text/merges.txt': new TextEncoder().encode(`#version: 0.2\n${merges.join('\n')}\n`),
  };
  for (const [i, [folder, config, params]] of parts.entries()) {
    files[`${folder}/config.json`] = encodeJson(config);
    files[`${folder}/model.safetensors`] = await weightsFile(device, params, i);
  }
});
afterAll(() => device.close());

/** The model with some files changed, under an index that fits them. */
async function model(changed: Record<string, Uint8Array> = {}): Promise<FileStore> {
  const store = memoryStore({ ...files, ...changed });
  await writeModelIndex(store, { clusters: 2, latent, codec: 'autoencoder-kl', licence: 'MIT' });
  return store;
}

describe('a pipeline in latent space', () => {
  it('reads prompts with CLIP, routes experts over latents and decodes pictures', async () => {
    const pipeline = await loadPipeline(await model(), { device });
    const options = { seed: 3, steps: 2, guidance: 3 };
    const { images, routing } = await pipeline.generate({ ...options, prompts: ['a cat', 'the inn 😀'] });
    await pipeline.close();
    expect(images.map(({ width, height }) => [width, height])).toEqual([
      [8, 8],
      [8, 8],
    ]);
    expect(routing[0]![0]!.probabilities).toHaveLength(2);
    const same = await loadPipeline(await model(), { device });
    const [alone] = (await same.generate({ ...options, prompt: 'a cat' })).images;
    const [other] = (await same.generate({ ...options, prompt: 'the inn' })).images;
    await same.close();
    expect(alone!.data).toEqual(images[0]!.data);
    expect(other!.data).not.toEqual(alone!.data);
  });

  it('counts bytes up to the total, the text side among them unless a promptEncoder stands in for it', async () => {
    const store = await model();
    const bytesOf = async (more: LoadOptions) => {
      const seen: LoadProgress[] = [];
      await (await loadPipeline(store, { device, onProgress: (each) => void seen.push(each), ...more })).close();
      expect(seen.at(-1)!.loadedBytes).toBe(seen.at(-1)!.totalBytes);
      return seen.at(-1)!.totalBytes;
    };
    const promptEncoder = { encode: () => Promise.reject(new Error('not asked')) };
    const textBytes = files['text/model.safetensors']!.length;
    expect((await bytesOf({})) - (await bytesOf({ promptEncoder }))).toBe(textBytes);
  });

  it('pictures are what the codec decodes of the last latents', async () => {
    const pipeline = await loadPipeline(await model(), { device });
    const previews: Uint8Array[] = [];
    const { images } = await pipeline.generate({
      ...{ seed: 5, steps: 3, count: 2 },
      onStep: async ({ preview }) => void previews.push((await preview())[0]!.data as unknown as Uint8Array),
    });
    await pipeline.close();
    expect(previews).toHaveLength(3);
    // At the last step, of which nothing is noise, x̂₀ are the latents.
    const difference = images[0]!.data.map((value, i) => Math.abs(value - previews[2]![i]!));
    expect(Math.max(...difference)).toBeLessThanOrEqual(1);
    expect(previews[0]).not.toEqual(previews[2]);
  });

  it('refuses weights of a format that there is not', async () => {
    await expect(loadPipeline(await model(), { device, weights: 'q3' as 'q4' })).rejects.toThrow(
      '[loadPipeline] weights is "q3". Give "f32" or "f16" or "q8" or "q4".',
    );
  });

  it('refuses a preview of another kind, which would be decoded in full', async () => {
    const pipeline = await loadPipeline(await model(), { device });
    const drawing = pipeline.generate({
      ...{ seed: 5, steps: 2 },
      onStep: async ({ preview }) => void (await preview('project' as 'projection')),
    });
    await expect(drawing).rejects.toThrow('[preview] the tier is "project". Give "full" or "projection".');
    await pipeline.close();
  });

  it('previews by a decoder that it is given, such as a tiny autoencoder of the same latents', async () => {
    const blocks = { encoder_block_out_channels: [2, 2], decoder_block_out_channels: [2, 2] };
    const counts = { num_encoder_blocks: [1, 1], num_decoder_blocks: [1, 1] };
    const codec = createTinyAutoencoder(parseTinyAutoencoderConfig({ ...blocks, ...counts, latent_channels: 4 }));
    const params = codec.init(key(8));
    await device.run(params);
    const tiny = pictureDecoder(device, { codec, params } as unknown as LoadedCodec);
    const pipeline = await loadPipeline(await model(), { device });
    const seen: { tiny: Uint8Array; exact: Uint8Array; size: number }[] = [];
    await pipeline.generate({
      ...{ seed: 5, steps: 2 },
      onStep: async ({ preview }) => {
        const [own, exact] = [(await preview(tiny))[0]!, (await preview())[0]!];
        seen.push({ tiny: own.data, exact: exact.data, size: own.width });
      },
    });
    await pipeline.close();
    expect(seen.map(({ size }) => size)).toEqual([8, 8]);
    expect(seen[0]!.tiny).not.toEqual(seen[1]!.tiny);
    expect(seen[1]!.tiny).not.toEqual(seen[1]!.exact);
  });
});

describe('refuses, before anything is uploaded', () => {
  const refusal = async (changed: Record<string, Uint8Array>) => {
    const store = await model(changed);
    const { bytesAllocated } = device.counters;
    const said = await saidBy(() => loadPipeline(store, { device }));
    return { said, uploaded: device.counters.bytesAllocated - bytesAllocated };
  };
  const fresh = async (config: object) => {
    const params = createAutoencoderKL(parseAutoencoderKLConfig(config)).init(key(3));
    return {
      'codec/config.json': encodeJson(config),
      'codec/model.safetensors': await weightsFile(device, params as unknown as Record<string, Tensor>, 3),
    };
  };

  it('a codec of other channels than the experts', async () => {
    const { said, uploaded } = await refusal(await fresh({ ...codec, latent_channels: 8 }));
    expect(said).toMatchInlineSnapshot(
      `"CheckpointError: [loadPipeline] the model does not fit together. codec: [autoencoder-kl] latents must be [B, 8, h, w], got [1, 4, 4, 4]."`,
    );
    expect(uploaded).toBe(0);
  });

  it('a text encoder of another width than the experts', async () => {
    const narrow = { ...expert, condition: { kind: 'embeddings', width: 6 } };
    const params = createDiT(parseDiTConfig(narrow)).init(key(0));
    const file = await weightsFile(device, params, 0);
    const changed = ['00', '01'].flatMap((k) => [
      [`experts/${k}/config.json`, encodeJson(narrow)] as const,
      [`experts/${k}/model.safetensors`, file] as const,
    ]);
    expect((await refusal(Object.fromEntries(changed))).said).toMatchInlineSnapshot(
      `"CheckpointError: [loadPipeline] the model does not fit together. experts/00 does not take the text side's embeddings [1, 12, 8]: [linear] the weight is [out, in] and in must be the last size of x: x is [1,12,8], the weight [8,6]."`,
    );
  });

  it('a tokenizer of another vocabulary', async () => {
    const cut = Object.fromEntries([...tokens.slice(0, 512), ...tokens.slice(-2)].map((token, i) => [token, i]));
    const changed = {
      'text/vocab.json': encodeJson(cut),
      'text/merges.txt': new TextEncoder().encode('#version: 0.2\n'),
    };
    expect((await refusal(changed)).said).toMatchInlineSnapshot(
      `"ValueError: [clip] the tokenizer is of another vocabulary: its end mark is 513, the text encoder's eos_token_id 811. Give the tokenizer that the text encoder was trained with."`,
    );
  });

  it('configs that contradict the tensors, or themselves', async () => {
    const contradiction = encodeJson({ ...codec, block_out_channels: [2, 4, 4] });
    expect((await refusal({ 'codec/config.json': contradiction })).said).toMatchInlineSnapshot(
      `"CheckpointError: [loadPipeline] the model does not fit together. codec: missing decoder.up_blocks.1.upsamplers.0.conv.bias, decoder.up_blocks.1.upsamplers.0.conv.weight, decoder.up_blocks.2.resnets.0.conv1.bias, decoder.up_blocks.2.resnets.0.conv1.weight, decoder.up_blocks.2.resnets.0.conv2.bias, decoder.up_blocks.2.resnets.0.conv2.weight, decoder.up_blocks.2.resnets.0.conv_shortcut.bias, decoder.up_blocks.2.resnets.0.conv_shortcut.weight and 22 more; codec: unexpected decoder.up_blocks.1.resnets.0.conv_shortcut.bias, decoder.up_blocks.1.resnets.0.conv_shortcut.weight; codec: wrong shapes: decoder.up_blocks.1.resnets.0.conv1.bias is [2], not [4], decoder.up_blocks.1.resnets.0.conv1.weight is [2, 4, 3, 3], not [4, 4, 3, 3], decoder.up_blocks.1.resnets.0.conv2.bias is [2], not [4], decoder.up_blocks.1.resnets.0.conv2.weight is [2, 2, 3, 3], not [4, 4, 3, 3], decoder.up_blocks.1.resnets.0.norm2.bias is [2], not [4], decoder.up_blocks.1.resnets.0.norm2.weight is [2], not [4], decoder.up_blocks.1.resnets.1.conv1.bias is [2], not [4], decoder.up_blocks.1.resnets.1.conv1.weight is [2, 2, 3, 3], not [4, 4, 3, 3] and 6 more."`,
    );
    const wrong = encodeJson({ ...codec, block_out_channels: [3, 4], scaling_factor: 0, act_fn: 'relu' });
    expect((await refusal({ 'codec/config.json': wrong })).said).toMatchInlineSnapshot(
      `"ConfigError: [autoencoder-kl] the config does not describe an AutoencoderKL: scaling_factor must be more than 0, got 0; act_fn must be "silu", got "relu"."`,
    );
    const uneven = encodeJson({ ...codec, block_out_channels: [3, 4] });
    expect((await refusal({ 'codec/config.json': uneven })).said).toMatchInlineSnapshot(
      `"ConfigError: [autoencoder-kl] the config does not describe an AutoencoderKL: block_out_channels has 3, no multiple of norm_num_groups 2."`,
    );
    const shallow = encodeJson({ ...text, num_hidden_layers: 0, hidden_act: 'relu' });
    expect((await refusal({ 'text/config.json': shallow })).said).toMatchInlineSnapshot(
      `"ConfigError: [clip] the config does not describe a CLIP text encoder: num_hidden_layers must be 1 or more, got 0; hidden_act must be "quick_gelu" or "gelu", got "relu"."`,
    );
    const deep = encodeJson({ ...text, num_hidden_layers: 2 });
    expect((await refusal({ 'text/config.json': deep })).said).toMatchInlineSnapshot(
      `"CheckpointError: [loadPipeline] the model does not fit together. text: missing text_model.encoder.layers.1.layer_norm1.bias, text_model.encoder.layers.1.layer_norm1.weight, text_model.encoder.layers.1.layer_norm2.bias, text_model.encoder.layers.1.layer_norm2.weight, text_model.encoder.layers.1.mlp.fc1.bias, text_model.encoder.layers.1.mlp.fc1.weight, text_model.encoder.layers.1.mlp.fc2.bias, text_model.encoder.layers.1.mlp.fc2.weight and 8 more."`,
    );
  });

  it('weights that are not finite', async () => {
    for (const part of ['codec', 'text']) {
      const tensors = parseSafetensors(files[`${part}/model.safetensors`]!);
      const [name, first] = Object.entries(tensors)[3]!;
      const data = Float32Array.from(first.data as Float32Array);
      data[1] = Number.NaN;
      const broken = writeSafetensors({ ...tensors, [name]: { ...first, data } });
      const { said } = await refusal({ [`${part}/model.safetensors`]: broken });
      expect(said).toBe(
        `CheckpointError: [loadPipeline] ${part}: NaN or infinity in ${name}. Train it again, or from an earlier checkpoint.`,
      );
    }
  });
});
