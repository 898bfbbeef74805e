import tgpu, { type TgpuFn } from 'typegpu';
import type { BaseData, InferGPU } from 'typegpu/data';
import type { ComputeType } from '../graph/dtype.js';
import * as d from './data.js';

/** A shader function of these types: `tgpu.fn` in one call. It must be called `fn` for TypeGPU's plugin to name what it makes. */
export function fn<Args extends BaseData[] | [], Return extends BaseData>(
  argTypes: Args,
  returnType: Return,
  body: (...args: { [K in keyof Args]: InferGPU<Args[K]> }) => InferGPU<Return>,
): TgpuFn<(...args: Args) => Return> {
  return tgpu.fn(argTypes, returnType)(body as never) as unknown as TgpuFn<(...args: Args) => Return>;
}

/** TypeGPU's name of each type that elements are computed in. */
export const computeTypes: Readonly<Record<ComputeType, BaseData>> = {
  f32: d.f32,
  i32: d.i32,
  u32: d.u32,
  bool: d.bool,
};
