// A device runs graphs. All ways to run one (reading a tensor, run(), a compiled function) make a plan with the same
// compiler and submit it once.

import { type Signature, signatureOf } from '../compile/signature.js';
import { DeviceLostError, ParisError, TraceError } from '../errors.js';
import type { DType, HostArray } from '../graph/dtype.js';
import type { KernelAdapter } from '../graph/kernel.js';
import type { Value } from '../graph/node.js';
import { type Shape, showShape, sizeOf } from '../graph/shape.js';
import type { TuningTable } from '../kernels/tuning.js';
import { becomeLeaf, bufferLeaf, leafValue } from '../ops/leaf.js';
import { Key } from '../random/key.js';
import { isLeafTensor, Tensor } from '../tensor.js';
import { flattenTree, mapTree } from '../tree.js';
import {
  type CompiledArguments,
  type CompiledFunction,
  type CompileOptions,
  compileFunction,
  explainFunction,
} from './compiled.js';
import { requireFinite, requireIndices } from './debug.js';
import { decodeElements, encodeElements, type HostData, hostDataOf, type NestedNumbers } from './host.js';
import type { DeviceCounters, DeviceInfo } from './info.js';
import { Pipelines } from './pipelines.js';
import { Plan } from './plan.js';
import { BufferPool, usage } from './pool.js';
import type { KernelTimer, Profile } from './profile.js';
import { profileOf } from './profiling.js';
import { Recent } from './recent.js';
import { materialize, requireLive, Storage, storageOf } from './storage.js';
import { beginWait } from './wait.js';

// Code that compiles against our declarations gets WebGPU's from here.
export type * from '#webgpu-types';

/** Steps that may wait on the GPU at once; the next one waits for room. */
const stepsInFlight = 2;

/** Plans that are kept, the last used. A training has a handful. */
const plansKept = 256;

/** How long an error may arrive after its consequences. */
const errorDelayMs = 100;

/** A WebGPU device that runs graphs of tensors, from `openDevice`. Use `close()` when done. */
export class Device {
  readonly pool: BufferPool;
  /** @internal */
  readonly pipelines: Pipelines;
  readonly adapter: KernelAdapter;
  /**
   * Slow, for finding mistakes. Traces compiled functions again at each call and fails if the graph has changed
   * (StaleTraceError); looks for NaN and infinities in every result and names the op that made the first
   * (NonFiniteError), with where it was called, and for indices beyond what they point into (IndexError); the arguments
   * of such a call stay valid.
   */
  debug = false;
  /** @internal Whether a function is being traced: nothing can be read now. */
  tracing = false;

  /** @internal While a profile is made. */
  timer: KernelTimer | undefined;

  private readonly plans = new Recent<Promise<Plan>>(plansKept, (plan) => {
    plan.then((made) => made.dispose()).catch(() => {});
  });
  /** Submissions that wait on the GPU or have yet to reach it. */
  private readonly inFlight = new Set<Promise<void>>();
  private readonly reads = new Set<Promise<unknown>>();
  private failure: ParisError | undefined;
  private closing = false;
  /** @internal */
  readonly counts = { submits: 0, dispatches: 0, bindGroupsCreated: 0, bufferWrites: 0 };

  /** @internal Use openDevice(). */
  constructor(
    readonly gpu: GPUDevice,
    readonly info: DeviceInfo,
    private readonly ownsGpu: boolean,
    tuning?: TuningTable,
  ) {
    this.pool = new BufferPool(gpu);
    this.pipelines = new Pipelines(gpu);
    const { software, architecture, subgroupSize } = info;
    this.adapter = { software, architecture, subgroupSize, tuning };
    gpu.addEventListener('uncapturederror', this.onError);
    void gpu.lost.then(({ message, reason }) => {
      if (this.closing) return;
      this.failure = new DeviceLostError(
        'device',
        `the GPU device was lost (${reason || 'unknown'}): ${message}. Open a new one and resume from a checkpoint.`,
      );
    });
  }

  private readonly onError = (event: Event): void => {
    const { message } = (event as GPUUncapturedErrorEvent).error;
    this.failure ??= new DeviceLostError('device', `internal: the GPU refused a command. ${message}`);
  };

  /** @internal Everything from now on rejects with this. */
  fail(error: ParisError): void {
    this.failure ??= error;
  }

