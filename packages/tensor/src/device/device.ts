// A device runs graphs. All ways to run one (reading a tensor, run(), a compiled function) make a plan with the same
// compiler and submit it once.
// Whoever compiles against our declarations gets WebGPU's from here:
/// <reference types="@webgpu/types" preserve="true" />
import type { Kernel } from '../compile/generate.js';
import { Plan, type PlanDevice, type Prepared } from '../compile/plan.js';
import { type Signature, signatureOf } from '../compile/signature.js';
import { DeviceLostError, DisposedTensorError, DonatedTensorError, ParisError, TraceError } from '../errors.js';
import type { DType, HostArray } from '../graph/dtype.js';
import { apply, type Value } from '../graph/node.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import type { KernelAdapter } from '../kernels/contract.js';
import { bufferLeaf } from '../ops/leaf.js';
import { Key } from '../random/key.js';
import { Tensor } from '../tensor.js';
import { flattenTree, mapTree } from '../tree.js';
import { type CompiledFunction, type CompileOptions, compileFunction } from './compiled.js';
import { decodeElements, encodeElements, type HostData, hostDataOf } from './host.js';
import { BufferPool, usage } from './pool.js';
import { materialize, Storage } from './storage.js';

/** What is known of an adapter. */
export interface DeviceInfo {
  /** `Mesa llvmpipe (…)`, `NVIDIA …` */
  readonly adapter: string;
  readonly vendor: string;
  readonly architecture: string;
  /** The adapter runs on the CPU. */
  readonly software: boolean;
  readonly features: readonly string[];
  /** Tells adapters apart for which kernels may be chosen differently. */
  readonly fingerprint: string;
}

/** Counts since the device was opened: what tests assert instead of times. */
export interface DeviceCounters {
  submits: number;
  dispatches: number;
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  bufferWrites: number;
  bytesAllocated: number;
}

/** Steps that may wait on the GPU at once; the next one waits for room. */
const stepsInFlight = 2;

/** GPUShaderStage.COMPUTE: the constant is not global everywhere that WebGPU is. */
const computeStage = 4;
const bindingTypes = { r: 'read-only-storage', w: 'storage', u: 'uniform' } as const;

export class Device implements PlanDevice {
  readonly pool: BufferPool;
  readonly adapter: KernelAdapter;
  /** Traces compiled functions again at each call and fails if the graph has changed. Slow. */
  debug = false;
  /** @internal Whether a function is being traced: nothing can be read now. */
  tracing = false;

  private readonly plans = new Map<string, Promise<Plan>>();
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>();
  private readonly layouts = new Map<string, GPUBindGroupLayout>();
  private readonly staging = new Map<number, GPUBuffer[]>();
  private readonly inFlight = new Set<Promise<void>>();
  private failure: ParisError | undefined;
  private closing = false;
  /** @internal */
  readonly counts = { submits: 0, dispatches: 0, bindGroupsCreated: 0, pipelinesCreated: 0, bufferWrites: 0 };

  /** @internal Use openDevice(). */
  constructor(
    readonly gpu: GPUDevice,
    readonly info: DeviceInfo,
    private readonly ownsGpu: boolean,
  ) {
    this.pool = new BufferPool(gpu);
    this.adapter = { software: info.software, architecture: info.architecture };
    gpu.addEventListener('uncapturederror', (event) => {
      const { message } = (event as GPUUncapturedErrorEvent).error;
      this.failure ??= new DeviceLostError('device', `internal: the GPU refused a command. ${message}`);
    });
    void gpu.lost.then(({ message, reason }) => {
      if (this.closing) return;
      this.failure = new DeviceLostError(
        'device',
        `the GPU device was lost (${reason || 'unknown'}): ${message}. Open a new one and go on from a checkpoint.`,
      );
    });
  }

  get counters(): DeviceCounters {
    return { ...this.counts, buffersCreated: this.pool.created, bytesAllocated: this.pool.bytesAllocated };
  }

  /**
   * Puts data into device memory.
   * @param data - a number, nested lists of numbers, or a typed array (with `shape` if it is not a list)
   * @throws ShapeError for ragged lists or a shape of another size
   */
  tensor<D extends DType = DType>(data: HostData, options: { shape?: Shape; dtype?: D } = {}): Tensor<D> {
    this.check();
    const { numbers, shape, dtype } = hostDataOf(data, options.shape, options.dtype);
    return this.upload(encodeElements(numbers, dtype, this), shape, dtype) as Tensor<D>;
  }

