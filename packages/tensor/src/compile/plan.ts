// A plan: everything that replaying a graph needs. Making one compiles; running one binds, encodes and submits, with
// no graph work, and nothing new once its buffers have been seen.
import { type BufferPool, usage } from '../device/pool.js';
import { type PooledBuffer, Storage } from '../device/storage.js';
import { LimitError } from '../errors.js';
import { dtypeBytes } from '../graph/dtype.js';
import type { Value } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import type { KernelAdapter } from '../kernels/contract.js';
import { fuse } from './fuse.js';
import { generate, type Kernel } from './generate.js';
import { bytesOf, type Layout, layout, type Place, type Slot } from './memory.js';
import { simplify } from './simplify.js';

/** What a plan needs of a device. */
export interface PlanDevice {
  readonly gpu: GPUDevice;
  readonly pool: BufferPool;
  readonly adapter: KernelAdapter;
  readonly counts: { submits: number; dispatches: number; bindGroupsCreated: number; bufferWrites: number };
  pipeline(kernel: Kernel): Promise<GPUComputePipeline>;
  bindGroupLayout(pattern: string): GPUBindGroupLayout;
}

interface Dispatch {
  readonly kind: 'dispatch';
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly places: readonly Place[];
  /** Where the dispatch's words stand in the plan's uniform buffer; −1 without any. */
  readonly wordsOffset: number;
  readonly wordsBytes: number;
  readonly workgroups: readonly [number, number, number];
  /** Bind groups by the identities of the buffers that change from call to call. */
  readonly groups: Map<string, GPUBindGroup>;
  /** The first group if no buffer ever changes. */
  fixed: GPUBindGroup | undefined;
}

/** Copies the parts of a pack that their producers could not write in place. */
interface Gather {
  readonly kind: 'gather';
  readonly slot: Slot;
  readonly parts: readonly { readonly from: Place; readonly offsetBytes: number; readonly sizeBytes: number }[];
}

interface Bound {
  readonly buffer: PooledBuffer;
  readonly offsetBytes: number;
}

/** The buffers of one run. */
export interface Prepared {
  readonly leaves: readonly Value[];
  readonly bound: ReadonlyMap<Slot, Bound>;
}

/** A word of the uniform buffer that is written anew with each call. */
interface OperandWord {
  readonly at: number;
  readonly leaf: number;
  readonly word: number;
}

const uniformAlignment = 256;
const boundGroupsKept = 64;

export class Plan {
  private arena: PooledBuffer | undefined;
  private readonly kept = new Map<Slot, PooledBuffer>();
  private uniforms: GPUBuffer | undefined;

  private constructor(
    private readonly device: PlanDevice,
    private readonly steps: readonly (Dispatch | Gather)[],
    private readonly roots: readonly { place: Place; sizeBytes: number }[],
    private readonly leafIndex: ReadonlyMap<Value, number>,
    private readonly slots: readonly Slot[],
    private readonly arenaBytes: number,
    private readonly words: Uint32Array<ArrayBuffer>,
    private readonly operandWords: readonly OperandWord[],
    readonly kernels: readonly Kernel[],
  ) {}

