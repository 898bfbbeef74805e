/** Small model folders for the tests: real architectures with random weights. */
import { createDiT, parseDiTConfig } from '@paris/dit';
import { type FileStore, memoryStore } from '@paris/files';
import { writeSafetensors } from '@paris/files/safetensors';
import { writeModelIndex, writeVocabulary } from '@paris/model';
import { createRouter, parseRouterConfig } from '@paris/router';
import { type Device, flattenTree, key, normal, type Tensor } from '@paris/tensor';

const vocabulary = ['<pad>', '<unk>', 'red', 'green', 'circle'];
export const latent = { channels: 3, height: 8, width: 8 };

export const expertConfig = {
  architecture: 'dit',
  objective: { prediction: 'velocity', path: 'linear' },
  inputSize: 8,
  channels: 3,
  patchSize: 4,
  hiddenSize: 16,
  depth: 1,
  heads: 2,
  condition: { kind: 'tokens', vocabulary: vocabulary.length, maxTokens: 8, width: 8 },
};

export const classNames = ['tench, Tinca tinca', 'goldfish, Carassius auratus', 'shark'];
const classConfig = {
  ...expertConfig,
  modulation: 'zero',
  condition: { kind: 'label', classes: 3, names: classNames },
};

export const routerConfig = {
  architecture: 'router-transformer',
  clusters: 3,
  inputSize: 8,
  channels: 3,
  patchSize: 4,
  hiddenSize: 16,
  depth: 1,
  heads: 2,
};

/** Experts, a router and a vocabulary, with an index. Networks that start at zero are shaken, so that all counts. */
export async function modelFolder(device: Device, clusters = 3): Promise<FileStore> {
  const store = memoryStore();
  const write = async (folder: string, config: object, params: unknown, seed: number) => {
    await store.write(`${folder}/config.json`, new TextEncoder().encode(JSON.stringify(config)));
    await store.write(`${folder}/model.safetensors`, await weightsFile(device, params, seed));
  };
  const expert = createDiT(parseDiTConfig(expertConfig));
  for (let k = 0; k < clusters; k++) await write(`experts/0${k}`, expertConfig, expert.init(key(k)), k);
  const router = { ...routerConfig, clusters };
  await write('router', router, createRouter(parseRouterConfig(router)).init(key(9)), 9);
  await writeVocabulary(store, vocabulary);
  await writeModelIndex(store, { clusters, latent, licence: 'MIT' });
  return store;
}

/** A model of one expert that takes one of three classes. */
export async function classModelFolder(device: Device): Promise<FileStore> {
  const store = memoryStore();
  const params = createDiT(parseDiTConfig(classConfig)).init(key(1));
  await store.write('experts/00/config.json', new TextEncoder().encode(JSON.stringify(classConfig)));
  await store.write('experts/00/model.safetensors', await weightsFile(device, params, 1));
  await writeModelIndex(store, { clusters: 1, latent, licence: 'MIT' });
  return store;
}

/** Parameters as a file, with a little noise on each. */
export async function weightsFile(device: Device, params: unknown, seed: number): Promise<Uint8Array> {
  const entries = flattenTree<Tensor>(params);
  const shake = device.compile(() =>
    entries.map(({ value }, i) => value.add(normal(key(seed).foldIn(i), value.shape).mul(0.1))),
  );
  const shaken = await shake();
  const tensors: Record<string, { data: Float32Array; shape: readonly number[]; dtype: 'f32' }> = {};
  for (const [i, tensor] of shaken.entries()) {
    const data = (await tensor.read()) as Float32Array;
    tensors[entries[i]!.path] = { data, shape: tensor.shape, dtype: 'f32' };
    tensor.dispose();
  }
  return writeSafetensors(tensors);
}
