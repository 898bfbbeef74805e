// The folders that we write, apart from runs. Their contents are known from files that they always had, so folders of
// earlier versions are recognised as well.
import { readPartition } from '@paris/clustering';
import { entriesOf, type FileSource, readJson } from '@paris/files';
import { parseModelIndex } from '@paris/model';
import type * as z from 'zod/mini';
import { clusterSchema, filesOf, labelledSchema, manifestSchema } from '../data/formats.js';
import type { OutputKind } from './claim.js';

/** Where `prepare` keeps pictures that it has decoded until all are there. */
export const PREPARATION = 'paris-preparation';

/** What `prepare` writes, and `partition` into it. */
export const dataFolder: OutputKind = {
  name: 'data folder',
  index: 'manifest.json',
  parts: [
    'images.safetensors',
    /^images-\d{5,}\.safetensors$/,
    /^items-\d{5,}\.jsonl$/,
    'clusters',
    'router',
    'test',
    'partition',
  ],
  scratch: PREPARATION,
  async owned(store) {
    const own = await reads(store, 'manifest.json', manifestSchema);
    if (!own) return undefined;
    const files = ['manifest.json', ...filesOf(own)];
    for (const name of await entriesOf(store, 'clusters')) {
      const [folder, cluster] = [`clusters/${name.slice(0, -1)}`, /^(\d{2,})\/$/.exec(name)?.[1]];
      const manifest = cluster && (await reads(store, `${folder}/cluster.json`, clusterSchema));
      if (manifest && manifest.cluster === Number(cluster)) {
        files.push(`${folder}/cluster.json`, ...filesOf(manifest).map((file) => `${folder}/${file}`));
      }
    }
    for (const folder of ['router', 'test']) {
      const manifest = await reads(store, `${folder}/${folder}.json`, labelledSchema);
      if (manifest) files.push(`${folder}/${folder}.json`, ...filesOf(manifest).map((file) => `${folder}/${file}`));
    }
    const partition = await readPartition(store, 'partition').catch(() => undefined);
    if (partition) files.push('partition/partition.json', 'partition/centroids.safetensors');
    return new Set(files);
  },
};

/** What `assemble` writes: its index lists every file. */
export const modelFolder: OutputKind = {
  name: 'model',
  index: 'model_index.json',
  parts: ['experts', 'router', 'codec', 'text', 'partition'],
  async owned(store) {
    if (!(await store.exists('model_index.json'))) return undefined;
    try {
      const { files } = parseModelIndex(await store.read('model_index.json'));
      return new Set(['model_index.json', ...files.map(({ path }) => path)]);
    } catch {
      return undefined;
    }
  },
};

/** The content of a JSON file of ours, or undefined. */
async function reads<T>(store: FileSource, path: string, schema: z.ZodMiniType<T>): Promise<T | undefined> {
  return readJson(store, path, schema).catch(() => undefined);
}