  /** What has happened on the device so far, as counts and bytes. */
  get counters(): DeviceCounters {
    const { created: buffersCreated, bytesAllocated } = this.pool;
    return { ...this.counts, buffersCreated, pipelinesCreated: this.pipelines.created, bytesAllocated };
  }

  /**
   * Puts data into device memory.
   * @param data - a number, nested lists of numbers, or a typed array (with `shape` if it is not a list)
   * @throws ShapeError for ragged lists or a shape of another size, DTypeError for another dtype
   */
  tensor<D extends DType = DType>(data: HostData, options: { shape?: Shape; dtype?: D } = {}): Tensor<D> {
    this.check();
    const { numbers, shape, dtype } = hostDataOf(data, options.shape, options.dtype);
    return this.upload(encodeElements(numbers, dtype, this), shape, dtype) as Tensor<D>;
  }

  /** @internal Bytes as they are in device memory. */
  upload(bytes: Uint8Array<ArrayBuffer>, shape: Shape, dtype: DType): Tensor {
    const buffer = this.pool.take(bytes.byteLength, `a tensor, ${dtype} ${showShape(shape)}`);
    buffer.write(this.gpu.queue, bytes);
    return this.tensorIn(new Storage(buffer, 0, bytes.byteLength, { shape, dtype }));
  }

  /** @internal A tensor for elements that are in memory. */
  tensorIn(storage: Storage): Tensor {
    const tensor = leafValue(bufferLeaf, storage.type);
    materialize(tensor, storage);
    tensor.device = this;
    return tensor;
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
    for (const { value: tensor } of flattenTree(tree, isLeafTensor)) {
      if (!tensor.usable('run').storage) values.add(tensor);
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
      becomeLeaf(root);
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
    if (!this.debug) return this.executePlain(signature, roots, leaves, beforeReturn);
    const given = new Map(signature.leaves.map((leaf, i) => [leaf, leaves[i]!]));
    await requireIndices(this, roots, given);
    const storages = await this.executePlain(signature, roots, leaves);
    try {
      await requireFinite(this, roots, given, storages);
      requireLive(leaves, this.pool);
    } catch (error) {
      for (const storage of storages) storage.end();
      throw error;
    }
    beforeReturn?.();
    return storages;
  }

  /** @internal The same without a look at the results. */
  async executePlain(
    signature: Signature,
    roots: readonly Value[],
    leaves: readonly Value[],
    beforeReturn?: () => void,
  ): Promise<Storage[]> {
    this.check();
    try {
      const plan = await this.planOf(signature, roots);
      while (this.inFlight.size >= stepsInFlight) await Promise.race(this.inFlight);
      const submitted = this.submit(plan, leaves, beforeReturn);
      // Room is taken at once, before others that waited see it.
      const step = submitted
        .then(() => this.gpu.queue.onSubmittedWorkDone())
        .catch(() => {})
        .then(() => {
          this.inFlight.delete(step);
        });
      this.inFlight.add(step);
      const storages = await submitted;
      beginWait();
      return storages;
    } catch (error) {
      throw await this.causeOf(error);
    }
  }

  private async submit(plan: Plan, leaves: readonly Value[], beforeReturn?: () => void): Promise<Storage[]> {
    // Uploads first: if there is no room for them, the error is theirs, not that of the results.
    const uploaded = leaves.flatMap((leaf) => storageOf(leaf)?.buffer ?? []);
    await this.pool.settle(uploaded.filter(({ ready }) => ready));
    this.check();
    requireLive(leaves, this.pool);
    const prepared = plan.prepare(leaves);
    try {
      await this.pool.settle(prepared.held);
      this.check();
      requireLive(leaves, this.pool);
    } catch (error) {
      plan.end(prepared);
      throw error;
    }
    const storages = plan.submit(prepared);
    beforeReturn?.();
    return storages;
  }

  /** The device's own error if it is the cause of a failure: it may be reported a moment after its consequences. */
  private async causeOf(error: unknown): Promise<unknown> {
    if (error instanceof ParisError && !error.message.includes('internal:')) return error;
    for (let waited = 0; !this.failure && waited < errorDelayMs; waited += 10) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this.failure ?? error;
  }

  /** The plan of a graph, compiled when it is first asked for. */
  private planOf(signature: Signature, roots: readonly Value[]): Promise<Plan> {
    return this.plans.get(signature.key, () => {
      const plan = Plan.compile(roots, signature, this);
      plan.catch(() => this.plans.delete(signature.key));
      return plan;
    });
  }

  /**
   * Traces a function of tensors once for each kind of arguments and replays the plan after that. See the guide on
   * compile for what may vary and what is part of the plan.
   * @throws ValueError for a budget that is no number, or what is no position of an argument
   */
  compile<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    options: CompileOptions = {},
  ): CompiledFunction<A, R> {
    return compileFunction(this, fn, options);
  }

