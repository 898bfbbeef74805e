import { type FileStore, memoryStore, sha256 } from '@paris/files';
import { CheckpointError } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { chunkBytes, indexPath, type ModelIndex, parseModelIndex } from './format.js';
import { verifiedStore } from './verified-store.js';
import { writeModelIndex } from './write.js';

const text = (value: string) => new TextEncoder().encode(value);
const latent = { channels: 3, height: 8, width: 8 };
const description = { clusters: 2, latent, licence: 'CC-BY-4.0', provenance: { pictures: 'drawn by hand' } };

/** Enough of a model for its index: the files that must be there, with contents of no meaning. */
function folder(more: Record<string, Uint8Array | string> = {}): FileStore {
  return memoryStore({
    'experts/00/config.json': '{}',
    'experts/00/model.safetensors': 'weights of 0',
    'experts/01/config.json': '{}',
    'experts/01/model.safetensors': 'weights of 1',
    'router/config.json': '{}',
    'router/model.safetensors': 'weights of the router',
    ...more,
  });
}

async function changed(store: FileStore, change: (index: Record<string, unknown>) => void): Promise<Uint8Array> {
  const index = JSON.parse(new TextDecoder().decode(await store.read(indexPath)));
  change(index);
  return text(JSON.stringify(index));
}

describe('writeModelIndex', () => {
  it('lists every file with its size and hash, and nothing of when or where', async () => {
    const store = folder({ 'partition/partition.json': '{}' });
    const index = await writeModelIndex(store, description);
    expect(index.files.map(({ path }) => path)).toEqual([
      'codec/config.json',
      'experts/00/config.json',
      'experts/00/model.safetensors',
      'experts/01/config.json',
      'experts/01/model.safetensors',
      'partition/partition.json',
      'router/config.json',
      'router/model.safetensors',
    ]);
    const weights = index.files.find(({ path }) => path === 'experts/00/model.safetensors');
    // printf 'weights of 0' | sha256sum
    expect(weights).toEqual({
      path: 'experts/00/model.safetensors',
      sizeBytes: 12,
      sha256: '657c25c0a8d053d8a7931e8bb686767d47cf0fb8d2f6c7a58317ea172ff3995e',
    });
    expect(index).toMatchObject({ ...description, path: 'linear', routing: 'top2', codec: 'identity' });
    expect(parseModelIndex(await store.read(indexPath))).toEqual(index);
  });

  it('writes over an index of its own, and over none of somebody else', async () => {
    for (const theirs of ['{"_class_name": "StableDiffusionPipeline"}', 'no JSON', 'null']) {
      const store = folder({ [indexPath]: theirs });
      await expect(writeModelIndex(store, description)).rejects.toThrow(
        '[writeModelIndex] the folder has a model_index.json that Paris did not write. Write the model to a folder of its own.',
      );
      expect(new TextDecoder().decode(await store.read(indexPath))).toBe(theirs);
      expect(await store.exists('codec/config.json')).toBe(false);
    }
  });

  it('gives the same bytes for the same files, also when it is written again', async () => {
    const [a, b] = [folder(), folder()];
    await writeModelIndex(a, description);
    await writeModelIndex(b, description);
    await writeModelIndex(b, description);
    expect(await b.read(indexPath)).toEqual(await a.read(indexPath));
  });

  it('names what is missing', async () => {
    const store = folder();
    await store.remove('router');
    await store.remove('experts/01/config.json');
    await expect(writeModelIndex(store, description)).rejects.toThrow(
      "[writeModelIndex] the model's folder lacks experts/01/config.json, router/config.json, router/model.safetensors. " +
        'Train those first.',
    );
  });

  it('asks for no router where there is one expert', async () => {
    const store = folder();
    await store.remove('router');
    expect((await writeModelIndex(store, { ...description, clusters: 1 })).routing).toBe('top1');
  });
});

describe('parseModelIndex', () => {
  const refusals: [
    string,
    (index: { files: { path: string; chunks?: string[] }[]; [key: string]: unknown }) => void,
  ][] = [
    [
      'lists "../weights", which is no path inside the model. Do not load it.',
      (i) => Object.assign(i.files[0]!, { path: '../weights' }),
    ],
    ['lists "/etc/passwd", which is no path', (i) => Object.assign(i.files[0]!, { path: '/etc/passwd' })],
    ['lists "a\\\\..\\\\b", which is no path', (i) => Object.assign(i.files[0]!, { path: 'a\\..\\b' })],
    ['lists "C:/x", which is no path', (i) => Object.assign(i.files[0]!, { path: 'C:/x' })],
    ['lists "a//b", which is no path', (i) => Object.assign(i.files[0]!, { path: 'a//b' })],
    ['lists "experts/00/config.json", twice.', (i) => Object.assign(i.files[0]!, { path: 'experts/00/config.json' })],
    [
      '12 bytes in 2 pieces of 16 MiB.',
      (i) => Object.assign(i.files[2]!, { chunks: ['0', '1'].map((c) => c.repeat(64)) }),
    ],
    [
      'model_index.json is not what this version reads: version must be 1, got 2.',
      (i) => Object.assign(i, { version: 2 }),
    ],
    [
      'model_index.json is not what this version reads: clusters must be 1 or more, got 0.',
      (i) => Object.assign(i, { clusters: 0 }),
    ],
    ['clusters must be 4096 or less, got 100000', (i) => Object.assign(i, { clusters: 1e5 })],
    ['latent.height must be 8192 or less', (i) => Object.assign(i, { latent: { channels: 1, height: 1e8, width: 1 } })],
    ['licence must be a text of at most 100000 letters', (i) => Object.assign(i, { licence: 'x'.repeat(1e7) })],
    ['must be a text of at most 200 letters', (i) => Object.assign(i, { routing: 'x'.repeat(1e7) })],
    ['must be a text of at most 1000 letters', (i) => Object.assign(i.files[0]!, { path: 'x'.repeat(1e7) })],
    ['files.0.sha256 must be a text like', (i) => Object.assign(i.files[0]!, { sha256: 'abc' })],
  ];

  it.each(refusals)('refuses what %s', async (message, change) => {
    const store = folder();
    await writeModelIndex(store, description);
    const bytes = await changed(store, change as (index: Record<string, unknown>) => void);
    expect(() => parseModelIndex(bytes)).toThrow(CheckpointError);
    expect(() => parseModelIndex(bytes)).toThrow(message);
  });

  it('refuses what is not JSON', () => {
    expect(() => parseModelIndex(text('<html>'))).toThrow('[loadPipeline] model_index.json is not JSON: ');
  });
});

