import { type Device, openDevice, type Tensor } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  type Condition,
  concatConditions,
  disposeCondition,
  gatherCondition,
  gatherRows,
  tokenCondition,
} from './condition.js';

let device: Device;
beforeAll(async () => {
  const opened = await openDevice().catch(() => undefined);
  if (opened) device = opened;
});
beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
afterAll(() => device?.close());

const u32 = (values: number[], shape: number[]) =>
  device.tensor(Uint32Array.from(values), { shape, dtype: 'u32' }) as Tensor;
const f32 = (values: number[], shape: number[]) => device.tensor(Float32Array.from(values), { shape }) as Tensor;

it('takes rows in any order, of any dtype', async () => {
  const picked = u32([2, 0, 2], [3]);
  const floats = gatherRows(f32([1, 2, 3, 4, 5, 6], [3, 2, 1]), picked);
  expect(floats.shape).toEqual([3, 2, 1]);
  expect([...(await floats.read())]).toEqual([5, 6, 1, 2, 5, 6]);
  const whole = gatherRows(u32([7, 8, 16777215], [3]), picked);
  expect(whole.dtype).toBe('u32');
  expect([...(await whole.read())]).toEqual([16777215, 7, 16777215]);
});

it('takes the same rows of every tensor of a condition', async () => {
  const condition: Condition = {
    kind: 'tokens',
    ids: u32([1, 2, 3, 4], [2, 2]),
    mask: u32([1, 0, 1, 1], [2, 2]).cast('bool'),
  };
  const gathered = gatherCondition(condition, u32([1, 1], [2]));
  if (gathered.kind !== 'tokens') throw new Error('another kind');
  expect([...(await gathered.ids.read())]).toEqual([3, 4, 3, 4]);
  expect([...(await gathered.mask!.read())]).toEqual([1, 1, 1, 1]);
});

it('puts the rows of two conditions of one kind after each other', async () => {
  const embedded = (...values: number[]): Condition => ({
    kind: 'embeddings',
    tokens: f32(values, [1, 1, values.length]),
  });
  const both = concatConditions(embedded(1, 2), embedded(3, 4));
  if (both.kind !== 'embeddings') throw new Error('another kind');
  expect(both.tokens.shape).toEqual([2, 1, 2]);
  expect([...(await both.tokens.read())]).toEqual([1, 2, 3, 4]);
  const label: Condition = { kind: 'label', label: u32([1], [1]) };
  expect(() => concatConditions(label, embedded(1))).toThrow(
    "the condition is of kind 'label', the unconditional 'embeddings'",
  );
});

it('is word ids with a mask or without, and gives all its memory back', async () => {
  expect(Object.keys(tokenCondition(u32([1], [1, 1])))).toEqual(['kind', 'ids']);
  const masked = tokenCondition(u32([1], [1, 1]), u32([1], [1, 1]));
  disposeCondition(masked);
  if (masked.kind !== 'tokens') throw new Error('another kind');
  await expect(masked.ids.read()).rejects.toThrow('was disposed');
  await expect(masked.mask!.read()).rejects.toThrow('was disposed');
});
