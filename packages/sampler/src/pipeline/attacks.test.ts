// Model folders by somebody who means harm: each is refused in one sentence, before a weight is read or memory taken.
import { type FileStore, memoryStore, ParisError } from '@paris/files';
import { indexPath, writeModelIndex, writeVocabulary } from '@paris/model';
import { type Device, openDevice } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadPipeline } from './load.js';
import { expertConfig, latent, modelFolder, routerConfig } from './model.testing.js';

let device: Device;
let model: FileStore;
beforeAll(async () => {
  device = await openDevice();
  model = await modelFolder(device);
});
afterAll(() => device.close());

const encode = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

/** The model with some files replaced, and an index that fits them. */
async function changed(files: Record<string, unknown>): Promise<FileStore> {
  const store = memoryStore();
  for (const path of await model.list()) await store.write(path, await model.read(path));
  for (const [path, value] of Object.entries(files)) await store.write(path, encode(value));
  await writeModelIndex(store, { clusters: 3, latent, licence: 'MIT' });
  return store;
}

async function indexed(change: Record<string, unknown>): Promise<FileStore> {
  const store = await changed({});
  const index = JSON.parse(new TextDecoder().decode(await store.read(indexPath)));
  await store.write(indexPath, encode({ ...index, ...change }));
  return store;
}

/** The sentence of the refusal. Fails for errors that are not ours, and if anything went to the device before. */
async function refusal(source: string | FileStore): Promise<string> {
  const uploads = vi.spyOn(device, 'tensor');
  try {
    const pipeline = await loadPipeline(source, { device });
    await pipeline.close();
    return 'loads';
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(ParisError);
    expect(uploads).not.toHaveBeenCalled();
    const { message } = error as Error;
    expect(message.length).toBeLessThan(3000);
    return message;
  } finally {
    uploads.mockRestore();
  }
}

describe('numbers of any size', () => {
  const huge = [1e8, 2 ** 40, 1e308, -1, 0, 0.5];
  const numeric = (config: object) => Object.entries({ ...config, mlpRatio: 4, timeScale: 1000, layerNormEps: 1e-5 });
  const cases = [
    ...numeric(expertConfig).map(([name, value]) => ['experts/00', expertConfig, name, value] as const),
    ...numeric(routerConfig).map(([name, value]) => ['router', routerConfig, name, value] as const),
  ].filter(([, , , value]) => typeof value === 'number');

  it.each(cases)('%s: %o: %s', async (folder, config, name) => {
    for (const value of huge) {
      // Half a ratio or scale is a config that does not fit these weights, and as good as any.
      const said = await refusal(await changed({ [`${folder}/config.json`]: { ...config, [name]: value } }));
      if (value === 0.5 && ['timeScale', 'layerNormEps'].includes(name)) expect(said).toBe('loads');
      else expect(said, String(value)).toMatch(new RegExp(`${name} must be|missing|wrong shapes`));
      if (value >= 1e8 || value < 0) expect(said, String(value)).toContain(`${name} must be`);
    }
  });

  it.each(['vocabulary', 'maxTokens', 'width'])('condition.%s', async (name) => {
    for (const value of huge) {
      const condition = { ...expertConfig.condition, [name]: value };
      const store = await changed({ 'experts/00/config.json': { ...expertConfig, condition } });
      expect(await refusal(store), String(value)).toContain(`condition.${name} must be`);
    }
  });

  it('the index and the vocabulary', async () => {
    for (const value of huge) {
      expect(await refusal(await indexed({ clusters: value }))).toContain('clusters must be');
      expect(await refusal(await indexed({ latent: { ...latent, width: value } }))).toContain('latent.width must be');
      const vocabulary = { version: 1, maxTokens: value, words: ['<pad>', '<unk>'] };
      expect(await refusal(await changed({ 'text/vocabulary.json': vocabulary }))).toContain('maxTokens must be');
      if (value < 0 || value % 1 !== 0 || value > 2 ** 53) {
        const files = [{ path: 'experts/00/config.json', sizeBytes: value, sha256: '0'.repeat(64) }];
        expect(await refusal(await indexed({ files, clusters: 1 }))).toContain('files.0.sizeBytes must be');
      }
    }
  });

  it('a hundred thousand clusters, with a file for each', async () => {
    const files = Array.from({ length: 2e5 }, (_, i) => ({
      path: `experts/${String(i >> 1).padStart(2, '0')}/${i % 2 ? 'config.json' : 'model.safetensors'}`,
      sizeBytes: 1,
      sha256: '0'.repeat(64),
    }));
    expect(await refusal(await indexed({ clusters: 1e5, files }))).toContain(
      'clusters must be 4096 or less, got 100000',
    );
    // As many as there may be: the first file that does not match ends it.
    expect(await refusal(await indexed({ clusters: 4096, files }))).toContain(
      'experts/00/config.json should have 1 bytes',
    );
  });
});

