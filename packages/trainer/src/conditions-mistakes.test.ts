// What is answered where a codec, a text encoder, classes or an expert do not fit the data, or each other. Read them aloud.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPartition, writePartition } from '@paris/clustering';
import { dit } from '@paris/dit';
import { encodeJson, type FileStore, memoryStore } from '@paris/files';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { saidBy } from '@paris/test-tools/said';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AssembleOptions,
  assemble,
  ditConfig,
  evaluate,
  loadCodec,
  loadTextEncoder,
  mergeData,
  partitionData,
  type TrainExpertOptions,
  trainExpert,
} from './index.js';
import { type PrepareOptions, prepare } from './node/index.js';
import { toyCodec, toyText, writeToyPictures } from './testing/parts.testing.js';

let device: Device;
let folder: string;
let data: FileStore;
let pixels: FileStore;
let runs: FileStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-mistakes-'));
  await writeToyPictures(folder, 3);
  const opened = await openDevice().catch(() => undefined);
  if (!opened) return;
  device = opened;
  [data, pixels] = [await prepared(await parts()), await prepared()];
  runs = memoryStore();
  await expert({ runs });
}, 300_000);
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(async () => {
  await device?.close();
  await rm(folder, { recursive: true });
});

const parts = async (): Promise<Partial<PrepareOptions>> => ({
  codec: await loadCodec(device, await toyCodec(device)),
  text: await loadTextEncoder(device, await toyText(device)),
  classes: 'categories',
});
const source = () => ({ source: folder, captions: join(folder, 'captions.csv'), size: 8, holdout: 0.3 });

async function prepared(change: Partial<PrepareOptions> = {}): Promise<FileStore> {
  const out = memoryStore();
  await prepare({ ...source(), out, ...change });
  await partitionData({ device, data: out, clusters: 1 });
  return out;
}

const size = { patch: 2, width: 8, depth: 1, heads: 2 };
const expert = (change: Partial<TrainExpertOptions> = {}) =>
  trainExpert({
    ...{ device, data, cluster: 0, runs: memoryStore(), architecture: dit, config: ditConfig(size) },
    training: { steps: 1, batchSize: 2 },
    ...change,
  });

describe('prepare', () => {
  const say = (change: Partial<PrepareOptions>) =>
    saidBy(() => prepare({ ...source(), out: memoryStore(), ...change }));

  it('a codec or a text encoder that does not fit', async () => {
    const grey = await loadCodec(device, await toyCodec(device, 1, { in_channels: 1 }));
    expect(await say({ codec: grey })).toMatchInlineSnapshot(
      `"DataError: [prepare] the codec does not take these pictures: pictures must have 1 channels and sides that are multiples of 2, got 3 of 8 × 8. Give another codec or --size."`,
    );
    const codec = await loadCodec(device, await toyCodec(device));
    expect(await say({ codec, size: 9 })).toMatchInlineSnapshot(
      `"DataError: [prepare] the codec does not take these pictures: pictures must have 3 channels and sides that are multiples of 2, got 3 of 9 × 9. Give another codec or --size."`,
    );
    expect(await say({ codec, thumbnail: 3 })).toMatchInlineSnapshot(
      `"DataError: [prepare] small pictures of 3 pixels do not divide 8. Give a divisor: --thumbnail."`,
    );
    expect(await say({ thumbnail: 4 })).toMatchInlineSnapshot(
      `"DataError: [prepare] small pictures are kept next to latents, and nothing makes these. Give a codec, too: --codec FOLDER. Or leave --thumbnail out."`,
    );
    const words = memoryStore();
    await words.write('text/config.json', encodeJson({ architecture: 'word-list' }));
    await words.write(
      'text/vocabulary.json',
      encodeJson({ version: 1, maxTokens: 8, words: ['<pad>', '<unk>', 'cat'] }),
    );
    const list = await loadTextEncoder(device, { store: words, folder: 'text' });
    expect(await say({ text: list })).toMatchInlineSnapshot(
      `"DataError: [prepare] the text encoder gives word ids, not features: experts learn words without --text. Give an encoder such as CLIP."`,
    );
    expect(await saidBy(() => loadCodec(device, { store: words, folder: 'codec' }))).toMatchInlineSnapshot(
      `"CheckpointError: [encode] there is no codec in codec: config.json is missing. Give a folder as codec/ of a model is, or your own as codecs."`,
    );
    expect(await saidBy(() => loadCodec(device, { store: words, folder: 'text' }))).toMatchInlineSnapshot(
      `"CheckpointError: [encode] text/config.json asks for the architecture "word-list". Known: "identity", "autoencoder-kl", "tiny-autoencoder". Give a folder as codec/ of a model is, or your own as codecs."`,
    );
  });

  it('captions or classes that are missing, or not in the list', async () => {
    const { text } = await parts();
    const bare = await mkdtemp(join(tmpdir(), 'paris-bare-'));
    await writeToyPictures(bare, 1);
    await rm(join(bare, 'captions.csv'));
    const named = { source: bare, captions: undefined };
    expect(await say({ ...named, text })).toMatchInlineSnapshot(
      `"DataError: [prepare] none of 3 pictures could be used; the first: blue-0.png: no caption, which --text encodes."`,
    );
    expect(await say({ ...named, classes: 'categories' })).toMatchInlineSnapshot(
      `"DataError: [prepare] none of 3 pictures could be used; the first: blue-0.png: no class, which --labels numbers."`,
    );
    await rm(bare, { recursive: true });
    expect(await say({ classes: { classes: 2, names: ['red', 'green'] } })).toMatchInlineSnapshot(
      `"DataError: [prepare] "blue-0.png" is of class "blue", and the list has 2, such as "red". Correct the list or the class."`,
    );
    expect(await say({ classes: { classes: 2 } })).toMatchInlineSnapshot(
      `"DataError: [prepare] "blue-0.png" is of class "blue", and the list has 2, numbered from 0. Correct the list or the class."`,
    );
  });

  it('folders to be like, or to be one, that were encoded otherwise', async () => {
    const other = await loadCodec(device, await toyCodec(device, 2));
    const { latents } = JSON.parse(new TextDecoder().decode(await data.read('manifest.json')));
    expect(await say({ codec: other, like: { latents } }).then(plain)).toMatchInlineSnapshot(
      `"DataError: [prepare] the codec (autoencoder-kl …) is not the one that the data was encoded with (autoencoder-kl …). Give the folder that prepare had as --codec."`,
    );
    expect(await say({ like: { latents } })).toMatchInlineSnapshot(
      `"DataError: [prepare] the data folder that this one is to be like has latents. Give its --codec."`,
    );
    expect(await say({ codec: other, like: {} })).toMatchInlineSnapshot(
      `"DataError: [prepare] the data folder that this one is to be like has no latents. Leave --codec out."`,
    );
    expect(await saidBy(() => mergeData({ data: [pixels, data], out: memoryStore() }))).toMatchInlineSnapshot(
      `"DataError: [merge] data folder 2 has other latents than folder 1, or only one of them has some. Prepare them with one --codec and --size."`,
    );
  });
});

