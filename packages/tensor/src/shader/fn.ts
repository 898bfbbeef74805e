import tgpu, { isTgpuFn, type TgpuFn } from 'typegpu';
import type { BaseData, InferGPU } from 'typegpu/data';
import { type ComputeType, computeType, type DType } from '../graph/dtype.js';
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

/** One element in WGSL; f16 arrives widened to f32. An object where integers need a body of their own. */
export type ElementKernel = TgpuFn | Partial<Record<ComputeType, TgpuFn>>;

/** A TypeGPU function for each type that the dtypes are computed in, of one `'use gpu'` function of so many inputs. */
export function kernelOf(
  kernel: (...elements: never[]) => unknown,
  inputs: number,
  dtypes: readonly DType[],
  result?: DType,
): ElementKernel {
  if (isTgpuFn(kernel)) return kernel;
  const made = [...new Set(dtypes.map(computeType))].map((type) => {
    const args = new Array<BaseData>(inputs).fill(computeTypes[type]);
    return [type, tgpu.fn(args, computeTypes[computeType(result ?? type)])(kernel as never)];
  });
  return Object.fromEntries(made);
}
