// A small model folder for the tests of examples: real architectures with random weights. node model.js FOLDER
import { createDiT, parseDiTConfig } from '@paris/dit';
import { createRouter, parseRouterConfig } from '@paris/router';
import { writeModelIndex } from '@paris/sampler';
import { flattenTree, key, openDevice } from '@paris/tensor';
import { nodeStore } from '@paris/tensor/node';
import { writeSafetensors } from '@paris/tensor/safetensors';

const store = nodeStore(process.argv[2] ?? '');
const vocabulary = ['<pad>', '<unk>', 'cat', 'face'];
const size = { inputSize: 16, channels: 3, patchSize: 4, hiddenSize: 32, depth: 1, heads: 2 };
const condition = { kind: 'tokens', vocabulary: vocabulary.length, maxTokens: 8, width: 32 };
const objective = { prediction: 'velocity', path: 'linear' };
const dit = { architecture: 'dit', objective, ...size, condition };
const router = { architecture: 'router-transformer', clusters: 2, ...size };

const device = await openDevice();
for (const expert of [0, 1]) await save(`experts/0${expert}`, dit, createDiT(parseDiTConfig(dit)).init(key(expert)));
await save('router', router, createRouter(parseRouterConfig(router)).init(key(9)));
await json('text/vocabulary.json', { version: 1, maxTokens: 8, words: vocabulary });
await writeModelIndex(store, { clusters: 2, latent: { channels: 3, height: 16, width: 16 }, licence: 'MIT' });
await device.close();

/** @param {string} folder @param {object} config @param {unknown} params */
async function save(folder, config, params) {
  const entries = flattenTree(await device.compile(() => params)());
  /** @type {Parameters<typeof writeSafetensors>[0]} */
  const tensors = {};
  for (const { path, value } of entries) {
    tensors[path] = { data: await value.read(), shape: value.shape, dtype: 'f32' };
  }
  await json(`${folder}/config.json`, config);
  await store.write(`${folder}/model.safetensors`, writeSafetensors(tensors));
}

/** @param {string} path @param {unknown} content */
function json(path, content) {
  return store.write(path, new TextEncoder().encode(JSON.stringify(content)));
}
