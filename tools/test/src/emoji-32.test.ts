// The model in models/emoji is whole, small enough for a repository, says where it is from, and has learned something.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { nodeStore } from '@paris/files/node';
import { chunkBytes, parseModelIndex, verifiedStore } from '@paris/model';
import { openDevice } from '@paris/tensor';
import { checkControls, evaluate } from '@paris/trainer';
import { expect, it } from 'vitest';

const folder = (path: string) => nodeStore(fileURLToPath(new URL(path, import.meta.url)));
const model = folder('../../../models/emoji');
const index = async () => parseModelIndex(await model.read('model_index.json'));

it('has the bytes that its index promises, of 25 MB at most', async () => {
  const { files, clusters, latent } = await index();
  expect([clusters, latent]).toEqual([8, { channels: 3, height: 32, width: 32 }]);
  const verified = verifiedStore(model, await index());
  for (const { path, sizeBytes } of files) {
    for (let offset = 0; offset < sizeBytes; offset += chunkBytes) {
      await verified.read(path, { offset, length: Math.min(chunkBytes, sizeBytes - offset) });
    }
  }
  const sizes = await Promise.all((await model.list()).map((path) => model.size(path)));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(25e6);
});

it('has a card that names every source of its index with its licence', async () => {
  const { licence, provenance } = await index();
  expect(licence).toBe('Apache-2.0 AND CC-BY-4.0 AND MIT');
  const card = new TextDecoder().decode(await model.read('README.md'));
  const sources = provenance.sources!.split(/, (?=[A-Z])/).map((source) => source.replace(/ \(\d+ pictures\)$/, ''));
  expect(sources).toHaveLength(7);
  for (const source of sources) expect(card).toContain(source);
});

it('is in no package that is published', async () => {
  const { workspaces } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  expect(workspaces.some((path: string) => path.startsWith('models'))).toBe(false);
});

it('is better as a mixture than its best expert, and than with the weights of other pictures', async () => {
  const device = await openDevice({ require: 'cpu' });
  const data = folder('../fixtures/emoji-32');
  const evaluation = await evaluate({ device, model, data, timeCount: 4, batchSize: 32 });
  await device.close();
  const controls = checkControls(evaluation).filter(({ name }) => name.startsWith('top-2'));
  expect(controls).toHaveLength(2);
  for (const { passed, detail } of controls) expect(passed, detail).toBe(true);
});
