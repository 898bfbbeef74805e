import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPipeline } from '@paris/sampler';
import { expect, it } from 'vitest';
import { filesSource } from './files.js';

const folder = fileURLToPath(new URL('../../../quickstart/model', import.meta.url));
const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => /\.\w+$/.test(path));
const files = new Map(paths.map((path) => [path, new File([readFileSync(join(folder, path))], path)]));

it('is a folder that models load from', async () => {
  const pipeline = await loadPipeline(filesSource(files));
  expect(pipeline.index.clusters).toBe(4);
  await pipeline.close();
});

it('reads spans, and says what is not there', async () => {
  const source = filesSource(files);
  const whole = await source.read('model_index.json');
  expect(await source.size('model_index.json')).toBe(whole.length);
  expect(await source.read('model_index.json', { offset: 4, length: 9 })).toEqual(whole.slice(4, 13));
  expect([await source.exists('model_index.json'), await source.exists('router')]).toEqual([true, false]);
  for (const [offset, length] of [
    [4, whole.length],
    [-1, 4],
    [0.5, 4],
    [0, -1],
  ] as const) {
    const read = source.read('model_index.json', { offset, length });
    await expect(read, `${offset}, ${length}`).rejects.toThrow(`but it has ${whole.length}. Is the file cut off?`);
  }
  await expect(source.read('model_index.json', undefined, { maxBytes: 9 })).rejects.toThrow('at most 9');
  await expect(source.read('codec/model.safetensors')).rejects.toThrow('has no codec/model.safetensors');
  for (const ask of [source.read, source.size, source.exists])
    await expect(ask('../secret')).rejects.toThrow('not a path inside');
});
