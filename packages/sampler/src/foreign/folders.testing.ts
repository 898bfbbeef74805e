// Toy models in the forms of others: their whole structure, at widths of a few numbers.
import { createDiT, diffusersDiTLayout, diffusersPixArtLayout, parseDiTConfig } from '@paris/dit';
import { createAutoencoderKL, parseAutoencoderKLConfig } from '@paris/encoders/autoencoder';
import { type FileStore, memoryStore } from '@paris/files';
import { type HostTensor, parseSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { type KeyMap, toStateDict } from '@paris/model';
import { createRouter, parseRouterConfig } from '@paris/router';
import { type Device, key } from '@paris/tensor';
import { weightsFile } from '../pipeline/model.testing.js';

type Weights = Record<string, HostTensor>;
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const sizes = { inputSize: 8, channels: 4, patchSize: 2, hiddenSize: 64, depth: 2, heads: 2 };

const vae = {
  _class_name: 'AutoencoderKL',
  block_out_channels: [4, 8],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  norm_num_groups: 2,
  latent_channels: 4,
};

/** What `networks` are in a folder of diffusers. */
const transformer = {
  num_attention_heads: 2,
  attention_head_dim: 32,
  in_channels: 4,
  out_channels: 8,
  num_layers: 2,
  sample_size: 8,
  patch_size: 2,
};
const scheduler = {
  _class_name: 'DDIMScheduler',
  beta_start: 0.0001,
  beta_end: 0.02,
  beta_schedule: 'linear',
  num_train_timesteps: 1000,
  prediction_type: 'epsilon',
};
const card = (licence: string) => new TextEncoder().encode(`---\nlicense: ${licence}\ntags:\n- toy\n---\n# A toy\n`);

async function weights(device: Device, params: unknown, seed: number): Promise<Weights> {
  return parseSafetensors(await weightsFile(device, params, seed));
}

async function writeCodec(device: Device, store: FileStore): Promise<void> {
  await store.write('vae/config.json', json(vae));
  const params = createAutoencoderKL(parseAutoencoderKLConfig(vae)).init(key(5));
  await store.write('vae/diffusion_pytorch_model.safetensors', await weightsFile(device, params, 5));
}

/** A DiT as diffusers writes it: in two shards, a copy of the embeddings in every block, no positions. */
export async function diffusersDiT(device: Device): Promise<FileStore> {
  const config = parseDiTConfig({
    ...sizes,
    modulation: 'zero',
    learnSigma: true,
    condition: { kind: 'label', classes: 3 },
  });
  const store = await diffusersFolder(
    device,
    diffusersDiTLayout,
    await weights(device, createDiT(config).init(key(1)), 1),
  );
  await store.write(
    'model_index.json',
    json({ _class_name: 'DiTPipeline', id2label: { 0: 'tench', 1: 'goldfish, carp', 2: 'shark' } }),
  );
  await store.write(
    'transformer/config.json',
    json({ ...transformer, _class_name: 'DiTTransformer2DModel', num_embeds_ada_norm: 3 }),
  );
  await store.write('README.md', card('cc-by-nc-4.0'));
  return store;
}

/** A PixArt as diffusers writes it, whose text encoder is none of ours. */
export async function diffusersPixArt(device: Device): Promise<FileStore> {
  const config = parseDiTConfig({
    ...sizes,
    textProjection: 'mlp',
    learnSigma: true,
    condition: { kind: 'embeddings', width: 6 },
  });
  const store = await diffusersFolder(
    device,
    diffusersPixArtLayout,
    await weights(device, createDiT(config).init(key(2)), 2),
  );
  await store.write('model_index.json', json({ _class_name: 'PixArtAlphaPipeline' }));
  await store.write(
    'transformer/config.json',
    json({ ...transformer, _class_name: 'PixArtTransformer2DModel', caption_channels: 6 }),
  );
  await store.write('text_encoder/config.json', json({ architectures: ['T5EncoderModel'] }));
  await store.write('README.md', card('openrail++'));
  return store;
}

async function diffusersFolder(device: Device, layout: KeyMap, { pos_embed: _, ...ours }: Weights): Promise<FileStore> {
  const theirs = toStateDict(layout, ours);
  for (const [name, tensor] of Object.entries(theirs)) {
    if (name.startsWith('transformer_blocks.0.norm1.emb.')) theirs[name.replace('.0.', '.1.')] = tensor;
  }
  const names = Object.keys(theirs);
  const half = Math.floor(names.length / 2);
  const store = memoryStore();
  const map: Record<string, string> = {};
  for (const [i, part] of [names.slice(0, half), names.slice(half)].entries()) {
    const file = `diffusion_pytorch_model-0000${i + 1}-of-00002.safetensors`;
    await store.write(
      `transformer/${file}`,
      writeSafetensors(Object.fromEntries(part.map((name) => [name, theirs[name]!]))),
    );
    for (const name of part) map[name] = file;
  }
  await store.write(
    'transformer/diffusion_pytorch_model.safetensors.index.json',
    json({ metadata: {}, weight_map: map }),
  );
  await store.write('scheduler/scheduler_config.json', json(scheduler));
  await writeCodec(device, store);
  return store;
}

/** Two experts and a router, as Paris was released. */
export async function releasedParis(device: Device): Promise<FileStore> {
  const store = memoryStore();
  const config = parseDiTConfig({ ...sizes, condition: { kind: 'embeddings', width: 6 } });
  for (const k of [0, 1]) {
    await store.write(`expert_${k}/config.json`, json({ num_layers: 2 }));
    const file = await weightsFile(device, createDiT(config).init(key(k)), k);
    await store.write(`expert_${k}/diffusion_pytorch_model.safetensors`, file);
  }
  const router = createRouter(parseRouterConfig({ ...sizes, heads: 1, clusters: 2 }));
  await store.write('router/pytorch_model.safetensors', await weightsFile(device, router.init(key(9)), 9));
  await store.write('model_index.json', json({ _class_name: 'DDMPipeline' }));
  await store.write('README.md', card('mit'));
  await writeCodec(device, store);
  return store;
}
