// What a memory budget costs: `node src/residency.js [--pictures 8] [--steps 4]`. Eight experts of random weights in a folder, sampled
// with room for all, four, two and one of them. Prints one JSON object; times are processor seconds, for machines that are shared.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createDiT, parseDiTConfig } from '@paris/dit';
import { encodeJson } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { writeSafetensors } from '@paris/files/safetensors';
import { expertFolder, writeModelIndex } from '@paris/model';
import { createRouter, parseRouterConfig } from '@paris/router';
import { loadPipeline } from '@paris/sampler';
import { flattenTree, hostNormal, key, openDevice } from '@paris/tensor';

const EXPERTS = 8;
const SIZES = { inputSize: 8, channels: 3, patchSize: 2, heads: 8 };
const EXPERT = { ...SIZES, architecture: 'dit', condition: { kind: 'label', classes: 2 } };
const ROUTER = { ...SIZES, architecture: 'router-transformer', hiddenSize: 64, depth: 2, clusters: EXPERTS };

/**
 * @param {{ pictures: number, steps: number, hiddenSize?: number, depth?: number }} options of experts: their width and blocks
 * @returns {Promise<Record<string, unknown>>}
 */
export async function residency({ pictures, steps, hiddenSize = 384, depth = 6 }) {
  const folder = await mkdtemp(join(tmpdir(), 'paris-residency-'));
  const device = await openDevice();
  try {
    await writeModel(folder, { ...EXPERT, hiddenSize, depth });
    const { bytes, others } = await sizesOf(folder, device);
    const rows = [];
    /** @type {Uint8Array[] | undefined} */
    let expected;
    for (const resident of [EXPERTS, 4, 2, 1]) {
      const pipeline = await loadPipeline(folder, { device, memoryBudgetBytes: others + resident * bytes });
      const draw = () =>
        pipeline.generate({ label: 0, guidance: 1, count: pictures, batchSize: pictures, steps, routing: twoEach });
      await draw(); // compiles, and brings what fits
      const [before, began] = [residencyOf(pipeline), process.cpuUsage()];
      const { images } = await draw();
      const { user, system } = process.cpuUsage(began);
      const after = residencyOf(pipeline);
      const loads = after.loads - before.loads;
      const loadMs = after.loadMilliseconds - before.loadMilliseconds;
      const pixels = images.map(({ data }) => data);
      expected ??= pixels;
      rows.push({
        resident,
        processorSeconds: round((user + system) / 1e6),
        loads,
        loadedMB: round((after.loadedBytes - before.loadedBytes) / 1e6),
        millisecondsPerLoad: loads === 0 ? 0 : round(loadMs / loads),
        samePictures: pixels.every((data, i) => Buffer.compare(data, expected?.[i] ?? new Uint8Array()) === 0),
      });
      await pipeline.close();
    }
    return { adapter: device.info.adapter, expertMB: round(bytes / 1e6), pictures, steps, rows };
  } finally {
    await device.close();
    await rm(folder, { recursive: true });
  }
}

/** Two experts a picture, others for its neighbours: four pictures and more need all at every step. @type {import('@paris/sampler').RoutingPolicy} */
const twoEach = (probabilities, { imageIndex }) =>
  probabilities.map((_, k) => (Math.floor(k / 2) === imageIndex % (EXPERTS / 2) ? 0.5 : 0));

/** @param {string} folder @param {object} config of an expert */
async function writeModel(folder, config) {
  const store = nodeStore(folder);
  const write = async (
    /** @type {string} */ at,
    /** @type {object} */ config,
    /** @type {unknown} */ params,
    /** @type {number} */ seed,
  ) => {
    await store.write(`${at}/config.json`, encodeJson(config));
    /** @type {Record<string, import('@paris/files/safetensors').HostTensor>} */
    const tensors = {};
    for (const [i, { path, value }] of flattenTree(params).entries()) {
      const { shape } = /** @type {import('@paris/tensor').Tensor} */ (value);
      const size = shape.reduce((product, n) => product * n, 1);
      const numbers = hostNormal(key(seed).foldIn(i), Math.min(size, 4099)); // again and again: drawing all takes longer than the rest
      const data = Float32Array.from(
        { length: size },
        (_, j) => 0.03 * /** @type {number} */ (numbers[j % numbers.length]),
      );
      tensors[path] = { data, shape, dtype: 'f32' };
    }
    await store.write(`${at}/model.safetensors`, writeSafetensors(tensors));
  };
  const expert = createDiT(parseDiTConfig(config));
  for (let k = 0; k < EXPERTS; k++) await write(expertFolder(k), config, expert.init(key(0)), k);
  await write('router', ROUTER, createRouter(parseRouterConfig(ROUTER)).init(key(0)), EXPERTS);
  const latent = { channels: SIZES.channels, height: SIZES.inputSize, width: SIZES.inputSize };
  await writeModelIndex(store, { clusters: EXPERTS, latent, licence: 'CC0-1.0' });
}

/** Bytes of device memory of one expert, and of all that is none. @param {string} folder @param {import('@paris/tensor').Device} device */
async function sizesOf(folder, device) {
  const memoryBudgetBytes = 2 ** 40; // room for anything
  const pipeline = await loadPipeline(folder, { device, memoryBudgetBytes });
  try {
    await pipeline.preload(0);
    const { loadedBytes, budgetBytes } = residencyOf(pipeline);
    return { bytes: loadedBytes, others: memoryBudgetBytes - budgetBytes };
  } finally {
    await pipeline.close();
  }
}

/** How experts came and went: there is a budget. @param {import('@paris/sampler').Pipeline} pipeline */
function residencyOf(pipeline) {
  return { .../** @type {import('@paris/sampler').Residency} */ (pipeline.residency) };
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { pictures: { type: 'string', default: '8' }, steps: { type: 'string', default: '4' } },
  });
  const { pictures, steps } = values;
  console.log(JSON.stringify(await residency({ pictures: Number(pictures), steps: Number(steps) }), undefined, 2));
}