  /**
   * Compiles a graph. `leaves` are the graph's leaves in the order in which {@link run} takes their values.
   * @throws LimitError if a tensor does not fit the adapter's limits.
   */
  static async compile(roots: readonly Value[], leaves: readonly Value[], device: PlanDevice): Promise<Plan> {
    const { limits } = device.gpu;
    const simple = simplify(roots, device.adapter);
    const fused = fuse(simple, {
      adapter: device.adapter,
      maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
      offsetAlignmentBytes: Math.max(256, limits.minStorageBufferOffsetAlignment),
    });
    const memory = layout(fused);
    checkLimits(memory, limits);
    const leafIndex = new Map(leaves.map((leaf, i) => [leaf, i]));
    const { places } = memory;
    const sharesBuffer = (a: Value, b: Value) => {
      const [x, y] = [places.get(a), places.get(b)];
      return (
        x !== undefined &&
        y !== undefined &&
        (x.slot === y.slot || (x.slot.kind === 'arena' && y.slot.kind === 'arena'))
      );
    };
    const kernels: Kernel[] = [];
    const pending: (Promise<Dispatch> | Gather)[] = [];
    const uniform = new UniformLayout(leafIndex);
    for (const group of fused.groups) {
      if (group.kind === 'pack') {
        const { slot } = places.get(group.members[0]!)!;
        const loose = slotParts(slot).filter((part) => !part.placed);
        if (loose.length > 0) {
          const parts = loose.map((part) => ({
            from: places.get(part.value)!,
            offsetBytes: part.offsetBytes,
            sizeBytes: part.sizeBytes,
          }));
          pending.push({ kind: 'gather', slot, parts });
        }
        continue;
      }
      // Empty tensors never dispatch: nothing is generated for them either, since sizes of 0 make no text.
      if (group.members.every((value) => sizeOf(value.shape) === 0)) continue;
      const kernel = generate(group, {
        adapter: device.adapter,
        fused,
        inMemory: (value) => places.has(value),
        sharesBuffer,
      });
      if (kernel.workgroups.some((n) => n === 0) || kernel.bindings.every(({ written }) => !written)) continue;
      checkKernel(kernel, device.gpu);
      kernels.push(kernel);
      const wordsOffset = uniform.add(kernel);
      pending.push(
        device.pipeline(kernel).then((pipeline) => ({
          kind: 'dispatch',
          pipeline,
          layout: device.bindGroupLayout(kernel.layout),
          places: kernel.bindings.map(({ value }) => places.get(value)!),
          wordsOffset,
          wordsBytes: Math.ceil(kernel.words.length / 4) * 16,
          workgroups: kernel.workgroups,
          groups: new Map(),
          fixed: undefined,
        })),
      );
    }
    const steps = await Promise.all(pending);
    const results = fused.roots.map(({ base, window }, i) => {
      const place = places.get(base)!;
      const offsetBytes = place.offsetBytes + window.offset * dtypeBytes(base.dtype);
      return { place: { ...place, offsetBytes }, sizeBytes: bytesOf(simple[i]!) };
    });
    // Results in the order of the roots: the order in which donated memory comes back.
    const slots = [
      ...new Set([...results, ...[...places.values()].map((place) => ({ place }))].map(({ place }) => place.slot)),
    ];
    return new Plan(
      device,
      steps,
      results,
      leafIndex,
      slots,
      memory.arenaBytes,
      uniform.words(),
      uniform.operands,
      kernels,
    );
  }

  /**
   * Takes the buffers of one run: `leaves` hold storage or operand words, in the order given to {@link compile}. New
   * buffers may turn out not to fit: wait for the pool to settle before {@link submit}.
   */
  prepare(leaves: readonly Value[]): Prepared {
    const bound = new Map<Slot, Bound>();
    for (const slot of this.slots) bound.set(slot, this.bind(slot, leaves));
    return { leaves, bound };
  }

  /** Gives back what {@link prepare} took, when the run does not happen. */
  abandon({ bound }: Prepared): void {
    for (const [slot, { buffer }] of bound) if (slot.kind === 'result') this.device.pool.giveBack(buffer);
  }

