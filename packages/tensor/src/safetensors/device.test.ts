import { readFile } from 'node:fs/promises';
import { requireCapability } from '@paris/test-tools';
import { expect, it } from 'vitest';
import { flattenTree, openDevice, type Tensor, unflattenTree } from '../index.js';
import { memoryStore } from '../store/memory.js';
import type { HostTensor } from './dtypes.js';
import { parseSafetensors, readSafetensors, uploadTensor } from './read.js';
import { writeSafetensors } from './write.js';

it('tensors of a file arrive on the device, and come back as the same bytes', async (context) => {
  const device = await openDevice().catch(() => undefined);
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  const bytes = new Uint8Array(
    await readFile(new URL('../../fixtures/safetensors/reference.safetensors', import.meta.url)),
  );
  const names = Object.keys(parseSafetensors(bytes)).filter((name) => name !== 'layers.10.bias'); // f16 is not everywhere
  const file = await readSafetensors(memoryStore({ f: bytes }), 'f');
  const tensors = Object.fromEntries(names.map((name) => [name, uploadTensor(device!, file[name]!)]));
  const saved: [string, HostTensor][] = [];
  for (const { path, value } of flattenTree<Tensor>(unflattenTree(flattenTree<Tensor>(tensors)))) {
    saved.push([path, { data: await value.read(), shape: value.shape, dtype: value.dtype }]);
  }
  const again = parseSafetensors(writeSafetensors(Object.fromEntries(saved)));
  const expected = parseSafetensors(bytes);
  expect(Object.keys(again).sort()).toEqual(names.sort());
  for (const [name, { data, shape }] of Object.entries(again)) {
    expect([...data], name).toEqual([...expected[name]!.data]);
    expect(shape, name).toEqual(expected[name]!.shape);
  }
  await device!.close();
});
