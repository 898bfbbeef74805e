// What a newcomer gets wrong first when sampling, and the sentence that comes back. Read them aloud.

import { type FileStore, memoryStore } from '@paris/files';
import { writeSafetensors } from '@paris/files/safetensors';
import { linearPath, noisePath, writeModelIndex } from '@paris/model';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { saidBy } from '@paris/test-tools/said';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { encodePng, type GenerateOptions, loadPipeline, shiftLogSnr, tileImages, uniformTimes } from './index.js';
import { savePng } from './node/index.js';
import { expertConfig, latent, modelFolder } from './pipeline/model.testing.js';

let device: Device | undefined;
let model: FileStore;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
  if (device) model = await modelFolder(device);
});
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

/** The model with a change to some of its files, and an index that fits unless it is among them. */
async function changed(files: Record<string, string | Uint8Array>, reindex = true): Promise<FileStore> {
  const store = memoryStore(files);
  for (const path of await model.list()) if (!(path in files)) await store.write(path, await model.read(path));
  if (reindex) await writeModelIndex(store, { clusters: 3, latent, licence: 'MIT' });
  return store;
}
const load = (source: string | FileStore) => saidBy(() => loadPipeline(source, { device: device! }));

it('what is no model', async () => {
  expect(await load('./no-such-model')).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] there is no model_index.json in ./no-such-model. Give the folder that holds it."`,
  );
  expect(await load('http://127.0.0.1:9/model')).toMatchInlineSnapshot(
    `"UnavailableError: [store] "model_index.json" could not be fetched from http://127.0.0.1:9/model/. Is the server up?"`,
  );
  expect(await load('ftp://example.org/model')).toMatchInlineSnapshot(
    `"ValueError: [loadPipeline] ftp:// is not read. Give a folder, an http(s) URL, hf:owner/name or a FileStore."`,
  );
  expect(await load(memoryStore({ 'experts/00/config.json': '{}' }))).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] there is no model_index.json in the store. Give the folder that holds it."`,
  );
  expect(await load(memoryStore({ 'model_index.json': '<!doctype html>' }))).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] model_index.json is not JSON: Unexpected token '<', "<!doctype html>" is not valid JSON."`,
  );
  expect(await load(memoryStore({ 'model_index.json': '{"_class_name": "DiTPipeline"}' }))).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] there is a model_index.json of "DiTPipeline", and no transformer/ in the store. Give the folder that holds it."`,
  );
});

it('models that are broken', async () => {
  const index = JSON.parse(new TextDecoder().decode(await model.read('model_index.json')));
  const withIndex = (change: object) => changed({ 'model_index.json': JSON.stringify({ ...index, ...change }) }, false);
  const weights = await model.read('experts/01/model.safetensors');
  const elsewhere = { path: '../../.ssh/id_rsa', sizeBytes: 1, sha256: '0'.repeat(64) };
  expect(await load(await withIndex({ files: [elsewhere] }))).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] model_index.json names 3 experts and this many files: 1. Assemble the model again."`,
  );
  expect(await load(await withIndex({ clusters: 2 ** 40 }))).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] model_index.json is not what this version reads: clusters must be 4096 or less, got 1099511627776."`,
  );
  expect(await load(await withIndex({ clusters: 4 }))).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] experts/03/config.json is not listed in model_index.json. Assemble the model again."`,
  );
  expect(
    await load(await changed({ 'experts/01/model.safetensors': weights.slice(0, -4) }, false)),
  ).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] experts/01/model.safetensors should have 51568 bytes, got 51564. Get the file again."`,
  );
  expect(
    await load(
      await changed({ 'experts/01/model.safetensors': weights.map((b, i) => (i === 900 ? b ^ 1 : b)) }, false),
    ),
  ).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] experts/01/model.safetensors is not the file that model_index.json describes: its SHA-256 differs. Get the file again."`,
  );
  const config = (change: object) =>
    changed({ 'experts/01/config.json': JSON.stringify({ ...expertConfig, ...change }) });
  expect(await load(await config({ architecture: 'mixer' }))).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] experts/01/config.json asks for the architecture "mixer". Known: "dit". Give yours as architectures."`,
  );
  expect(await load(await config({ hiddenSize: 32 }))).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] the model does not fit together. experts/01: wrong shapes: final_layer.linear.weight is [48, 16], not [48, 32], final_layer.scale_shift_table is [2, 16], not [2, 32], layers.0.attn.in_proj_bias is [48], not [96], layers.0.attn.in_proj_weight is [48, 16], not [96, 32], layers.0.attn.out_proj.bias is [16], not [32], layers.0.attn.out_proj.weight is [16, 16], not [32, 32], layers.0.cross_attn.in_proj_bias is [48], not [96], layers.0.cross_attn.in_proj_weight is [48, 16], not [96, 32] and 18 more."`,
  );
  const other = writeSafetensors({ 'x.weight': { data: new Float32Array(1), shape: [1], dtype: 'f32' } });
  expect(await load(await changed({ 'experts/01/model.safetensors': other }))).toMatchInlineSnapshot(
    `"CheckpointError: [loadPipeline] the model does not fit together. experts/01: missing final_layer.linear.bias, final_layer.linear.weight, final_layer.scale_shift_table, layers.0.attn.in_proj_bias, layers.0.attn.in_proj_weight, layers.0.attn.out_proj.bias, layers.0.attn.out_proj.weight, layers.0.cross_attn.in_proj_bias and 20 more; experts/01: unexpected x.weight."`,
  );
});

