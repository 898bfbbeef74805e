// GPUDevice: makes objects, gathers errors, and owns the memory and the workers.
// https://www.w3.org/TR/webgpu/#gpudevice
import type { DeviceRunner, RunnerHooks } from '../run/runner.js';
import { spell } from '../say.js';
import { GpuBindGroup } from './bind-group.js';
import { GpuBuffer } from './buffer.js';
import { CompileCache, type Compiler } from './compiler.js';
import { dictionary } from './convert.js';
import { GpuCommandEncoder } from './encoder.js';
import { errorClasses, Fault, type FaultKind, PipelineError, UncapturedErrorEvent } from './errors.js';
import { GpuBindGroupLayout, GpuPipelineLayout } from './layout.js';
import type { Limits } from './limits.js';
import type { GpuObject } from './object.js';
import { GpuComputePipeline, GpuShaderModule } from './pipeline.js';
import { GpuQuerySet } from './query.js';
import { GpuQueue } from './queue.js';
import { refuseOn } from './unsupported.js';

export interface DeviceOptions {
  readonly descriptor: GPUDeviceDescriptor;
  readonly features: ReadonlySet<string>;
  readonly limits: Limits;
  readonly info: GPUAdapterInfo;
  readonly compiler: Compiler;
  readonly makeRunner: (hooks: RunnerHooks) => DeviceRunner;
}

interface Range {
  readonly address: number;
  readonly size: number;
}

/** Milliseconds of compiling after which createComputePipelineAsync lets other tasks run. */
const COMPILING_MS = 8;

/** A device that nobody holds any more does not keep its threads. */
const abandoned = new FinalizationRegistry<DeviceRunner>((runner) => runner.destroy());

// Functions that outlive a device are made outside its constructor, whose closures all hold it.
const hooks = (device: WeakRef<GpuDevice>): RunnerHooks => ({
  failed: (why) => device.deref()?.lose('unknown', why),
  invalid: (message) => device.deref()?.report('validation', message),
});
const releasing =
  (runner: DeviceRunner) =>
  ({ address, size }: Range) =>
    runner.release(address, size);

export class GpuDevice extends EventTarget implements GPUDevice {
  declare readonly __brand: 'GPUDevice';
  static override readonly name = 'GPUDevice';
  label: string;
  readonly features: ReadonlySet<string>;
  readonly limits: Limits;
  readonly adapterInfo: GPUAdapterInfo;
  readonly queue: GpuQueue;
  readonly lost: Promise<GPUDeviceLostInfo>;
  readonly runner: DeviceRunner;
  readonly compiler: CompileCache;
  isLost = false;
  /** Buffers that are mapped or about to be. */
  readonly mapped = new Set<GpuBuffer>();
  /** Gives back the memory of buffers that the program forgot. */
  readonly registry: FinalizationRegistry<Range>;
  /** The first error of each: promised where its sentences have to be loaded. */
  readonly #scopes: { readonly filter: GPUErrorFilter; error: GPUError | Promise<GPUError> | null }[] = [];
  readonly #identities = new Map<string, object>();
  #resolveLost: (info: GPUDeviceLostInfo) => void = () => {};
  #turns: Promise<void> = Promise.resolve();
  /** Events, one after the other. */
  #events: Promise<void> = Promise.resolve();
  #compilingSince = 0;
  #handler: ((event: GPUUncapturedErrorEvent) => unknown) | null = null;

  constructor({ descriptor, features, limits, info, compiler, makeRunner }: DeviceOptions) {
    super();
    this.label = String(descriptor.label ?? '');
    this.features = features;
    this.limits = limits;
    this.adapterInfo = info;
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
    this.runner = makeRunner(hooks(new WeakRef(this)));
    abandoned.register(this, this.runner);
    this.registry = new FinalizationRegistry(releasing(this.runner));
    this.compiler = new CompileCache(this, compiler);
    this.queue = new GpuQueue(this, descriptor.defaultQueue);
  }

  get [Symbol.toStringTag](): string {
    return 'GPUDevice';
  }

  destroy(): undefined {
    this.lose('destroyed', 'The device was destroyed.');
  }

  createBuffer(descriptor: GPUBufferDescriptor): GPUBuffer {
    return this.#make(GpuBuffer, 'createBuffer', descriptor);
  }

  createBindGroupLayout(descriptor: GPUBindGroupLayoutDescriptor): GPUBindGroupLayout {
    return this.#make(GpuBindGroupLayout, 'createBindGroupLayout', descriptor);
  }

  createPipelineLayout(descriptor: GPUPipelineLayoutDescriptor): GPUPipelineLayout {
    return this.#make(GpuPipelineLayout, 'createPipelineLayout', descriptor);
  }

  createBindGroup(descriptor: GPUBindGroupDescriptor): GPUBindGroup {
    return this.#make(GpuBindGroup, 'createBindGroup', descriptor);
  }

  createShaderModule(descriptor: GPUShaderModuleDescriptor): GPUShaderModule {
    return this.#make(GpuShaderModule, 'createShaderModule', descriptor);
  }

  createComputePipeline(descriptor: GPUComputePipelineDescriptor): GPUComputePipeline {
    return this.#make(GpuComputePipeline, 'createComputePipeline', descriptor);
  }