describe('train', () => {
  const say = (change: Partial<TrainExpertOptions>) => saidBy(() => expert(change));

  it('an expert for other data', async () => {
    const latent = { inputSize: 4, channels: 4 };
    const config =
      (change: object): TrainExpertOptions['config'] =>
      (format) => ({ ...ditConfig(size)(format), ...change });
    expect(await say({ data: pixels, config: config(latent) })).toMatchInlineSnapshot(
      `"DataError: [train] the expert takes 4 × 4 × 4, and the data has no latents but pictures of 3 × 8 × 8. Give a network for these, or prepare with --codec."`,
    );
    expect(await say({ config: config({ inputSize: 8, channels: 3 }) })).toMatchInlineSnapshot(
      `"DataError: [train] the expert takes 3 × 8 × 8, and the data has latents of 4 × 4 × 4. Give a network for these, or prepare without --codec."`,
    );
    expect(await say({ data: pixels, config: ditConfig(size, undefined, 'text') })).toMatchInlineSnapshot(
      `"DataError: [train] the data has no features of captions. Prepare it with --text, or choose another --condition."`,
    );
    expect(await say({ data: pixels, config: ditConfig(size, undefined, 'label') })).toMatchInlineSnapshot(
      `"DataError: [train] the data has no class labels. Prepare it with --labels, or choose another --condition."`,
    );
    expect(await say({ config: config({ condition: { kind: 'embeddings', width: 6 } }) })).toMatchInlineSnapshot(
      `"DataError: [train] the expert does not take the data's latents with a condition of kind 'embeddings': the weight is [out, in] and in must be the last size of x: x is [1,8,8], the weight [8,6]."`,
    );
    expect(await say({ condition: 'label' })).toMatchInlineSnapshot(
      `"DataError: [train] the expert does not take the data's latents with a condition of kind 'label': this expert's condition is of kind 'embeddings', got one of kind 'label'. Pass the text encoder's output; the unconditional is encode([''])."`,
    );
  });

  it('samples without what decodes or encodes them', async () => {
    const { codec } = await parts();
    expect(await say({ samples: { every: 1 } })).toMatchInlineSnapshot(
      `"ValueError: [train] samples of latents are drawn through their codec. Give it (--codec), or no samples."`,
    );
    const other = await loadCodec(device, await toyCodec(device, 2));
    expect(await say({ samples: { every: 1, codec: other } }).then(plain)).toMatchInlineSnapshot(
      `"DataError: [train] the codec (autoencoder-kl …) is not the one that the data was encoded with (autoencoder-kl …). Give the folder that prepare had as --codec."`,
    );
    expect(await say({ samples: { every: 1, codec, prompts: ['a cat'] } })).toMatchInlineSnapshot(
      `"ValueError: [train] prompts of an expert that learns features of captions are encoded first. Give the text encoder (--text), or leave the prompts out."`,
    );
    const label = { config: ditConfig(size, undefined, 'label') };
    expect(await say({ ...label, samples: { every: 1, codec, prompts: ['zebra'] } })).toMatchInlineSnapshot(
      `"ValueError: [train] there is no class "zebra". Give a number from 0 to 2, or a name such as "blue"."`,
    );
    const none = { config: ditConfig(size, undefined, 'none') };
    expect(await say({ ...none, samples: { every: 1, codec, prompts: ['cat'] } })).toMatchInlineSnapshot(
      `"ValueError: [train] this expert learns pictures alone, without prompts. Leave samples.prompts out."`,
    );
  });
});