  /** @internal Bytes as they lie in device memory. */
  upload(bytes: Uint8Array<ArrayBuffer>, shape: Shape, dtype: DType): Tensor {
    const buffer = this.pool.take(bytes.byteLength, 'tensor');
    this.gpu.queue.writeBuffer(buffer.gpu, 0, bytes);
    return this.materialized(shape, dtype, new Storage(buffer, 0, bytes.byteLength));
  }

  private materialized(shape: Shape, dtype: DType, storage: Storage): Tensor {
    const value = apply(bufferLeaf, [], { shape, dtype })[0]!;
    materialize(value, storage);
    return new Tensor(value, this);
  }

  /** The same tree with data in device memory; tensors and keys stay as they are. */
  tensors<T>(tree: T): TensorsOf<T> {
    const isData = (x: unknown): x is unknown => !isBranch(x);
    return mapTree(tree, (leaf: unknown) => this.leafTensor(leaf), isData) as TensorsOf<T>;
  }

  private leafTensor(leaf: unknown): unknown {
    if (leaf instanceof Tensor || leaf instanceof Key) return leaf;
    if (isTyped(leaf)) return this.tensor(leaf.data, leaf as { shape?: Shape; dtype?: DType });
    return this.tensor(leaf as HostData);
  }

  /** Computes every tensor of a tree, in one submit. Afterwards each has memory of its own. */
  async run<T>(tree: T): Promise<T> {
    if (this.tracing) throw new TraceError('run', 'nothing can run while a function is traced. Return the tensors.');
    const values = new Set<Value>();
    for (const { value: tensor } of flattenTree(tree, (x): x is Tensor => x instanceof Tensor)) {
      const value = tensor.valueFor('run');
      if (!value.storage) values.add(value);
    }
    if (values.size === 0) return tree;
    const roots = [...values];
    const signature = signatureOf(roots);
    const storages = await this.execute(signature, roots, signature.leaves);
    roots.forEach((root, i) => {
      // Computed by another call meanwhile: one copy is enough.
      if (root.storage) {
        storages[i]!.end();
        return;
      }
      materialize(root, storages[i]!);
      root.device = this;
      root.node = apply(bufferLeaf, [], { shape: root.shape, dtype: root.dtype })[0]!.node;
    });
    return tree;
  }

  /** @internal Runs a graph with these values for its leaves; the caller owns the storages. */
  async execute(
    signature: Signature,
    roots: readonly Value[],
    leaves: readonly Value[],
    beforeReturn?: () => void,
  ): Promise<Storage[]> {
    this.check();
    const plan = await this.planFor(signature, roots);
    const leave = await this.enter();
    let prepared: Prepared | undefined;
    try {
      this.check();
      requireLive(leaves);
      prepared = plan.prepare(leaves);
      await this.pool.settle();
      requireLive(leaves);
      const storages = plan.submit(prepared);
      beforeReturn?.();
      void this.gpu.queue.onSubmittedWorkDone().then(leave, leave);
      return storages;
    } catch (error) {
      if (prepared) plan.abandon(prepared);
      leave();
      throw error;
    }
  }

  /** Waits for room among the steps in flight and takes it at once, before others that waited see it. */
  private async enter(): Promise<() => void> {
    while (this.inFlight.size >= stepsInFlight) await Promise.race(this.inFlight);
    let done = () => {};
    const step = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.inFlight.add(step);
    return () => {
      this.inFlight.delete(step);
      done();
    };
  }

  /** @internal The plan of a graph, compiled when it is first asked for. */
  planFor(signature: Signature, roots: readonly Value[]): Promise<Plan> {
    let plan = this.plans.get(signature.key);
    if (!plan) {
      plan = Plan.compile(roots, signature.leaves, this);
      this.plans.set(signature.key, plan);
      plan.catch(() => this.plans.delete(signature.key));
    }
    return plan;
  }

  /** @internal */
  pipeline({ code, label, layout }: Kernel): Promise<GPUComputePipeline> {
    let pipeline = this.pipelines.get(code);
    if (!pipeline) {
      this.counts.pipelinesCreated++;
      // In a scope of its own: text that does not compile is the error of this graph, not the end of the device.
      this.gpu.pushErrorScope('validation');
      const module = this.gpu.createShaderModule({ code, label });
      const scope = this.gpu.popErrorScope();
      pipeline = this.gpu
        .createComputePipelineAsync({
          layout: this.gpu.createPipelineLayout({ bindGroupLayouts: [this.bindGroupLayout(layout)] }),
          compute: { module, entryPoint: 'main' },
          label,
        })
        .catch(async (cause: Error) => {
          const said = (await scope)?.message ?? cause.message;
          throw new ParisError(label, `internal: a kernel does not compile. ${said}`, { cause });
        });
      this.pipelines.set(code, pipeline);
    }
    return pipeline;
  }

