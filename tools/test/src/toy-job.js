// A job small enough to be trained while one waits: discs and squares on 8 pixels, one cluster, a network of a few thousand numbers.
import { dit } from '@paris/dit';
import { memoryStore } from '@paris/files';
import { buildVocabulary, encodeCaptions } from '@paris/model';
import { openDevice } from '@paris/tensor';
import { createJobBundle, ditConfig, partitionData, writeManifestFolder } from '@paris/trainer';

const size = 8;
const colours = /** @type {const} */ ({ red: [214, 40, 57], blue: [36, 116, 198], green: [42, 157, 92] });
const shapes = /** @type {const} */ (['disc', 'square']);

/**
 * @param {{ secretKey: string, steps: number, proveEvery?: number, maxHours?: number }} how
 * @returns {Promise<{ job: Uint8Array, data: import('@paris/files').FileStore }>}
 */
export async function toyJob({ secretKey, steps, proveEvery = 50, maxHours }) {
  const data = memoryStore();
  const captions = shapes.flatMap((shape) =>
    Object.keys(colours).flatMap((colour) => Array.from({ length: 4 }, () => `${colour} ${shape}`)),
  );
  const images = new Uint8Array(captions.length * 3 * size * size);
  for (const [i, caption] of captions.entries()) draw(images, i, caption);
  const vocabulary = buildVocabulary(captions, 20);
  const items = captions.map((caption, i) => ({
    ...{ id: `${i}.png`, caption, group: `${i}`, split: /** @type {const} */ ('train') },
    licence: i % 3 === 0 ? 'CC0-1.0' : 'CC-BY-4.0',
    source: i % 3 === 0 ? 'https://example.org/museum' : 'a friend’s drawings',
  }));
  const manifest = {
    ...{ version: /** @type {const} */ (1), size, channels: 3, maxTokens: 4, vocabulary, count: items.length, items },
    normalization: { scale: 127.5, offset: -1 },
    holdout: { fraction: 0, seed: 0, by: /** @type {const} */ ('group') },
    skipped: [],
  };
  await writeManifestFolder(data, manifest, { images, tokens: encodeCaptions(captions, vocabulary, 4) });
  const device = await openDevice({ require: 'cpu' });
  await partitionData({ device, data, clusters: 1 });
  await device.close();
  const job = await createJobBundle({
    ...{ data, cluster: 0, architecture: dit, config: ditConfig({ patch: 4, width: 32, depth: 1, heads: 2 }) },
    training: { steps, batchSize: 4, learningRate: 0.01, emaDecay: 0.95 },
    ...{ proveEvery, maxHours, secretKey },
  });
  return { job, data };
}

/** @param {Uint8Array} images [N, 3, S, S] @param {number} i @param {string} caption */
function draw(images, i, caption) {
  const [colour = 'red', shape] = caption.split(' ');
  const rgb = colours[/** @type {keyof typeof colours} */ (colour)];
  const radius = 2 + 0.4 * (i % 4);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [dx, dy] = [Math.abs(x - 3.5), Math.abs(y - 3.5)];
      const inside = shape === 'disc' ? Math.hypot(dx, dy) <= radius : Math.max(dx, dy) <= radius;
      for (const [c, level] of rgb.entries()) images[(3 * i + c) * size * size + y * size + x] = inside ? level : 245;
    }
  }
}
