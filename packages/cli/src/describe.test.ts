import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ditCost, ditParameterShapes, parseDiTConfig } from '@paris/dit';
import { nodeStore } from '@paris/files/node';
import { writeSafetensors } from '@paris/files/safetensors';
import { writeModelIndex } from '@paris/model';
import { parseRouterConfig, routerParameterShapes } from '@paris/router';
import { expect, it } from 'vitest';
import { describe } from './describe.js';

it('says how large a preset is and what a forward costs', async () => {
  const [name, weights, forward, activations] = (await describe('dit-xl-2')).split('\n');
  expect(name).toMatch(/^dit-xl-2 +expert, 605,970,448 parameters in 378 tensors$/);
  expect(weights).toMatch(/^weights +2,423.9 MB in f32, 1,211.9 MB in f16$/);
  expect(forward).toMatch(/^forward +289.0 GFLOP \(2 × multiply-accumulates\) for one picture, 77 words$/);
  expect(activations).toMatch(/^activations +\d+(\.\d)? MB in f32, /);
  expect(await describe('router-b-2')).toMatch(/router, 129,136,904 parameters in 134 tensors\n.*\n.*46.2 GFLOP/);
});

it('says of the smaller presets that they are no published layout', async () => {
  for (const name of ['dit-b-2', 'dit-s-2']) {
    expect(await describe(name)).toMatch(
      /\nlayout +the released XL\/2 expert's at this size, not that of the published B\/2 experts\n/,
    );
  }
  expect(await describe('dit-xl-2')).not.toContain('published B/2');
});

it('says what the networks of a model hold, by dtype, and what a forward of each costs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paris-info-'));
  const store = nodeStore(folder);
  const sizes = { inputSize: 8, channels: 3, patchSize: 4, hiddenSize: 16, depth: 1, heads: 2 };
  const expert = { architecture: 'dit', ...sizes, condition: { kind: 'label', classes: 3 } };
  const router = { architecture: 'router-transformer', ...sizes, clusters: 2 };
  const write = async (path: string, config: object, shapes: Record<string, readonly number[]>, half: string[]) => {
    await store.write(`${path}/config.json`, new TextEncoder().encode(JSON.stringify(config)));
    const tensors = Object.entries(shapes).map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((size, n) => size * n, 1));
      return [name, { data, shape, dtype: half.includes(name) ? 'f16' : 'f32' } as const] as const;
    });
    await store.write(`${path}/model.safetensors`, writeSafetensors(Object.fromEntries(tensors)));
  };
  const shapes = ditParameterShapes(parseDiTConfig(expert));
  await write('experts/00', expert, shapes, []);
  await write('experts/01', expert, shapes, ['t_block.1.weight']); // [96, 16]
  await write('router', router, routerParameterShapes(parseRouterConfig(router)), []);
  const latent = { channels: 3, height: 8, width: 8 };
  const hostile = 'MIT\u001b]0;owned\u0007\nrouting  top1';
  await writeModelIndex(store, { clusters: 2, latent, licence: hostile, provenance: { 'a\nb': 'c\u202ed' } });
  const told = await describe(folder);
  await rm(folder, { recursive: true });
  const mflop = (2 * ditCost(parseDiTConfig(expert)).macs) / 1e6;
  expect(told).toContain('licence     MIT\\u001b]0;owned\\u0007\\nrouting  top1\na\\nb        c\\u202ed\n');
  expect(told).toMatch(/\nexperts\/00 {2}dit, 11,088 parameters in 22 tensors, 44.4 kB in f32\n/); // 4 · 11,088
  expect(told).toMatch(/\nexperts\/01 .* 22 tensors, (38.2 kB in f32, 3.1 kB in f16|3.1 kB in f16, 38.2 kB in f32)\n/);
  expect(told).toContain(`a forward: ${mflop.toFixed(2)} MFLOP, activations `);
  expect(told).toMatch(/\nrouter {6}router-transformer, 10,434 parameters in 24 tensors, 41.7 kB in f32\n/);
});

it('names the presets where it is given something else', async () => {
  await expect(describe('/nowhere/dit-xxl')).rejects.toThrow(
    '[info] /nowhere/dit-xxl is neither a model, run or data folder nor a preset (dit-xl-2, dit-l-2, dit-b-2, dit-s-2, router-b-2).',
  );
});
