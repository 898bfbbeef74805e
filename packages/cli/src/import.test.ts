// A file of weights becomes a model folder, by the command.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeStore } from '@paris/files/node';
import { readHeader } from '@paris/files/safetensors';
import { parseModelIndex } from '@paris/model';
import { afterAll, expect, it } from 'vitest';
import { commandHere } from './testing/paris-here.js';

const base = await mkdtemp(join(tmpdir(), 'paris-import-'));
afterAll(() => rm(base, { recursive: true }));
const file = fileURLToPath(new URL('../../files/fixtures/checkpoint/dit.pt', import.meta.url));

const run = async (...args: string[]) => (await commandHere(['import', ...args])).stderr;

it('writes a model that lists its files, and says what it was', async () => {
  const out = join(base, 'model');
  const said = await run(file, '--out', out, '--heads', '2', '--weights', 'f32');
  expect(said).toContain('dit.pt is in a file of weights (PyTorch, its ema): facebookresearch/DiT by');
  expect(said).toContain('Its licence: not stated by its source.');
  const store = nodeStore(out);
  const index = parseModelIndex(await store.read('model_index.json'));
  expect(index).toMatchObject({ clusters: 1, codec: 'identity', path: 'ddpm-linear', routing: 'top1' });
  expect(index.provenance.recognised).toContain('epsilon on ddpm-linear');
  const { entries } = await readHeader(store, 'experts/00/model.safetensors');
  expect(new Set(entries.map(({ dtype }) => dtype))).toEqual(new Set(['F32']));
  const again = await run(file, '--out', out, '--heads', '2');
  expect(again).toContain('[import] the folder to write has files already. Give a new one.');
});

it('says how weights can be written, and packs them', async () => {
  const out = join(base, 'packed');
  expect(await run(file, '--out', out, '--weights', 'int4')).toMatch(/Allowed choices are f32, f16, q8, q4\./);
  await run(file, '--out', out, '--heads', '2', '--weights', 'q8');
  const store = nodeStore(out);
  expect(parseModelIndex(await store.read('model_index.json')).weights).toBe('q8');
  const { entries } = await readHeader(store, 'experts/00/model.safetensors');
  const packed = entries.filter(({ name }) => name.endsWith('.q8'));
  expect(packed.map(({ name }) => name)).toContain('layers.0.attn.in_proj_weight.q8');
  expect(new Set(entries.filter(({ name }) => /bias|embed/.test(name)).map(({ dtype }) => dtype))).toEqual(
    new Set(['F16']),
  );
});

it('says what is missing', async () => {
  expect(await run(file, '--out', join(base, 'x'))).toContain(
    'a width of 8 does not tell the number of heads. Say it, as heads.',
  );
  expect(await run(file, '--out', join(base, 'x'), '--key', 'opt')).toContain(
    'it holds no tensors under "opt", but under "model", "ema"',
  );
  expect(await run(join(base, 'nothing.pt'), '--out', join(base, 'x'))).toContain('there is no file "nothing.pt"');
});