it('what is asked of a pipeline', async () => {
  const pipeline = await loadPipeline(model, { device: device! });
  const generate = (options: GenerateOptions) => saidBy(() => pipeline.generate({ steps: 1, ...options }));
  expect(await generate({ prompt: 'a', prompts: ['b'] })).toMatchInlineSnapshot(
    `"ValueError: [generate] both prompt and prompts are given. Give one of them."`,
  );
  expect(await generate({ prompts: [] })).toMatchInlineSnapshot(
    `"ValueError: [generate] prompts is an empty list. Give a prompt at least, or leave prompts out."`,
  );
  expect(await generate({ label: 3 })).toMatchInlineSnapshot(
    `"ValueError: [generate] a label is given, and this model takes no classes. Give a prompt."`,
  );
  expect(await generate({ steps: 0 })).toMatchInlineSnapshot(
    `"ValueError: [uniformTimes] steps is 0. Give a whole number from 1 on."`,
  );
  expect(await generate({ count: 1.5 })).toMatchInlineSnapshot(
    `"ValueError: [generate] count is 1.5. Give a whole number from 1 on."`,
  );
  expect(await generate({ seed: -1 })).toMatchInlineSnapshot(
    `"ValueError: [key] expected an integer in [0, 2⁵³), got -1. Round it or take its absolute value."`,
  );
  expect(await generate({ guidance: Number.NaN })).toMatchInlineSnapshot(
    `"ValueError: [generate] guidance is NaN. Give a number such as 2."`,
  );
  expect(await generate({ sampler: 'plms' })).toMatchInlineSnapshot(
    `"ValueError: [sampler] no sampler is called "plms". Known: euler, heun, euler-ancestral, ddim, dpmpp-2m, dpmpp-2m-sde, unipc, adams-bashforth. Or pass a function of your own."`,
  );
  expect(await generate({ routing: 'best' })).toMatchInlineSnapshot(
    `"ValueError: [routing] there is no policy "best". Write full, top2, threshold0.05, nucleus0.9 or sample1 with your own number, and @0.5 after it for a temperature, resident- before it for the experts that are loaded."`,
  );
  expect(await generate({ routing: 'top8' })).toMatchInlineSnapshot(
    `"ValueError: [top] asked for 8 experts of 3. Ask for no more than there are."`,
  );
  expect(await generate({ routing: () => Float32Array.of(1, 1, 1) })).toMatchInlineSnapshot(
    `"ValueError: [routing] the policy gave picture 0 the weights [1, 1, 1]. Give 3 that are not negative and sum to 1."`,
  );
  expect(await generate({ routing: () => Float32Array.of(1, 0) })).toMatchInlineSnapshot(
    `"ValueError: [routing] the policy gave picture 0 the weights [1, 0]. Give 3 that are not negative and sum to 1."`,
  );
  expect(await generate({ times: Float64Array.of(0, 1) })).toMatchInlineSnapshot(
    `"ValueError: [generate] times is given with steps, schedule or shift. Give one of them."`,
  );
  await pipeline.close();
  expect(await generate({ prompt: 'red circle' })).toMatchInlineSnapshot(
    `"ValueError: [generate] the pipeline was closed. Load the model again."`,
  );
});

it('parts', async () => {
  expect(saidBy(() => uniformTimes(2.5))).toMatchInlineSnapshot(
    `"ValueError: [uniformTimes] steps is 2.5. Give a whole number from 1 on."`,
  );
  expect(saidBy(() => shiftLogSnr(linearPath, uniformTimes(2), Number.POSITIVE_INFINITY))).toMatchInlineSnapshot(
    `"ValueError: [shiftLogSnr] shift is Infinity. Give a finite number."`,
  );
  expect(saidBy(() => noisePath('ddpm'))).toMatchInlineSnapshot(
    `"ValueError: [noisePath] no noise path is called "ddpm". Known: "linear", "cosine". Pass yours as paths: [mine]."`,
  );
  expect(saidBy(() => tileImages([], 2))).toMatchInlineSnapshot(
    `"ValueError: [tileImages] 0 pictures in 2 columns. Pass one of each at least."`,
  );
  const picture = { width: 2, height: 2, data: new Uint8Array(3) };
  expect(saidBy(() => encodePng(picture))).toMatchInlineSnapshot(
    `"ShapeError: [encodePng] a picture has 3 × 2 × 2 = 12 bytes, got 3. Pass RGB without alpha."`,
  );
  const whole = { ...picture, data: new Uint8Array(12) };
  expect(await saidBy(() => savePng('/nowhere/cat.png', whole))).toMatchInlineSnapshot(
    `"StoreError: [savePng] /nowhere/cat.png cannot be written (ENOENT). Make its folder first."`,
  );
});
