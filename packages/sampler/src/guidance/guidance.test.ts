import { type Condition, gatherRows } from '@paris/model';
import { type Device, openDevice, type Tensor } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifierFreeGuidance, type GuidanceTerms, guidanceOf, guided, guidesAt } from './guidance.js';

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

describe('guided', () => {
  // The prediction is the label's picture: [1, 3] conditional, [1, 1] unconditional.
  const pictures: Record<number, number[]> = { 1: [1, 3], 0: [1, 1] };
  const predict = (latents: Tensor, _: Tensor, condition?: Condition) => {
    if (condition?.kind !== 'label') throw new Error('no label');
    const table = f32([...pictures[0]!, ...pictures[1]!], [2, 2]);
    return gatherRows(table, condition.label).reshape(latents.shape).cast('f32');
  };
  const guide = async (terms: Omit<GuidanceTerms, 'scale'>, scale = 3) => {
    const [latents, time] = [f32([0, 0], [1, 1, 1, 2]), f32([0.5], [1])];
    const conditions = { condition: label(1), unconditional: label(0) };
    const output = guided(predict, latents, time, conditions, { scale: f32([scale], []), ...terms }, (x) => x);
    return [...(await output.read())];
  };

  it('rescaled has the deviation of the conditional, or a share of the way to it', async () => {
    expect(await guide({ kind: 'cfg' })).toEqual([1, 7]); // deviation 3; the conditional's is 1
    const whole = await guide({ kind: 'cfg', rescale: f32([1], []) });
    expect(whole[0]).toBeCloseTo(1 / 3, 6);
    expect(whole[1]).toBeCloseTo(7 / 3, 6);
    const half = await guide({ kind: 'cfg', rescale: f32([0.5], []) });
    expect(half[1]).toBeCloseTo(7 * (0.5 / 3 + 0.5), 6);
  });

  it('by apg adds what is orthogonal to the predicted picture alone', async () => {
    // The difference [0, 2] without its part along [1, 3]: [0, 2] − 6/10·[1, 3] = [−0.6, 0.2], twice.
    const [a, b] = await guide({ kind: 'apg' });
    expect(a).toBeCloseTo(1 - 1.2, 6);
    expect(b).toBeCloseTo(3 + 0.4, 6);
    expect(await guide({ kind: 'apg' }, 1)).toEqual([1, 3]);
  });
});

describe('guidanceOf', () => {
  it('fills in the defaults', () => {
    const defaults = { start: 0, stop: 1, rescale: 0, kind: 'cfg' };
    expect(guidanceOf('generate', 4)).toEqual({ scale: 4, ...defaults });
    expect(guidanceOf('generate', { scale: 2, start: 0.25 })).toEqual({ scale: 2, ...defaults, start: 0.25 });
  });

  it.each([
    [Number.NaN, '[generate] guidance is NaN. Give a number such as 2.'],
    [1e39, '[generate] guidance is 1e+39. Give a number such as 2.'],
    [{ scale: -1e300 }, '[generate] guidance.scale is -1e+300. Give a number such as 2.'],
    [{ scale: Number.POSITIVE_INFINITY }, '[generate] guidance.scale is Infinity. Give a number such as 2.'],
    [{ scale: 2, start: 2 }, '[generate] guidance.start is 2. Give a share from 0 to 1.'],
    [{ scale: 2, start: 0.5, stop: 0.4 }, '[generate] guidance.stop is 0.4. Give a share from start, 0.5, to 1.'],
    [{ scale: 2, rescale: -1 }, '[generate] guidance.rescale is -1. Give a share from 0 to 1.'],
    [{ scale: 2, kind: 'pag' as 'cfg' }, "[generate] guidance.kind is pag. Give 'cfg' or 'apg'."],
  ])('refuses %j', (given, text) => expect(() => guidanceOf('generate', given)).toThrow(text));

  it('guides between start and stop, and not at scale 1', () => {
    const middle = guidanceOf('generate', { scale: 2, start: 0.25, stop: 0.5 });
    expect([1, 0.76, 0.75, 0.5, 0.49, 0].map((t) => guidesAt(middle, t, 0))).toEqual([
      false,
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(guidesAt(guidanceOf('generate', 1), 0.5, 0)).toBe(false);
  });
});
