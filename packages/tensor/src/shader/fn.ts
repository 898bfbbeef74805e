import tgpu, { type TgpuFn } from 'typegpu';
import type { BaseData, InferGPU } from 'typegpu/data';

/** A shader function of these types: `tgpu.fn` in one call. It must be called `fn` for TypeGPU's plugin to name what it makes. */
export function fn<Args extends BaseData[] | [], Return extends BaseData>(
  argTypes: Args,
  returnType: Return,
  body: (...args: { [K in keyof Args]: InferGPU<Args[K]> }) => InferGPU<Return>,
): TgpuFn<(...args: Args) => Return> {
  return tgpu.fn(argTypes, returnType)(body as never) as unknown as TgpuFn<(...args: Args) => Return>;
}