  async createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor): Promise<GPUComputePipeline> {
    const pipeline = new GpuComputePipeline(this, dictionary(descriptor, 'createComputePipelineAsync: the descriptor'));
    await this.#turn();
    pipeline.valid = !this.isLost;
    try {
      if (pipeline.valid) pipeline.initialize();
      return pipeline;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const reason = error.kind === 'validation' ? 'validation' : 'internal';
      throw new PipelineError(`createComputePipelineAsync: ${await spell(error.message)}`, { reason });
    }
  }

  createRenderPipelineAsync(): Promise<GPURenderPipeline> {
    const message = 'RenderPipeline: this device computes only; it has no textures, samplers or rendering.';
    return Promise.reject(new PipelineError(`createRenderPipelineAsync: ${message}`, { reason: 'validation' }));
  }

  createCommandEncoder(descriptor?: GPUCommandEncoderDescriptor): GPUCommandEncoder {
    return new GpuCommandEncoder(this, descriptor);
  }

  createQuerySet(descriptor: GPUQuerySetDescriptor): GPUQuerySet {
    return this.#make(GpuQuerySet, 'createQuerySet', descriptor);
  }

  pushErrorScope(filter: GPUErrorFilter): undefined {
    if (!(filter in errorClasses)) throw new TypeError(`pushErrorScope: ${String(filter)} is not a filter.`);
    this.#scopes.push({ filter, error: null });
  }

  popErrorScope(): Promise<GPUError | null> {
    if (this.isLost) return Promise.resolve(null);
    const scope = this.#scopes.pop();
    if (!scope) return Promise.reject(new DOMException('popErrorScope: there is no error scope.', 'OperationError'));
    return Promise.resolve(scope.error);
  }

  get onuncapturederror(): ((event: GPUUncapturedErrorEvent) => unknown) | null {
    return this.#handler;
  }

  set onuncapturederror(handler: ((event: GPUUncapturedErrorEvent) => unknown) | null) {
    if (this.#handler) this.removeEventListener('uncapturederror', this.#handler as EventListener);
    this.#handler = typeof handler === 'function' ? handler : null;
    if (this.#handler) this.addEventListener('uncapturederror', this.#handler as EventListener);
  }

  /** Says an error to the nearest scope that wants it, else to the program. */
  report(kind: FaultKind, message: string): void {
    if (this.isLost) return;
    const tell = (error: GPUError): void => {
      const event = new UncapturedErrorEvent('uncapturederror', { error, cancelable: true });
      if (this.dispatchEvent(event)) console.warn(`${this.label ? `[Device "${this.label}"] ` : ''}${error.message}`);
    };
    const text = spell(message);
    const error =
      typeof text === 'string' ? new errorClasses[kind](text) : text.then((it) => new errorClasses[kind](it));
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const scope = this.#scopes[i]!;
      if (scope.filter !== kind) continue;
      scope.error ??= error;
      return;
    }
    this.#events = this.#events.then(() => (error instanceof Promise ? error.then(tell) : tell(error)));
  }

  /** Carries out steps of the device's timeline; their fault is an error of the device. Nothing happens once it is lost. */
  guard(what: string, steps: () => void): string | undefined {
    if (this.isLost) return 'the device is lost';
    try {
      steps();
      return undefined;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const message = `${what}: ${error.message}`;
      this.report(error.kind, message);
      return message;
    }
  }

  /** The same for steps that make an object, which is invalid if they fail. */
  attempt<T extends GpuObject>(object: T, what: string, steps: () => void): T {
    object.fault = this.guard(what, steps);
    object.valid = object.fault === undefined;
    return object;
  }

  /** An object of the device by its descriptor. */
  #make<D extends object, T extends GpuObject & { initialize(): void }>(
    Made: new (device: GpuDevice, descriptor: D) => T,
    what: string,
    descriptor: D,
  ): T {
    const object = new Made(this, dictionary(descriptor, `${what}: the descriptor`));
    return this.attempt(object, what, () => object.initialize());
  }

  /** Writes to the memory in the queue's order. */
  write(address: number, bytes: Uint8Array, what: string): void {
    if (!this.runner.write(address, bytes))
      this.report('out-of-memory', `${what}: no memory to keep ${bytes.length} bytes.`);
  }

  /** One object for all layouts with equal entries. */
  layoutIdentity(entries: string): object {
    const known = this.#identities.get(entries);
    if (known) return known;
    const made = {};
    this.#identities.set(entries, made);
    return made;
  }

  lose(reason: GPUDeviceLostReason, message: string): void {
    if (this.isLost) return;
    this.isLost = true;
    this.runner.destroy();
    for (const buffer of [...this.mapped]) buffer.unmap();
    this.#resolveLost(Object.freeze({ reason, message }) as unknown as GPUDeviceLostInfo);
  }

  /** Waits until it is this pipeline's turn to be compiled. */
  #turn(): Promise<void> {
    this.#turns = this.#turns.then(async () => {
      if (performance.now() - this.#compilingSince < COMPILING_MS) return;
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#compilingSince = performance.now();
    });
    return this.#turns;
  }

  declare createTexture: GPUDevice['createTexture'];
  declare createSampler: GPUDevice['createSampler'];
  declare importExternalTexture: GPUDevice['importExternalTexture'];
  declare createRenderPipeline: GPUDevice['createRenderPipeline'];
  declare createRenderBundleEncoder: GPUDevice['createRenderBundleEncoder'];
}

refuseOn(
  GpuDevice,
  ['createTexture', 'createSampler', 'importExternalTexture', 'createRenderPipeline', 'createRenderBundleEncoder'],
  (device, name, message) => device.report('validation', `${name}: ${message}`),
);