  /**
   * What `compile` makes of a function for these arguments, as text: what each kernel reads, computes and stores, how many
   * bytes it moves and where they are. Nothing runs. Tensors among the arguments are numbered in their order.
   *
   * @example
   * console.log(await device.explain((x: Tensor) => softmax(x.mul(2)))(device.tensor([1, 2, 3])));
   */
  explain<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    options: CompileOptions = {},
  ): (...args: CompiledArguments<A>) => Promise<string> {
    return explainFunction(this, fn, options);
  }

  /**
   * Runs a function, such as a few steps, and measures the time of each kernel, compared with the rates that the adapter
   * reaches in a copy and in a product (measured once per device). Everything that runs on the device meanwhile is counted.
   * Each dispatch has a pass of its own, so the whole takes longer than without profiling.
   * @throws LimitError if the adapter lacks the feature timestamp-query
   */
  profile(fn: () => unknown): Promise<Profile> {
    return profileOf(this, fn);
  }

  /** @internal Copies a computed value to the host, as it is now: whatever happens to the tensor after this call. */
  async download(value: Value): Promise<HostArray> {
    const { shape, dtype } = value;
    this.check();
    const size = sizeOf(shape);
    if (size === 0) return decodeElements(new ArrayBuffer(0), dtype, 0);
    const reading = this.copyOut(storageOf(value)!).then((bytes) => decodeElements(bytes, dtype, size));
    this.reads.add(reading);
    try {
      return await reading;
    } catch (error) {
      throw await this.causeOf(error);
    } finally {
      this.reads.delete(reading);
    }
  }

  private async copyOut({ buffer: source, offsetBytes, sizeBytes }: Storage): Promise<ArrayBuffer> {
    // Held until the copy is queued: no later call writes there before.
    source.retain();
    const staging = this.pool.take(2 ** Math.ceil(Math.log2(sizeBytes)), 'a read', usage.staging);
    staging.retain();
    try {
      if (source.ready || staging.ready) await this.pool.settle([source, staging]);
      const encoder = this.gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(source.gpu, offsetBytes, staging.gpu, 0, sizeBytes);
      this.gpu.queue.submit([encoder.finish()]);
      this.counts.submits++;
    } catch (error) {
      staging.release();
      throw error;
    } finally {
      source.release();
    }
    // A staging buffer that fails to map is not used again.
    const mapped = staging.gpu.mapAsync(1, 0, sizeBytes);
    beginWait();
    await mapped;
    const bytes = staging.gpu.getMappedRange(0, sizeBytes).slice(0);
    staging.gpu.unmap();
    staging.release();
    if (this.failure) throw this.failure;
    return bytes;
  }

  /** @internal Throws what went wrong on the device since the last call. */
  check(): void {
    if (this.failure) throw this.failure;
    if (this.closing) throw new DeviceLostError('device', 'the device was closed. Open a new one with openDevice().');
  }

  /** Whether the device was opened with a WebGPU feature, such as `shader-f16`. */
  hasFeature(name: string): boolean {
    return this.gpu.features.has(name);
  }

  /** Waits for pending work, including reads, then destroys everything. A second call does nothing. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    await Promise.allSettled(this.reads);
    await this.gpu.queue.onSubmittedWorkDone().catch(() => {});
    this.gpu.removeEventListener('uncapturederror', this.onError);
    this.pool.close();
    if (this.ownsGpu) this.gpu.destroy();
  }

  /** `await using device = …` closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A tree in which data has become tensors. */
export type TensorsOf<T> = T extends Tensor | Key
  ? T
  : T extends number | ArrayBufferView | { readonly data: unknown } | NestedNumbers
    ? Tensor
    : { [K in keyof T]: TensorsOf<T[K]> };

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