describe('verifiedStore', () => {
  it('reads listed files whole and in spans, each byte once', async () => {
    const store = folder();
    const index = await writeModelIndex(store, description);
    const read: string[] = [];
    const files = verifiedStore(store, index, (count, path) => read.push(`${path}: ${count}`));
    expect(await files.read('experts/00/model.safetensors', { offset: 8, length: 4 })).toEqual(text('of 0'));
    expect(await files.read('experts/00/model.safetensors')).toEqual(text('weights of 0'));
    expect(read).toEqual(['experts/00/model.safetensors: 12']);
    expect(await files.size('experts/00/model.safetensors')).toBe(12);
  });

  it('refuses changed bytes, another size, and what is not listed', async () => {
    const store = folder();
    const index = await writeModelIndex(store, description);
    await store.write('experts/00/model.safetensors', text('weights of 7'));
    await store.write('experts/01/model.safetensors', text('weights of 11'));
    await store.write('router/extra.json', text('{}'));
    const files = verifiedStore(store, index);
    await expect(files.read('experts/00/model.safetensors')).rejects.toThrow(
      '[loadPipeline] experts/00/model.safetensors is not the file that model_index.json describes: ' +
        'its SHA-256 differs. Get the file again.',
    );
    await expect(files.read('experts/01/model.safetensors')).rejects.toThrow(
      '[loadPipeline] experts/01/model.safetensors should have 12 bytes, got 13. Get the file again.',
    );
    await expect(files.read('router/extra.json')).rejects.toThrow(
      'router/extra.json is not listed in model_index.json.',
    );
    expect(await files.exists('router/extra.json')).toBe(false);
  });

  it('believes no size: what an index claims is not taken into memory before the file is seen to have it', async () => {
    const asked: unknown[] = [];
    const inner = folder({ 'experts/00/model.safetensors': new Uint8Array(chunkBytes) });
    const store: FileStore = {
      ...inner,
      read: (...args) => {
        asked.push(args.slice(1));
        return inner.read(...args);
      },
    };
    const index = await writeModelIndex(inner, description);
    const files = index.files.map((file) => {
      if (file.path !== 'experts/00/model.safetensors') return file;
      const chunks = Array.from({ length: 2 ** 16 }, () => file.sha256);
      return { ...file, sizeBytes: 2 ** 40, chunks };
    });
    const path = 'experts/00/model.safetensors';
    const claims = verifiedStore(store, { ...index, files });
    await expect(claims.read(path)).rejects.toThrow(
      'should have 1099511627776 bytes, got 16777216. Get the file again.',
    );
    expect(asked).toEqual([[{ offset: 0, length: chunkBytes }, { maxBytes: 2 ** 40 }]]);
    // A store that lies in the same way.
    const lying = verifiedStore(
      { ...store, size: async () => 2 ** 60 },
      {
        ...index,
        files: files.map((file) => ({ ...file, ...(file.path === path && { sizeBytes: 2 ** 60 }) })),
      },
    );
    await expect(lying.read(path)).rejects.toThrow('do not fit into memory at once');
    const small = verifiedStore(store, index);
    await expect(small.read('router/config.json', undefined, { maxBytes: 1 })).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
    });
  });

  it('checks large files piece by piece, and finds the piece that was changed', async () => {
    const large = new Uint8Array(2 * chunkBytes + 5);
    for (let i = 0; i < large.length; i += 4096) large[i] = i / 4096;
    const store = folder({ 'experts/00/model.safetensors': large });
    const index = await writeModelIndex(store, description);
    const entry = index.files.find(({ path }) => path === 'experts/00/model.safetensors')!;
    expect(entry.chunks).toHaveLength(3);
    expect(entry.chunks![2]).toBe(await sha256(large.slice(2 * chunkBytes)));

    const spans: number[] = [];
    const files = verifiedStore(store, index, (count) => spans.push(count));
    const across = { offset: chunkBytes - 3, length: 6 };
    expect(await files.read(entry.path, across)).toEqual(large.slice(chunkBytes - 3, chunkBytes + 3));
    expect(spans).toEqual([chunkBytes, chunkBytes]); // two pieces, not the third

    large[chunkBytes + 1]! ^= 1;
    await store.write(entry.path, large);
    const again = verifiedStore(store, index);
    expect((await again.read(entry.path, { offset: 0, length: 10 })).length).toBe(10);
    await expect(again.read(entry.path, across)).rejects.toThrow('its SHA-256 differs');
  });
});

it('an index is a plain object that JSON keeps', async () => {
  const index: ModelIndex = await writeModelIndex(folder(), description);
  expect(JSON.parse(JSON.stringify(index))).toEqual(index);
});
