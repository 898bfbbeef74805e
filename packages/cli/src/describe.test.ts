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
  expect(weights).toMatch(/^weights +2,423.9 MB in f32, 1,211.9 MB in f16, 610.3 MB in q8, 344.6 MB in q4$/);
  expect(forward).toMatch(/^forward +289.0 GFLOP \(2 × multiply-accumulates\) for one picture, 77 words$/);
  expect(activations).toMatch(/^activations +\d+(\.\d)? MB in f32, /);
  expect(await describe('router-b-2')).toMatch(/router, 129,136,904 parameters in 134 tensors\n.*in f16\n.*46.2 GFLOP/);
});

it('says how many of eight experts fit where, by format', async () => {
  const told = await describe('dit-xl-2');
  // All of Paris in 4 bits: an expert's matrices at 4.5 bits a number, which are those of 28 blocks (16 d²), of the modulation
  // of all blocks (6 d²) and of the text (768 d), and the rest at 16.
  const packed = (28 * 16 + 6) * 1152 ** 2 + 768 * 1152;
  const megabytes = (8 * ((packed * 4.5) / 8 + (605_970_448 - packed) * 2)) / 1e6;
  expect(megabytes).toBeCloseTo(2756.5, 1);
  expect(told).toMatch(/\n8 of 8 loaded +19,391.1 MB in f32, 9,695.5 MB in f16, 4,882.1 MB in q8, 2,756.5 MB in q4\n/);
  expect(told).toMatch(/\n2 of 8 loaded +4,847.8 MB in f32, .*, 689.1 MB in q4\n/);
  expect(told).toMatch(/\nin 4 GiB +1 of 8 in f32, 3 of 8 in f16, 7 of 8 in q8, all in q4\n/);
  expect(told).toMatch(/\nin 16 GiB +7 of 8 in f32, all in f16, all in q8, all in q4\n/);
});

it('says of the smaller presets that they are no published layout', async () => {
  for (const name of ['dit-b-2', 'dit-s-2']) {
    expect(await describe(name)).toMatch(
      /\nlayout +the released XL\/2 expert's at this size, not that of the published B\/2 experts\n/,
    );
  }
  expect(await describe('dit-xl-2')).not.toContain('published B/2');
});

it.each(['constructor', '__proto__', 'toString'])('%s is no preset', async (name) => {
  await expect(describe(name)).rejects.toThrow(
    `[info] ${name} is neither a model, run, data or codec folder nor a preset`,
  );
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
  const hostile = `MIT\u001b]0;owned\u0007\nrouting  top1${'x'.repeat(5000)}`;
  await writeModelIndex(store, { clusters: 2, latent, licence: hostile, provenance: { 'a\nb': 'c\u202ed' } });
  const told = await describe(folder);
  await rm(folder, { recursive: true });
  const mflop = (2 * ditCost(parseDiTConfig(expert)).macs) / 1e6;
  expect(told).toMatch(/\nlicence {8}MIT\\u001b\]0;owned\\u0007\\nrouting {2}top1x{1973}…\na\\nb {11}c\\u202ed\n/);
  expect(told).toMatch(/\nexperts\/00 {5}dit, 11,088 parameters in 22 tensors, 44.4 kB in f32\n/); // 4 · 11,088
  expect(told).toMatch(/\nexperts\/01 .* 22 tensors, (38.2 kB in f32, 3.1 kB in f16|3.1 kB in f16, 38.2 kB in f32)\n/);
  expect(told).toContain(`a forward: ${mflop.toFixed(2)} MFLOP, activations `);
  expect(told).toMatch(/\nrouter {9}router-transformer, 10,434 parameters in 24 tensors, 41.7 kB in f32\n/);
  // f32: 4 · (11,088 + 10,434). Nothing is as wide as the 32 numbers that share a scale of q4, but for mlp.2, [16, 64].
  expect(told).toMatch(/\n1 of 2 loaded {2}86.1 kB in f32, 43 kB in f16, /);
  expect(told).not.toContain('GiB');
});

it('names the presets where it is given something else', async () => {
  await expect(describe('/nowhere/dit-xxl')).rejects.toThrow(
    '[info] /nowhere/dit-xxl is neither a model, run, data or codec folder nor a preset (dit-xl-2, dit-l-2, dit-b-2, dit-s-2, router-b-2).',
  );
});
