import { readFile } from 'node:fs/promises';
import { memoryStore } from '@paris/files';
import type { HostTensor } from '@paris/files/safetensors';
import { parseSafetensors, readSafetensors, writeSafetensors } from '@paris/files/safetensors';
import { requireCapability } from '@paris/test-tools';
import { expect, it } from 'vitest';
import type { FloatDType } from '../graph/dtype.js';
import { type Device, flattenTree, openDevice, type Tensor, unflattenTree } from '../index.js';
import { uploadTensor } from './upload.js';

const file = new URL('../../../files/fixtures/safetensors/reference.safetensors', import.meta.url);
const reference = async () => new Uint8Array(await readFile(file));

it('tensors of a file arrive on the device, and come back as the same bytes', async (context) => {
  const device = await openDevice().catch(() => undefined);
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  const bytes = await reference();
  const names = Object.keys(parseSafetensors(bytes)).filter((name) => name !== 'layers.10.bias'); // f16 is not everywhere
  const tensorsOfFile = await readSafetensors(memoryStore({ f: bytes }), 'f');
  const tensors = Object.fromEntries(names.map((name) => [name, uploadTensor(device!, tensorsOfFile[name]!)]));
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

it('puts tensors on a device, bf16 as f32 and u8 as u32, and floats as asked', async () => {
  const tensors = parseSafetensors(await reference());
  const device = { tensor: (data: unknown, options: object) => ({ data, ...options }) } as unknown as Device;
  const upload = (name: string, floats?: FloatDType) => uploadTensor(device, tensors[name]!, floats);
  expect(upload('layers.10.bias')).toEqual(tensors['layers.10.bias']);
  expect(upload('layers.10.bias', 'f32')).toEqual({ ...tensors['layers.10.bias'], dtype: 'f32' });
  expect(upload('brain')).toEqual({ ...tensors.brain, dtype: 'f32' });
  expect(upload('brain', 'f16')).toEqual({ ...tensors.brain, dtype: 'f16' });
  expect(upload('bytes', 'f16')).toEqual({ data: Uint32Array.of(0, 127, 255), shape: [3], dtype: 'u32' });
  expect(upload('flags', 'f16')).toEqual(tensors.flags);
});
