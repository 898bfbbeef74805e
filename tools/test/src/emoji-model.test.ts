// The model that the examples sample has learned something: on pictures that no training saw, the mixture is better than
// its best expert and than itself with the weights of other pictures. Noise in its place does not pass both.
import { fileURLToPath } from 'node:url';
import { type FileStore, memoryStore } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { parseSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { parseModelIndex, writeModelIndex } from '@paris/model';
import { hostNormal, key, openDevice } from '@paris/tensor';
import { probeAdapters } from '@paris/tensor/node';
import { checkControls, evaluate } from '@paris/trainer';
import { expect, it } from 'vitest';
import { requireCapability } from './capability.js';

const folder = (path: string) => nodeStore(fileURLToPath(new URL(path, import.meta.url)));
const committed = folder('../../../examples/quickstart/model');
const heldOut = folder('../fixtures/emoji');

it('the model of the examples passes the controls of a mixture, and noise does not pass both', async (context) => {
  const works = (await probeAdapters()).some((probe) => probe.works);
  requireCapability(context, 'adapter', works, 'no WebGPU adapter works here');
  const device = await openDevice();
  const controls = async (model: FileStore) => {
    const evaluation = await evaluate({ device, model, data: heldOut, timeCount: 4, batchSize: 64 });
    return checkControls(evaluation).filter(({ name }) => name.startsWith('top-2'));
  };
  const learned = await controls(committed);
  const noise = await controls(await noiseLike(committed));
  await device.close();

  expect(learned.map(({ name }) => name)).toEqual([
    'top-2 against the best single expert',
    'top-2 against permuted weights',
  ]);
  for (const { passed, detail } of learned) expect(passed, detail).toBe(true);
  // Two noises averaged are nearer to the truth than one, so the first control alone would not tell noise from a model.
  expect(noise.map(({ passed }) => passed)).toEqual([expect.any(Boolean), false]);
});

it('is small enough for a repository', async () => {
  const sizes = await Promise.all((await committed.list()).map((path) => committed.size(path)));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(500_000);
});

/** The same folder with normal numbers of the same shapes and spread for weights. */
async function noiseLike(model: FileStore): Promise<FileStore> {
  const { clusters, latent, licence } = parseModelIndex(await model.read('model_index.json'));
  const copy = memoryStore();
  for (const [i, path] of (await model.list()).entries()) {
    const bytes = await model.read(path);
    if (!/^(experts|router)\/.*safetensors$/.test(path)) {
      if (path !== 'model_index.json') await copy.write(path, bytes);
      continue;
    }
    const tensors = Object.entries(parseSafetensors(bytes)).map(([name, { shape, dtype, data }], j) => {
      const values = Float32Array.from(data as Float32Array);
      const spread = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
      const noise = hostNormal(key(1).foldIn(i).foldIn(j), values.length).map((x) => x * spread);
      return [name, { shape, dtype, data: noise }] as const;
    });
    await copy.write(path, writeSafetensors(Object.fromEntries(tensors)));
  }
  await writeModelIndex(copy, { clusters, latent, licence: licence ?? 'MIT' });
  return copy;
}
