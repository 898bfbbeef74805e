// WebGPU's compute interface on WebAssembly. One call makes a GPU; everything else is WebGPU.
import { compileProgram } from './compile/compile.js';
import type { Compiler } from './gpu/compiler.js';
import { flags } from './gpu/flags.js';
import { type CreateGpuOptions, Gpu, type SanitizeOptions } from './gpu/gpu.js';
import { interfaces } from './gpu/interfaces.js';
import { parts } from './parts.js';
import { LANGUAGE_FEATURES, parseModule } from './wgsl/check-module.js';

// Code that compiles against our declarations gets WebGPU's from here.
export type * from '#webgpu-types';
export type { Finding, FindingInvocation, FindingKind, FindingPlace } from './sanitize/finding.js';
export type { CreateGpuOptions, SanitizeOptions };

/** SHA-256 of the sources, which the build puts here; what runs from the sources themselves keeps nothing. */
declare const COMPILER_FINGERPRINT: string;

const compiler: Compiler = {
  fingerprint: typeof COMPILER_FINGERPRINT === 'string' ? COMPILER_FINGERPRINT : undefined,
  languageFeatures: LANGUAGE_FEATURES,
  parse: parseModule,
  compile: compileProgram,
  loadSanitizer: async (options) => (await import('./sanitize/index.js')).createSanitizer(options, parts),
};

/**
 * Makes an object with the interface of `navigator.gpu` whose devices compute on this machine's processors: WGSL becomes
 * WebAssembly, and workers carry it out. Textures, samplers and rendering are validation errors.
 *
 * @throws RangeError if `threads` is not an integer from 1 to 256, or a field of `sanitize` is not what it should be
 * @example
 * const gpu = createGpu();
 * const adapter = await gpu.requestAdapter();
 * const device = await adapter!.requestDevice();
 */
export function createGpu(options: CreateGpuOptions = {}): GPU {
  return new Gpu(compiler, options);
}

/** The names that WebGPU adds to the global scope: namespaces of flags, and interfaces to test objects against. */
export type Globals = typeof flags & {
  readonly [name in keyof typeof interfaces]: abstract new (
    ...args: never[]
  ) => object;
};

/**
 * `GPUBufferUsage` and the other flags, `GPUBuffer` and the other interfaces of these devices, for programs that expect them:
 * `Object.assign(globalThis, globals)`. Objects of a platform's own WebGPU are no instances of these.
 */
// A call that bundlers may leave out, as they may not a spread: most pages want createGpu alone.
export const globals: Globals = /* @__PURE__ */ Object.assign({}, flags, interfaces);
