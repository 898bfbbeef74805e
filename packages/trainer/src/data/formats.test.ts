// The JSON files of a data folder by somebody who means harm: no number of theirs becomes memory or time.
import { memoryStore, writeJson } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { writeToyData } from '../testing/toy.js';
import { readCluster, readLabelled, readManifest } from './files.js';

const huge = [1e9, 2 ** 40, 1e308, -1, 0.5];
const manifest = {
  ...{ version: 1, size: 8, channels: 3, maxTokens: 8, normalization: { scale: 127.5, offset: -1 } },
  ...{ vocabulary: ['<pad>', '<unk>'], count: 0, holdout: { fraction: 0.1, seed: 0, by: 'group' } },
  ...{ items: [], skipped: [] },
};

describe('manifest.json', () => {
  const read = async (change: object) => {
    const store = memoryStore();
    await writeJson(store, 'manifest.json', { ...manifest, ...change });
    return readManifest(store);
  };

  it('as it is', async () => expect((await read({})).size).toBe(8));

  it.each(['size', 'channels', 'maxTokens'])('%s', async (name) => {
    for (const value of huge) await expect(read({ [name]: value })).rejects.toThrow(`${name} must be`);
  });

  it('numbers that make every pixel infinite, and seeds that are none', async () => {
    for (const scale of [0, -1]) {
      const normalization = { scale, offset: 0 };
      await expect(read({ normalization })).rejects.toThrow('normalization.scale must be more than 0');
    }
    for (const seed of [-1, 0.5, 2 ** 53]) {
      await expect(read({ holdout: { ...manifest.holdout, seed } })).rejects.toThrow('holdout.seed must be');
    }
  });
});

it.each(['size', 'channels', 'maxTokens', 'clusters', 'cluster', 'seed', 'count'])(
  '%s of partitioned data',
  async (name) => {
    const store = memoryStore();
    await writeToyData(store);
    const change = async (path: string, value: number) => {
      const json = JSON.parse(new TextDecoder().decode(await store.read(path)));
      if (name in json) await writeJson(store, path, { ...json, [name]: value });
    };
    for (const value of huge) {
      if (name === 'seed' && value > 0 && value % 1 === 0 && value < 2 ** 53) continue;
      await change('router/router.json', value);
      await change('clusters/01/cluster.json', value);
      const said = name === 'count' ? /count must be|says \d+ pictures and lists/ : `${name} must be`;
      if (name !== 'cluster') await expect(readLabelled(store, 'router'), String(value)).rejects.toThrow(said);
      if (name !== 'clusters') await expect(readCluster(store, 1), String(value)).rejects.toThrow(said);
    }
  },
);
