// GPU and GPUAdapter: the way to a device. https://www.w3.org/TR/webgpu/#gpu
import { processors } from '#host';
import { hasSharedMemory } from '../run/runner.js';
import type { Compiler } from './compiler.js';
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
   * Browsers only: makes a worker from a file of yours that imports `@paris/cpu/worker`. For pages whose content security
   * policy forbids `worker-src blob:`.
   */
  readonly worker?: () => Worker;
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
    this.#options = options;
    this.#compiler = compiler;
    this.wgslLanguageFeatures = new Set(compiler.languageFeatures);
  }

  get [Symbol.toStringTag](): string {
    return 'GPU';
  }

  async requestAdapter(options: GPURequestAdapterOptions = {}): Promise<GPUAdapter | null> {
    const level = options.featureLevel ?? 'core';
    if (level !== 'core' && level !== 'compatibility') return null;
    return new GpuAdapter(this.#compiler, this.#options);
  }

  getPreferredCanvasFormat(): GPUTextureFormat {
    return 'rgba8unorm';
  }
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

  constructor(compiler: Compiler, options: CreateGpuOptions) {
    this.#compiler = compiler;
    this.#options = options;
    const shared = options.sharedMemory !== false && hasSharedMemory();
    this.#threads = shared ? (options.threads ?? Math.min(processors(), MOST_THREADS)) : 1;
    this.info = Object.freeze({
      vendor: 'paris',
      architecture: 'wasm',
      device: 'cpu',
      description: `Paris on WebAssembly, ${this.#threads} ${this.#threads === 1 ? 'thread' : 'threads'}`,
      subgroupMinSize: 4,
      subgroupMaxSize: 4,
      isFallbackAdapter: true,
    }) as unknown as GPUAdapterInfo;
  }

  get [Symbol.toStringTag](): string {
    return 'GPUAdapter';
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
      runner: { threads: this.#threads, sharedMemory: this.#options.sharedMemory, makeWorker: this.#options.worker },
    });
  }
}
