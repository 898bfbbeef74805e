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

it('names the presets where it is given something else', async () => {
  await expect(describe('/nowhere/dit-xxl')).rejects.toThrow(
    '[info] /nowhere/dit-xxl is neither a model, run or data folder nor a preset (dit-xl-2, dit-l-2, dit-b-2, dit-s-2, router-b-2).',
  );
});
