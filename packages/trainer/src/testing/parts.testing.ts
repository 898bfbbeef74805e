// Frozen parts at toy size: a codec and a text encoder with drawn weights, as folders that `--codec` and `--text` take; and
// pictures on disk to encode with them.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAutoencoderKL, parseAutoencoderKLConfig } from '@paris/encoders/autoencoder';
import { clipTokenizer, createClipText, parseClipTextConfig } from '@paris/encoders/clip';
import { encodeJson, type FileStore, memoryStore } from '@paris/files';
import { type Device, hostUniform, key } from '@paris/tensor';
import { encode } from 'fast-png';
import { weightsFile } from '../../../sampler/src/pipeline/model.testing.js';
import type { PartFolder } from '../encode/parts.js';

const codecConfig = {
  ...{ architecture: 'autoencoder-kl', block_out_channels: [4, 8], norm_num_groups: 2, latent_channels: 4 },
  ...{ scaling_factor: 2 },
};
const textConfig = {
  ...{ architecture: 'clip', vocab_size: 812, eos_token_id: 811, hidden_size: 8, intermediate_size: 16 },
  ...{ num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 8 },
};

/** Latents of [4, S/2, S/2]; another seed is another codec. */
export async function toyCodec(
  device: Device,
  seed = 1,
  change: object = {},
): Promise<PartFolder & { store: FileStore }> {
  const config = { ...codecConfig, ...change };
  const params = createAutoencoderKL(parseAutoencoderKLConfig(config)).init(key(seed));
  return partFolder('codec', config, await weightsFile(device, params, seed));
}

/** Features of [8, 8]; `hidden_size` makes them wider. */
export async function toyText(
  device: Device,
  seed = 1,
  change: object = {},
): Promise<PartFolder & { store: FileStore }> {
  const config = { ...textConfig, ...change };
  const url = new URL('../../../encoders/fixtures/tokens.json', import.meta.url);
  const { tokens, merges } = JSON.parse(await readFile(url, 'utf8')) as { tokens: string[]; merges: string[] };
  const tokenizer = {
    'vocab.json': encodeJson(Object.fromEntries(tokens.map((token, i) => [token, i]))),
    'merges.txt': new TextEncoder().encode(`#version: 0.2\n${merges.join('\n')}\n`),
  };
  const encoder = createClipText(parseClipTextConfig(config), clipTokenizer(tokenizer));
  return partFolder('text', config, await weightsFile(device, encoder.init(key(seed)), seed), tokenizer);
}

async function partFolder(folder: string, config: object, weights: Uint8Array, more: Record<string, Uint8Array> = {}) {
  const store = memoryStore();
  const files = { 'config.json': encodeJson(config), 'model.safetensors': weights, ...more };
  for (const [name, bytes] of Object.entries(files)) await store.write(`${folder}/${name}`, bytes);
  return { store, folder };
}

const toyColours = ['red', 'green', 'blue'];

/** `perColour` PNGs of each colour, 8 × 8, with a bright square somewhere, and captions.csv with captions and categories. */
export async function writeToyPictures(folder: string, perColour = 8): Promise<void> {
  await mkdir(folder, { recursive: true });
  const rows = ['file,caption,category'];
  for (const [c, colour] of toyColours.entries()) {
    const draws = hostUniform(key(7).foldIn(c), 3 * perColour);
    for (let i = 0; i < perColour; i++) {
      const [x, y, level] = [0, 1, 2].map((j) => draws[3 * i + j]!) as [number, number, number];
      const data = new Uint8Array(3 * 64).fill(20);
      for (let at = 0; at < 64; at++) {
        const [dx, dy] = [(at % 8) - Math.floor(5 * x), Math.floor(at / 8) - Math.floor(5 * y)];
        data[3 * at + c] = dx >= 0 && dx < 3 && dy >= 0 && dy < 3 ? 255 : 100 + Math.floor(100 * level);
      }
      const name = `${colour}-${i}.png`;
      await writeFile(join(folder, name), encode({ width: 8, height: 8, channels: 3, data }));
      rows.push(`${name},a ${colour} cat,${colour}`);
    }
  }
  await writeFile(join(folder, 'captions.csv'), `${rows.join('\n')}\n`);
}