describe('assemble and evaluate', () => {
  const given = async () => ({ codec: await toyCodec(device), text: await toyText(device) });
  const say = async (change: Partial<AssembleOptions>) => {
    const all = { runs, out: memoryStore(), ...(await given()), ...change };
    return saidBy(() => assemble(all));
  };

  it('a codec or a text encoder that is missing, or another', async () => {
    expect(await say({ codec: undefined })).toMatchInlineSnapshot(
      `"RunError: [assemble] the experts learned latents, and the model needs the codec that made them. Give the folder that prepare had: --codec FOLDER."`,
    );
    expect(await say({ text: undefined })).toMatchInlineSnapshot(
      `"RunError: [assemble] the experts learned features of captions, and the model needs the text encoder that made them. Give the folder that prepare had: --text FOLDER."`,
    );
    expect(await say({ codec: await toyCodec(device, 1, { latent_channels: 6 }) }).then(plain)).toMatchInlineSnapshot(
      `"DataError: [assemble] the codec (autoencoder-kl …) is not the one that the data was encoded with (autoencoder-kl …). Give the folder that prepare had as --codec."`,
    );
    expect(await say({ text: await toyText(device, 1, { hidden_size: 16 }) }).then(plain)).toMatchInlineSnapshot(
      `"DataError: [assemble] the text encoder (clip …) is not the one that the data was encoded with (clip …). Give the folder that prepare had as --text."`,
    );
  });

  it('experts that learned from different ones', async () => {
    const second = async (change: (path: string, json: string) => string) => {
      const both = memoryStore();
      for (const path of await runs.list()) {
        const bytes = await runs.read(path);
        await both.write(path, bytes);
        const text = path.endsWith('.json') && change(path, new TextDecoder().decode(bytes));
        const own = text ? new TextEncoder().encode(text) : bytes;
        await both.write(path.replace('expert-00', 'expert-01'), own);
      }
      for (const path of await runs.list())
        await both.write(path.replace('expert-00', 'router'), await runs.read(path));
      const one = await readPartition(data, 'partition');
      const centroids = Float32Array.from([...one.centroids, ...one.centroids]);
      await writePartition(both, 'router/partition', {
        ...one,
        clusters: 2,
        sizes: [...one.sizes, ...one.sizes],
        centroids,
      });
      return say({ runs: both });
    };
    const json = JSON.parse(new TextDecoder().decode(await runs.read('expert-00/data.json')));
    const hashes = { codec: json.latents.codec.sha256, text: json.text.encoder.sha256 };
    const zeros = '0'.repeat(64);
    expect(await second((_, text) => text.replace(hashes.codec, zeros))).toMatchInlineSnapshot(
      `"RunError: [assemble] expert-01 was trained with another codec than expert-00. Train it on the same data folder."`,
    );
    expect(await second((_, text) => text.replace(hashes.text, zeros))).toMatchInlineSnapshot(
      `"RunError: [assemble] expert-01 was trained with another text encoder than expert-00. Train it on the same data folder."`,
    );
    expect(
      await second((path, text) => (path.endsWith('data.json') ? text.replace('"red"', '"pink"') : text)),
    ).toMatchInlineSnapshot(
      `"RunError: [assemble] expert-01 was trained with another list of classes than expert-00. Train it on the same data folder."`,
    );
    const label = (text: string) => text.replace('"embeddings"', '"label"');
    expect(await second((path, text) => (path.endsWith('run.json') ? label(text) : text))).toMatchInlineSnapshot(
      `"RunError: [assemble] expert-01 learned a condition of kind 'label', expert-00 of kind 'embeddings': one prompt cannot be both. Train them with one --condition."`,
    );
  });

  it('data of another codec, or of pixels', async () => {
    const model = memoryStore();
    await assemble({ runs, out: model, ...(await given()) });
    const of = (from: FileStore) => saidBy(() => evaluate({ device, model, data: from }));
    expect(await of(pixels)).toMatchInlineSnapshot(
      `"DataError: [evaluate] the model's experts see 4 × 4 × 4, and the data has pictures of 3 × 8 × 8. Give its own data."`,
    );
    const other = await prepared({ ...(await parts()), codec: await loadCodec(device, await toyCodec(device, 2)) });
    expect(await of(other).then(plain)).toMatchInlineSnapshot(
      `"DataError: [evaluate] the codec (autoencoder-kl …) is not the one that the data was encoded with (autoencoder-kl …). Give its own data."`,
    );
  });
});

/** Hashes of drawn weights are not the same on every adapter. */
const plain = (said: string) => said.replace(/[0-9a-f]{8}…/g, '…');