  /** Encodes and submits; the storages are those of the roots. */
  submit({ leaves, bound }: Prepared): Storage[] {
    const { gpu, counts } = this.device;
    const resolve = (place: Place): Bound => {
      const { buffer, offsetBytes } = bound.get(place.slot)!;
      return { buffer, offsetBytes: offsetBytes + place.offsetBytes };
    };
    this.writeWords(leaves);
    const encoder = gpu.createCommandEncoder();
    for (const [slot, { buffer }] of bound) if (slot.kind === 'result' && slot.parts) encoder.clearBuffer(buffer.gpu);
    let pass: GPUComputePassEncoder | undefined;
    for (const step of this.steps) {
      if (step.kind === 'gather') {
        const copies = copiesOf(step, resolve);
        if (copies.length === 0) continue;
        pass?.end();
        pass = undefined;
        for (const { from, to, sizeBytes } of copies) {
          encoder.copyBufferToBuffer(from.buffer.gpu, from.offsetBytes, to.buffer.gpu, to.offsetBytes, sizeBytes);
        }
        continue;
      }
      pass ??= encoder.beginComputePass();
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, this.groupFor(step, resolve));
      pass.dispatchWorkgroups(...step.workgroups);
      counts.dispatches++;
    }
    pass?.end();
    if (this.steps.length > 0) {
      gpu.queue.submit([encoder.finish()]);
      counts.submits++;
    }
    return this.roots.map(({ place, sizeBytes }) => {
      const { buffer, offsetBytes } = resolve(place);
      return new Storage(buffer, offsetBytes, sizeBytes);
    });
  }

  private bind(slot: Slot, leaves: readonly Value[]): Bound {
    const { pool } = this.device;
    switch (slot.kind) {
      case 'leaf': {
        const { storage } = leaves[this.leafIndex.get(slot.leaf)!]!;
        return { buffer: storage!.buffer, offsetBytes: storage!.offsetBytes };
      }
      case 'arena':
        this.arena ??= pool.take(this.arenaBytes, 'arena');
        return { buffer: this.arena, offsetBytes: 0 };
      case 'result':
        return { buffer: pool.take(slot.sizeBytes, 'result'), offsetBytes: 0 };
      case 'pack': {
        const found = this.alreadyPacked(slot, leaves);
        if (found) return found;
        // A pack keeps its buffer: the padding stays zero, since nothing else is ever written there.
        let buffer = this.kept.get(slot);
        if (!buffer) {
          buffer = pool.create(Math.ceil(slot.sizeBytes / 256) * 256, 'pack');
          this.kept.set(slot, buffer);
        }
        return { buffer, offsetBytes: 0 };
      }
    }
  }

  /** Parts that all come with the call and lie side by side already, as the last call's results do, are not copied. */
  private alreadyPacked(slot: Slot & { kind: 'pack' }, leaves: readonly Value[]): Bound | undefined {
    let start: Bound | undefined;
    for (const part of slot.parts) {
      const index = part.placed ? undefined : this.leafIndex.get(part.value);
      const storage = index === undefined ? undefined : leaves[index]!.storage;
      if (!storage) return undefined;
      start ??= { buffer: storage.buffer, offsetBytes: storage.offsetBytes - part.offsetBytes };
      if (storage.buffer !== start.buffer || storage.offsetBytes !== start.offsetBytes + part.offsetBytes)
        return undefined;
    }
    if (!start || start.offsetBytes < 0 || start.offsetBytes + slot.sizeBytes > start.buffer.sizeBytes)
      return undefined;
    return start;
  }

  private groupFor(step: Dispatch, resolve: (place: Place) => Bound): GPUBindGroup {
    if (step.fixed) return step.fixed;
    let changing = '';
    const bounds = step.places.map((place) => {
      const bound = resolve(place);
      if (place.slot.kind !== 'arena') changing += `${bound.buffer.id}:${bound.offsetBytes},`;
      return bound;
    });
    let group = step.groups.get(changing);
    if (group) return group;
    const entries: GPUBindGroupEntry[] = bounds.map(({ buffer, offsetBytes }, binding) => ({
      binding,
      resource: { buffer: buffer.gpu, offset: offsetBytes, size: step.places[binding]!.sizeBytes },
    }));
    if (step.wordsBytes > 0) {
      entries.push({
        binding: entries.length,
        resource: { buffer: this.uniforms!, offset: step.wordsOffset, size: step.wordsBytes },
      });
    }
    group = this.device.gpu.createBindGroup({ layout: step.layout, entries });
    this.device.counts.bindGroupsCreated++;
    if (changing === '') step.fixed = group;
    if (step.groups.size >= boundGroupsKept) step.groups.delete(step.groups.keys().next().value!);
    step.groups.set(changing, group);
    return group;
  }

  private writeWords(leaves: readonly Value[]): void {
    if (this.words.length === 0) return;
    const fresh = this.uniforms === undefined;
    this.uniforms ??= this.device.gpu.createBuffer({
      size: this.words.byteLength,
      usage: usage.uniform | usage.copyTarget,
      label: 'words',
    });
    for (const { at, leaf, word } of this.operandWords) this.words[at] = leaves[leaf]!.operand![word]!;
    if (!fresh && this.operandWords.length === 0) return;
    this.device.gpu.queue.writeBuffer(this.uniforms, 0, this.words);
    this.device.counts.bufferWrites++;
  }

  dispose(): void {
    if (this.arena) this.device.pool.giveBack(this.arena);
    for (const buffer of this.kept.values()) buffer.gpu.destroy();
    this.uniforms?.destroy();
  }
}