it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
  'names: %s is a name like any other',
  async (name) => {
    const expert = (change: object) => changed({ 'experts/00/config.json': { ...expertConfig, ...change } });
    expect(await refusal(await indexed({ path: name }))).toMatch(/Known: linear, cosine|path/);
    expect(await refusal(await indexed({ codec: name }))).toContain(`asks for the architecture "${name}"`);
    expect(await refusal(await expert({ architecture: name }))).toContain(`asks for the architecture "${name}"`);
    expect(await refusal(await expert({ modulation: name }))).toContain('modulation must be');
    expect(await refusal(await expert({ condition: { kind: name } }))).toMatch(/condition/);
    expect(await refusal(await expert({ objective: { prediction: name, path: 'linear' } }))).toContain(
      'prediction must be',
    );
    expect(await refusal(await changed({ 'experts/00/config.json': `{"${name}": 1}` }))).toMatch(
      /architecture undefined/,
    );
    expect(await refusal(await expert(JSON.parse(`{"${name}": 1}`)))).toMatch(/is not known|loads/);

    const words = ['<pad>', '<unk>', name, 'valueOf', 'red'];
    const store = await changed({ 'text/vocabulary.json': { version: 1, maxTokens: 8, words } });
    const pipeline = await loadPipeline(store, { device });
    expect(pipeline.vocabulary?.words).toEqual(words);
    await expect(pipeline.generate({ routing: name, steps: 1 })).rejects.toThrow(ParisError);
    await expect(pipeline.generate({ sampler: name, steps: 1 })).rejects.toThrow(`no sampler is called "${name}"`);
    await expect(pipeline.generate({ schedule: name, steps: 1 })).rejects.toThrow(ParisError);
    await pipeline.close();
  },
);

it('lists and objects that lie in each other without end', async () => {
  const deep = ['['.repeat(1e5), `${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}`];
  for (const path of ['experts/00/config.json', 'router/config.json', 'codec/config.json', 'text/vocabulary.json']) {
    for (const json of deep) {
      expect(await refusal(await changed({ [path]: json }))).toContain(`${path} nests lists and objects more than 64`);
    }
  }
  const store = await changed({});
  await store.write(indexPath, encode(deep[1]));
  expect(await refusal(store)).toContain(`${indexPath} nests lists and objects more than 64`);
});

it('files that are larger than what they are', async () => {
  const padded = (bytes: number) => JSON.stringify(expertConfig) + ' '.repeat(bytes);
  expect(await refusal(await changed({ 'experts/00/config.json': padded(2 ** 20) }))).toMatch(
    /at most 1048576 are read/,
  );
  const long = await changed({ 'experts/00/config.json': { ...expertConfig, architecture: 'x'.repeat(1e6) } });
  expect(await refusal(long)).toMatch(/asks for the architecture "x+…/);
});

describe('parts that do not fit each other', () => {
  it('a vocabulary with more words than experts embed', async () => {
    const store = await changed({});
    await writeVocabulary(store, ['<pad>', '<unk>', 'red', 'green', 'circle', 'square']);
    await writeModelIndex(store, { clusters: 3, latent, licence: 'MIT' });
    expect(await refusal(store)).toContain('experts/00: it embeds 5 words, the vocabulary has 6');
    const condition = { kind: 'tokens', vocabulary: 4, width: 8 };
    const routed = await changed({ 'router/config.json': { ...routerConfig, condition } });
    expect(await refusal(routed)).toMatch(/router: (missing|it embeds 4 words)/);
    await writeVocabulary(store, ['<pad>', '<unk>', 'red']); // fewer do no harm
    await writeModelIndex(store, { clusters: 3, latent, licence: 'MIT' });
    expect(await refusal(store)).toBe('loads');
  });

  it('latents of another size than the index says', async () => {
    for (const other of [
      { ...latent, channels: 4 },
      { ...latent, height: 16 },
    ]) {
      const said = await refusal(await indexed({ latent: other }));
      const wanted = `${other.channels} × ${other.height} × ${other.width}`;
      for (const folder of ['experts/00', 'experts/02', 'router']) {
        expect(said).toContain(`${folder}: it takes latents of 3 × 8 × 8, model_index.json says ${wanted}`);
      }
    }
  });
});

it.each(['file://host/model', 'file://host:1/model', 'file:///a%2Fb', 'file://user:secret@host/model'])(
  '%s is no folder',
  async (source) => {
    const said = await refusal(source);
    expect(said).toContain('is no folder of this machine. Give its path, or file:///path/to/folder.');
    expect(said).not.toContain('secret');
  },
);
