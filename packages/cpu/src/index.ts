// WebGPU's compute interface on WebAssembly. One call makes a GPU; everything else is WebGPU.
import { compileProgram } from './compile/compile.js';
import type { Compiler } from './gpu/compiler.js';
import { flags } from './gpu/flags.js';
import { type CreateGpuOptions, Gpu } from './gpu/gpu.js';
import { LANGUAGE_FEATURES, parseModule } from './wgsl/parse-module.js';

export type { CreateGpuOptions };

const compiler: Compiler = {
  languageFeatures: LANGUAGE_FEATURES,
  parse: parseModule,
  compile: compileProgram,
};

/**
 * Makes an object with the interface of `navigator.gpu` whose devices compute on this machine's processors: WGSL becomes
 * WebAssembly, and workers carry it out. Textures, samplers and rendering are validation errors.
 *
 * @throws RangeError if `threads` is not an integer from 1 to 256
 * @example
 * const gpu = createGpu();
 * const adapter = await gpu.requestAdapter();
 * const device = await adapter!.requestDevice();
 */
export function createGpu(options: CreateGpuOptions = {}): GPU {
  return new Gpu(compiler, options);
}

/**
 * `GPUBufferUsage`, `GPUMapMode` and the other namespaces of flags, for platforms without WebGPU:
 * `Object.assign(globalThis, globals)`.
 */
export const globals: typeof flags = flags;
