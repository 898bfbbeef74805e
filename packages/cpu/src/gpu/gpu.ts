// GPU and GPUAdapter: the way to a device. https://www.w3.org/TR/webgpu/#gpu
import { prepareHost, processors } from '#host';
import { hasSharedMemory, Runner, type RunnerHooks } from '../run/runner.js';
import type { Finding } from '../sanitize/finding.js';
import type { Compiler, Sanitizer } from './compiler.js';
import { sequence } from './convert.js';
import { GpuDevice } from './device.js';
import { adapterLimits, deviceLimits, type Limits } from './limits.js';

/** How to make a GPU. */
export interface CreateGpuOptions {
  /**
   * Threads that carry out dispatches. Default: as many as this process may use (processors, affinity, a container's
   * quota), 16 at most. Without shared memory it is one.
   */
  readonly threads?: number;
  /** False: one worker that owns the memory, as in a page that is not cross-origin isolated. Default: where there is any. */
  readonly sharedMemory?: boolean;
  /**
   * False: kernels are compiled in each process. By default a process under Node, Deno or Bun keeps them in a folder of this user,
   * `~/.cache/paris/paris-kernels` (or in PARIS_CACHE), for the next one, where it may write there.
   */
  readonly keepKernels?: boolean;
  /**
   * Browsers only: makes a worker from a file of yours that imports `@paris/cpu/worker`. For pages whose content security
   * policy forbids `worker-src blob:`.
   */
  readonly worker?: () => Worker;
  /**
   * Watches every access of every kernel, slowly and on the calling thread, and reports races, indices out of bounds,
   * workgroup memory that is read before it is written, barriers that not all invocations reach, and results that depend on
   * the order of invocations. `threads` and `worker` do not matter then. A page must allow `unsafe-eval`.
   */
  readonly sanitize?: boolean | SanitizeOptions;
}

/** How the sanitizer watches, and to whom it reports. */
export interface SanitizeOptions {
  /** Of the other order in which each dispatch runs a second time: an integer. Default 0. */
  readonly seed?: number;
  /** Invocations of a subgroup: 4, 8, 16, 32 (the default) or 64. */
  readonly subgroupSize?: number;
  /** Takes what is found, during submit(). Without it, each finding is a validation error of the device. */
  readonly onFinding?: (finding: Finding) => void;
}

const MOST_THREADS = 16;

const features: ReadonlySet<string> = new Set([
  'core-features-and-limits',
  'shader-f16',
  'subgroups',
  'timestamp-query',
]);

export class Gpu implements GPU {
  declare readonly __brand: 'GPU';
  static readonly name = 'GPU';
  readonly wgslLanguageFeatures: WGSLLanguageFeatures;
  readonly #options: CreateGpuOptions;
  readonly #compiler: Compiler;

  constructor(compiler: Compiler, options: CreateGpuOptions) {
    const { threads } = options;
    if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 256)) {
      throw new RangeError(`createGpu: threads must be an integer from 1 to 256, not ${String(threads)}.`);
    }
    if (options.sanitize && typeof options.sanitize === 'object') checkSanitize(options.sanitize);
    this.#options = options;
    this.#compiler = options.keepKernels === false ? { ...compiler, fingerprint: undefined } : compiler;
    this.wgslLanguageFeatures = new Set(compiler.languageFeatures);
  }

  get [Symbol.toStringTag](): string {
    return 'GPU';
  }

  async requestAdapter(options: GPURequestAdapterOptions = {}): Promise<GPUAdapter | null> {
    const level = options.featureLevel ?? 'core';
    if (level !== 'core' && level !== 'compatibility') return null;
    await prepareHost();
    const { sanitize } = this.#options;
    const sanitizer = sanitize && (await this.#compiler.loadSanitizer?.(sanitize === true ? {} : sanitize));
    if (!sanitizer) return new GpuAdapter(this.#compiler, this.#options);
    return new GpuAdapter(
      { ...this.#compiler, compile: sanitizer.compile, fingerprint: undefined },
      this.#options,
      sanitizer,
    );
  }

  getPreferredCanvasFormat(): GPUTextureFormat {
    return 'rgba8unorm';
  }
}

/** Throws a RangeError for a field that is none. */
function checkSanitize({ seed = 0, subgroupSize = 32, onFinding }: SanitizeOptions): void {
  if (!Number.isInteger(seed))
    throw new RangeError(`createGpu: sanitize.seed must be an integer, not ${String(seed)}.`);
  if (![4, 8, 16, 32, 64].includes(subgroupSize))
    throw new RangeError(`createGpu: sanitize.subgroupSize must be 4, 8, 16, 32 or 64, not ${String(subgroupSize)}.`);
  if (onFinding !== undefined && typeof onFinding !== 'function')
    throw new RangeError(`createGpu: sanitize.onFinding must be a function, not ${String(onFinding)}.`);
}

export class GpuAdapter implements GPUAdapter {
  declare readonly __brand: 'GPUAdapter';
  static readonly name = 'GPUAdapter';
  readonly features: ReadonlySet<string> = new Set(features);
  readonly limits: Limits = adapterLimits();
  readonly info: GPUAdapterInfo;
  readonly #options: CreateGpuOptions;
  readonly #compiler: Compiler;
  readonly #threads: number;
  #consumed = false;

  readonly #sanitizer: Sanitizer | undefined;

  constructor(compiler: Compiler, options: CreateGpuOptions, sanitizer?: Sanitizer) {
    this.#compiler = compiler;
    this.#options = options;
    this.#sanitizer = sanitizer;
    const shared = options.sharedMemory !== false && hasSharedMemory();
    this.#threads = shared ? (options.threads ?? Math.min(processors(), MOST_THREADS)) : 1;
    const threads = `Paris on WebAssembly, ${this.#threads} ${this.#threads === 1 ? 'thread' : 'threads'}`;
    this.info = Object.freeze({
      vendor: 'paris',
      architecture: 'wasm',
      device: 'cpu',
      description: sanitizer ? 'Paris, sanitized' : threads,
      subgroupMinSize: sanitizer?.subgroupSize ?? 4,
      subgroupMaxSize: sanitizer?.subgroupSize ?? 4,
      isFallbackAdapter: true,
    }) as unknown as GPUAdapterInfo;
  }

  get [Symbol.toStringTag](): string {
    return 'GPUAdapter';
  }

  #runner({ failed }: RunnerHooks): Runner {
    const { sharedMemory, worker: makeWorker } = this.#options;
    return new Runner({ threads: this.#threads, sharedMemory, makeWorker, failed });
  }

  async requestDevice(descriptor: GPUDeviceDescriptor = {}): Promise<GPUDevice> {
    const required = sequence(descriptor.requiredFeatures ?? [], 'requestDevice: requiredFeatures');
    const missing = required.find((name) => !this.features.has(name));
    if (missing !== undefined) throw new TypeError(`requestDevice: this adapter lacks the feature ${String(missing)}.`);
    if (this.#consumed)
      throw new DOMException(
        'requestDevice: this adapter has given its device; request another adapter.',
        'OperationError',
      );
    const limits = deviceLimits(descriptor.requiredLimits ?? {});
    this.#consumed = true;
    return new GpuDevice({
      descriptor,
      features: new Set(['core-features-and-limits', ...required]),
      limits,
      info: this.info,
      compiler: this.#compiler,
      makeRunner: this.#sanitizer?.makeRunner ?? ((hooks) => this.#runner(hooks)),
    });
  }
}