  /** @internal */
  bindGroupLayout(pattern: string): GPUBindGroupLayout {
    let layout = this.layouts.get(pattern);
    if (!layout) {
      const entries = [...pattern].map((kind, binding) => ({
        binding,
        visibility: computeStage,
        buffer: { type: bindingTypes[kind as keyof typeof bindingTypes] },
      }));
      layout = this.gpu.createBindGroupLayout({ entries });
      this.layouts.set(pattern, layout);
    }
    return layout;
  }

  /**
   * Traces a function of tensors once for each kind of arguments and replays the plan after that. See the guide on
   * compile for what may vary and what is part of the plan.
   */
  compile<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    options: CompileOptions = {},
  ): CompiledFunction<A, R> {
    return compileFunction(this, fn, options);
  }

  /** @internal Copies a computed value to the host. The copy is queued before this returns. */
  async download(value: Value): Promise<HostArray> {
    this.check();
    const storage = value.storage!;
    const size = sizeOf(value.shape);
    if (size === 0) return decodeElements(new ArrayBuffer(0), value.dtype, 0);
    const bytes = storage.sizeBytes;
    const buffer = this.stagingBuffer(bytes);
    const encoder = this.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(storage.buffer.gpu, storage.offsetBytes, buffer, 0, bytes);
    this.gpu.queue.submit([encoder.finish()]);
    this.counts.submits++;
    try {
      await buffer.mapAsync(1, 0, bytes);
    } catch (cause) {
      throw this.failure ?? new DeviceLostError('read', 'the device went away while a tensor was read.', { cause });
    }
    this.check();
    const elements = decodeElements(buffer.getMappedRange(0, bytes), value.dtype, size);
    buffer.unmap();
    this.staging.get(buffer.size)!.push(buffer);
    return elements;
  }

  private stagingBuffer(bytes: number): GPUBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(256, bytes)));
    const list = this.staging.get(size) ?? [];
    this.staging.set(size, list);
    return list.pop() ?? this.gpu.createBuffer({ size, usage: usage.mapRead | usage.copyTarget, label: 'staging' });
  }

  /** @internal Throws what went wrong on the device since the last call. */
  check(): void {
    if (this.failure) throw this.failure;
    if (this.closing) throw new DeviceLostError('device', 'the device was closed. Open a new one with openDevice().');
  }

  hasFeature(name: string): boolean {
    return this.gpu.features.has(name);
  }

  /** Waits for the queue, then destroys everything. A second call does nothing. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    await this.gpu.queue.onSubmittedWorkDone().catch(() => {});
    const plans = await Promise.allSettled(this.plans.values());
    for (const plan of plans) if (plan.status === 'fulfilled') plan.value.dispose();
    this.pool.close();
    for (const list of this.staging.values()) for (const buffer of list) buffer.destroy();
    if (this.ownsGpu) this.gpu.destroy();
  }
}

/** A tree in which data has become tensors. */
export type TensorsOf<T> = T extends Tensor | Key
  ? T
  : T extends number | ArrayBufferView | { readonly data: unknown } | readonly number[]
    ? Tensor
    : { [K in keyof T]: TensorsOf<T[K]> };

function requireLive(leaves: readonly Value[]): void {
  for (const { storage, operand: words, node } of leaves) {
    if (words) continue;
    if (storage?.status === 'live') continue;
    if (storage?.status === 'donated') {
      throw new DonatedTensorError(
        'run',
        'the graph needs a tensor that was donated. Use what the compiled call returned.',
      );
    }
    if (storage)
      throw new DisposedTensorError(
        'run',
        'the graph needs a tensor that was disposed. Dispose it after its last use.',
      );
    throw new TraceError(
      'run',
      `the graph needs a ${node.op.name} of a function that is no longer traced. Return tensors, do not keep them.`,
    );
  }
}

function isTyped(leaf: unknown): leaf is { data: HostData; shape?: Shape; dtype?: DType } {
  return typeof leaf === 'object' && leaf !== null && 'data' in leaf;
}

function isBranch(x: unknown): boolean {
  if (Array.isArray(x))
    return (
      x.some((item) => typeof item !== 'number' && !Array.isArray(item)) ||
      (x.length > 0 && Array.isArray(x[0]) && isBranch(x[0]))
    );
  return typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype && !('data' in x);
}
