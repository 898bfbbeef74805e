// Shader functions as they are written: TypeGPU functions, which run on the CPU as JavaScript, too. Tests see them so. In
// what we publish they are WGSL (build/shaders.ts), so that a page brings no shader compiler.
import tgpu, { d, std, type TgpuFn } from 'typegpu';
import type { BaseData, InferGPU } from 'typegpu/data';
import type { ComputeType } from '../graph/dtype.js';
import type { ElementKernel, ShaderFunction } from '../graph/shader-function.js';

/** TypeGPU's types and functions that our shaders use, under the names that it gives them. */
export { d, std };

/** A TypeGPU function that kernels can call. */
export type Shader<F extends (...args: never[]) => unknown = (...args: never[]) => unknown> = TgpuFn<F> &
  ShaderFunction;

/** A shader function of these types: `tgpu.fn` in one call. It must be called `fn` for TypeGPU's plugin to name what it makes. */
export function fn<Args extends BaseData[] | [], Return extends BaseData>(
  argTypes: Args,
  returnType: Return,
  body: (...args: { [K in keyof Args]: InferGPU<Args[K]> }) => InferGPU<Return>,
): Shader<(...args: Args) => Return> {
  return shaderFunction(tgpu.fn(argTypes, returnType)(body as never) as unknown as TgpuFn<(...args: Args) => Return>);
}

/**
 * A TypeGPU function as a shader function for `unary`, `binary` and `elementwise`: the same object, whose WGSL is made when a
 * kernel first needs it.
 */
export function shaderFunction<F extends TgpuFn>(made: F): F & ShaderFunction {
  let declarations: readonly string[] | undefined;
  return Object.defineProperty(made, 'declarations', {
    get: () => {
      declarations ??= tgpu
        .resolve([made], { names: 'strict' })
        .trim()
        .split(/\n{2,}(?=\S)/);
      return declarations;
    },
  }) as F & ShaderFunction;
}

/**
 * The kernel of `unary` and `binary` as a function with `'use gpu'`: needs TypeGPU's build plugin.
 * @example
 * const halved = unary({ name: 'halved', kernel: element((x) => { 'use gpu'; return x * 0.5; }), vjp });
 */
export function element<Elements extends readonly number[]>(
  body: (...elements: [...Elements]) => number | boolean,
): ElementKernel {
  return {
    compile(name, operands, type, result) {
      const make = tgpu.fn(new Array<BaseData>(operands).fill(computeTypes[type]), computeTypes[result]);
      return shaderFunction((make(body as never) as TgpuFn).$name(name));
    },
  };
}

/** TypeGPU's name of each type that elements are computed in. */
const computeTypes: Readonly<Record<ComputeType, BaseData>> = { f32: d.f32, i32: d.i32, u32: d.u32, bool: d.bool };
