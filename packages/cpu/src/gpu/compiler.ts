// Texts become modules and modules become kernels, each once per process: pipelines with equal text, entry point and constants
// share a kernel, also those of several devices.

import { kernelStore } from '#host';
import type { CompiledKernel } from '../compile/kernel.js';
import type { Program } from '../program/program.js';
import { sizeOf } from '../program/types.js';
import type { DeviceRunner, RunnerHooks } from '../run/runner.js';
import { say } from '../say.js';
import { type Module, ProgramError } from '../wgsl/module.js';
import type { GpuDevice } from './device.js';
import { check, Fault, invalid } from './errors.js';
import type { SanitizeOptions } from './gpu.js';
import { type KnownKernel, KnownKernels } from './known-kernels.js';
import type { GpuShaderModule } from './pipeline.js';

export interface CompilerOptions {
  /** Whether the memory that kernels import is shared between threads. */
  readonly shared: boolean;
  /** The text of the shader module, and its label. */
  readonly code: string;
  readonly label: string;
}

/** What replaces the back end and the workers of a device that is watched. */
export interface Sanitizer {
  readonly subgroupSize: number;
  readonly compile: Compiler['compile'];
  readonly makeRunner: (hooks: RunnerHooks) => DeviceRunner;
}

/** The two halves of the compiler. */
export interface Compiler {
  /** WGSL's language features that it takes. */
  readonly languageFeatures: readonly string[];
  /** @param extensions - what `enable` may name */
  parse(code: string, extensions: readonly string[]): Module;
  compile(program: Program, options: CompilerOptions): CompiledKernel;
  /** Names what its kernels depend on, other than texts and options: those of another process with the same one are equal. */
  readonly fingerprint?: string | undefined;
  loadSanitizer?(options: SanitizeOptions): Promise<Sanitizer>;
}

/** The feature that allows a shader to enable an extension. */
const extensionFeatures: Readonly<Record<string, GPUFeatureName>> = { f16: 'shader-f16', subgroups: 'subgroups' };

export interface SharedKernel {
  readonly kernel: CompiledKernel;
  readonly id: number;
}

/** By the function that compiles, since that of a sanitizer makes other kernels, and by the fingerprint. */
const knownBy = new WeakMap<Compiler['compile'], Map<string, KnownKernels>>();

function knownKernels({ compile, fingerprint = '' }: Compiler): KnownKernels {
  const all = knownBy.get(compile) ?? new Map<string, KnownKernels>();
  const known = all.get(fingerprint) ?? new KnownKernels(fingerprint === '' ? undefined : kernelStore(fingerprint));
  knownBy.set(compile, all.set(fingerprint, known));
  return known;
}

export class CompileCache {
  readonly #modules = new Map<string, WeakRef<Module>>();
  readonly #kernels = new Map<string, SharedKernel>();
  readonly #extensions: readonly string[];
  readonly #known: KnownKernels;

  constructor(
    private readonly device: GpuDevice,
    private readonly compiler: Compiler,
  ) {
    this.#known = knownKernels(compiler);
    this.#extensions = Object.keys(extensionFeatures).filter((name) => device.features.has(extensionFeatures[name]!));
  }

  /** Whether the text is known to have neither errors nor warnings, so that it need not be parsed for its kernels' sake. */
  isSound(code: string): boolean {
    return this.#known.isSound(this.#textOf(code));
  }

  parse(code: string): Module {
    const known = this.#modules.get(code)?.deref();
    if (known) return known;
    const module = this.compiler.parse(code, this.#extensions);
    this.#modules.set(code, new WeakRef(module));
    if (module.messages.length === 0) this.#known.addSound(this.#textOf(code));
    return module;
  }

  #textOf(code: string): string {
    return `${this.#extensions.join()}\n${code}`;
  }

  /** Throws a Fault if the module has no such program, or it is too large for the device. */
  kernel(
    shader: GpuShaderModule,
    entryPoint: string | undefined,
    constants: Readonly<Record<string, number>>,
  ): SharedKernel {
    // JSON has no −0, and a kernel may compute with its sign.
    const values = Object.entries(constants).map(
      ([name, value]) => [name, Object.is(value, -0) ? '-0' : value] as const,
    );
    const sorted = values.sort(([a], [b]) => (a < b ? -1 : 1));
    const wanted = JSON.stringify([entryPoint, sorted, this.device.runner.shared]);
    const text = this.#textOf(shader.code);
    const key = `${wanted}${text}`;
    const here = this.#kernels.get(key);
    if (here) return here;
    let known = this.#known.kernel(text, wanted);
    if (known) this.#checkStorage(known.workgroupBytes);
    else {
      known = this.#compile(shader, entryPoint, constants);
      this.#known.addKernel(text, wanted, known);
    }
    const { kernel } = known;
    const id = this.device.runner.addKernel(kernel);
    if (id === undefined) throw new Fault('out-of-memory', say`no memory for ${kernel.scratchBytes} bytes a thread.`);
    const made = { kernel, id };
    this.#kernels.set(key, made);
    return made;
  }

  #compile(
    { code, label }: GpuShaderModule,
    entryPoint: string | undefined,
    constants: Readonly<Record<string, number>>,
  ): KnownKernel {
    try {
      const program = this.parse(code).program(entryPoint, constants);
      const workgroupBytes = storageOf(program);
      this.#checkStorage(workgroupBytes);
      const kernel = this.compiler.compile(program, { shared: this.device.runner.shared, code, label });
      return { kernel, workgroupBytes };
    } catch (error) {
      if (error instanceof ProgramError) invalid(error.message);
      if (error instanceof Fault) throw error;
      throw new Fault('internal', error instanceof Error ? error.message : String(error));
    }
  }

  #checkStorage(bytes: number): void {
    const { maxComputeWorkgroupStorageSize: most } = this.device.limits;
    check(
      bytes <= most,
      () => say`${bytes} bytes of workgroup memory are more than maxComputeWorkgroupStorageSize, ${most}.`,
    );
  }
}

function storageOf({ globals }: Program): number {
  let bytes = 0;
  for (const { space, type } of globals) if (space === 'workgroup') bytes += Math.ceil(sizeOf(type) / 16) * 16;
  return bytes;
}
