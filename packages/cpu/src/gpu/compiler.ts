// Texts become modules and modules become kernels, each once per device: pipelines with equal text, entry point and constants
// share a kernel.
import type { CompiledKernel } from '../compile/kernel.js';
import type { Program } from '../program/program.js';
import { sizeOf } from '../program/types.js';
import type { DeviceRunner, RunnerHooks } from '../run/runner.js';
import { type Module, ProgramError } from '../wgsl/module.js';
import type { GpuDevice } from './device.js';
import { check, Fault, invalid } from './errors.js';
import type { SanitizeOptions } from './gpu.js';
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
  loadSanitizer?(options: SanitizeOptions): Promise<Sanitizer>;
}

/** The feature that allows a shader to enable an extension. */
const extensionFeatures: Readonly<Record<string, GPUFeatureName>> = { f16: 'shader-f16', subgroups: 'subgroups' };

export interface SharedKernel {
  readonly kernel: CompiledKernel;
  readonly id: number;
}

export class CompileCache {
  readonly #modules = new Map<string, WeakRef<Module>>();
  readonly #kernels = new Map<string, SharedKernel>();
  readonly #extensions: readonly string[];

  constructor(
    private readonly device: GpuDevice,
    private readonly compiler: Compiler,
  ) {
    this.#extensions = Object.keys(extensionFeatures).filter((name) => device.features.has(extensionFeatures[name]!));
  }

  parse(code: string): Module {
    const known = this.#modules.get(code)?.deref();
    if (known) return known;
    const module = this.compiler.parse(code, this.#extensions);
    this.#modules.set(code, new WeakRef(module));
    return module;
  }

  /** Throws a Fault if the module has no such program, or it is too large for the device. */
  kernel(
    shader: GpuShaderModule,
    entryPoint: string | undefined,
    constants: Readonly<Record<string, number>>,
  ): SharedKernel {
    const sorted = Object.entries(constants).sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([entryPoint, sorted, shader.code]);
    const known = this.#kernels.get(key);
    if (known) return known;
    const kernel = this.#compile(shader, entryPoint, constants);
    const id = this.device.runner.addKernel(kernel);
    if (id === undefined) throw new Fault('out-of-memory', `no memory for ${kernel.scratchBytes} bytes a thread.`);
    const made = { kernel, id };
    this.#kernels.set(key, made);
    return made;
  }

  #compile(
    { parsed, code, label }: GpuShaderModule,
    entryPoint: string | undefined,
    constants: Readonly<Record<string, number>>,
  ): CompiledKernel {
    try {
      const program = parsed!.program(entryPoint, constants);
      this.#checkStorage(program);
      return this.compiler.compile(program, { shared: this.device.runner.shared, code, label });
    } catch (error) {
      if (error instanceof ProgramError) invalid(error.message);
      if (error instanceof Fault) throw error;
      throw new Fault('internal', error instanceof Error ? error.message : String(error));
    }
  }

  #checkStorage({ globals }: Program): void {
    const { maxComputeWorkgroupStorageSize: most } = this.device.limits;
    let bytes = 0;
    for (const { space, type } of globals) if (space === 'workgroup') bytes += Math.ceil(sizeOf(type) / 16) * 16;
    check(bytes <= most, `${bytes} bytes of workgroup memory are more than maxComputeWorkgroupStorageSize, ${most}.`);
  }
}
