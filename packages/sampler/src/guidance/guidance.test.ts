import type { Condition } from '@paris/model';
import { type Device, openDevice, type Tensor } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifierFreeGuidance } from './guidance.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const u32 = (values: number[], shape: number[]) =>
  device.tensor(Uint32Array.from(values), { shape, dtype: 'u32' }) as Tensor;
const f32 = (values: number[], shape: number[]) => device.tensor(Float32Array.from(values), { shape }) as Tensor;
const label = (...values: number[]): Condition => ({ kind: 'label', label: u32(values, [values.length]) });

describe('classifierFreeGuidance', () => {
  it('is unconditional + guidance · (conditional − unconditional), in one call of twice the batch', async () => {
    const batches: number[] = [];
    // latents + time + 10 · label: conditional labels 1 and 2, unconditional 0
    const predict = (latents: Tensor, time: Tensor, condition?: Condition) => {
      batches.push(latents.shape[0]!);
      if (condition?.kind !== 'label') throw new Error('no label');
      const rows = time.add(condition.label.cast('f32').mul(10));
      return latents.add(rows.reshape([-1, 1, 1, 1]));
    };
    const latents = f32([1, 2], [2, 1, 1, 1]);
    const time = f32([0.5, 0.25], [2]);
    const conditions = { condition: label(1, 2), unconditional: label(0, 0) };
    const guided = classifierFreeGuidance(predict, latents, time, conditions, f32([3], []));
    expect(guided.shape).toEqual([2, 1, 1, 1]);
    expect([...(await guided.read())]).toEqual([1.5 + 3 * 10, 2.25 + 3 * 20]);
    expect(batches).toEqual([4]);
  });

  it('refuses two kinds of condition, and a mask on one side only', () => {
    const predict = (latents: Tensor) => latents;
    const [latents, time, guidance] = [f32([1], [1, 1, 1, 1]), f32([0], [1]), f32([2], [])];
    const tokens: Condition = { kind: 'tokens', ids: u32([1, 0], [1, 2]) };
    const masked: Condition = { ...tokens, mask: u32([1, 0], [1, 2]).cast('bool') };
    const guide = (condition: Condition, unconditional: Condition) => () =>
      classifierFreeGuidance(predict, latents, time, { condition, unconditional }, guidance);
    expect(guide(tokens, label(0))).toThrow(
      "[condition] the condition is of kind 'tokens', the unconditional 'label'. Encode both alike.",
    );
    expect(guide(masked, tokens)).toThrow(
      '[condition] only one of condition and unconditional has a mask. Encode both alike.',
    );
  });
});