/** What a gather still has to copy: nothing if its parts lie in place already. */
function copiesOf(step: Gather, resolve: (place: Place) => Bound) {
  const target = resolve({ slot: step.slot, offsetBytes: 0, sizeBytes: 0 });
  const copies = step.parts.map((part) => ({
    from: resolve(part.from),
    to: { buffer: target.buffer, offsetBytes: target.offsetBytes + part.offsetBytes },
    sizeBytes: part.sizeBytes,
  }));
  return copies.filter(({ from, to }) => from.buffer !== to.buffer || from.offsetBytes !== to.offsetBytes);
}

/** Lays out the words of all dispatches: sizes stay, operands are written with each call. */
class UniformLayout {
  private readonly values: number[] = [];
  readonly operands: OperandWord[] = [];

  constructor(private readonly leafIndex: ReadonlyMap<Value, number>) {}

  add(kernel: Kernel): number {
    if (kernel.words.length === 0) return 0;
    while ((this.values.length * 4) % uniformAlignment !== 0) this.values.push(0);
    const start = this.values.length;
    for (const word of kernel.words) {
      if ('size' in word) this.values.push(word.size);
      else {
        const leaf = this.leafIndex.get(word.operand);
        // Operands that passes made (an eps, a 1/n) are constants of the plan.
        if (leaf !== undefined) this.operands.push({ at: this.values.length, leaf, word: word.word });
        this.values.push(word.operand.operand![word.word]!);
      }
    }
    while (this.values.length % 4 !== 0) this.values.push(0);
    return start * 4;
  }

  words(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.values);
  }
}

function slotParts(slot: Slot) {
  return (slot.kind === 'pack' || slot.kind === 'result' ? slot.parts : undefined) ?? [];
}

function checkLimits(memory: Layout, limits: GPUSupportedLimits): void {
  for (const [value, place] of memory.places) {
    if (place.sizeBytes > limits.maxStorageBufferBindingSize) {
      throw new LimitError(
        value.node.op.name,
        `a tensor of shape [${value.shape.join(', ')}] takes ${place.sizeBytes} bytes, and this adapter binds at most ${limits.maxStorageBufferBindingSize}. Use a smaller batch or split the tensor.`,
      );
    }
  }
}

function checkKernel(kernel: Kernel, { limits, features }: GPUDevice): void {
  if (!features.has('shader-f16') && kernel.bindings.some(({ value }) => value.dtype === 'f16')) {
    throw new LimitError(kernel.label, 'this adapter has no f16 (the feature shader-f16). Use f32.');
  }
  const buffers = kernel.bindings.length;
  if (buffers > limits.maxStorageBuffersPerShaderStage) {
    throw new LimitError(
      kernel.label,
      `one kernel would bind ${buffers} buffers, and this adapter binds at most ${limits.maxStorageBuffersPerShaderStage}. Join fewer tensors at once.`,
    );
  }
  const most = limits.maxComputeWorkgroupsPerDimension;
  if (kernel.workgroups.some((n) => n > most)) {
    throw new LimitError(
      kernel.label,
      `${kernel.workgroups.join(' × ')} workgroups, and this adapter runs at most ${most} a dimension. Use a smaller batch.`,
    );
  }
}
