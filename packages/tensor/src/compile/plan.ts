// A plan: a program with its GPU objects. Running one binds, encodes and submits, with no graph work, and nothing new
// once its buffers have been seen.
import type { Device } from '../device/device.js';
import { usage } from '../device/pool.js';
import { type PooledBuffer, Storage } from '../device/storage.js';
import type { Value } from '../graph/node.js';
import type { Place, Slot } from './memory.js';
import { compileProgram, type Gather, type Program, type Dispatch as ProgramDispatch } from './program.js';
import type { Signature } from './signature.js';

/** What a plan needs of a device. */
export type PlanDevice = Pick<Device, 'gpu' | 'pool' | 'adapter' | 'timer' | 'counts' | 'pipeline' | 'bindGroupLayout'>;

// Without the graph that the program's steps hold on to.
interface Dispatch extends Omit<ProgramDispatch, 'group' | 'operands' | 'kernel'> {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly workgroups: readonly [number, number, number];
  /** Bind groups by the identities of their buffers. */
  readonly groups: Map<string, GPUBindGroup>;
}

interface Bound {
  readonly buffer: PooledBuffer;
  readonly offsetBytes: number;
}

/** The buffers of one run, held until it is submitted or abandoned. */
export interface Prepared {
  readonly leaves: readonly Value[];
  readonly bound: ReadonlyMap<Slot, Bound>;
  readonly words: PooledBuffer | undefined;
  readonly held: readonly PooledBuffer[];
}

/** Bind groups that a dispatch keeps: one for each result that a program may hold at a time, and each set of inputs. */
const boundGroupsKept = 256;

export class Plan {
  private readonly packs = new Map<Slot, PooledBuffer>();
  private words: PooledBuffer | undefined;
  private wordsWritten = false;

  private constructor(
    private readonly device: PlanDevice,
    private readonly steps: readonly (Dispatch | Gather)[],
    private readonly program: Omit<Program, 'steps'>,
  ) {}

  /**
   * Compiles a graph. The signature's leaves are in the order in which {@link prepare} takes their values.
   * @throws LimitError if a tensor does not fit the adapter's limits, or the graph not its budget.
   */
  static async compile(roots: readonly Value[], signature: Signature, device: PlanDevice): Promise<Plan> {
    const { limits, features } = device.gpu;
    const { leaves, memoryBudgetBytes } = signature;
    const { steps, ...program } = compileProgram(roots, leaves, {
      adapter: device.adapter,
      limits,
      f16: features.has('shader-f16'),
      memoryBudgetBytes,
    });
    const ready = steps.map(async (step): Promise<Dispatch | Gather> => {
      if (step.kind === 'gather') return step;
      const { kernel, group: _, operands: __, ...rest } = step;
      return {
        ...rest,
        label: kernel.label,
        pipeline: await device.pipeline(kernel),
        layout: device.bindGroupLayout(kernel.layout),
        workgroups: kernel.workgroups,
        groups: new Map(),
      };
    });
    return new Plan(device, await Promise.all(ready), program);
  }

  /**
   * Takes the buffers of one run: `leaves` hold storage or operand words, in the order given to {@link compile}. New
   * buffers may turn out not to fit: wait for {@link Prepared.held} to settle before {@link submit}.
   */
  prepare(leaves: readonly Value[]): Prepared {
    const bound = new Map<Slot, Bound>();
    const held: PooledBuffer[] = [];
    const hold = (buffer: PooledBuffer) => {
      buffer.retain();
      held.push(buffer);
    };
    try {
      for (const slot of this.program.slots) {
        const found = this.bind(slot, leaves);
        bound.set(slot, found);
        hold(found.buffer);
      }
      const words = this.wordsBuffer();
      if (words) hold(words);
      return { leaves, bound, words, held };
    } catch (error) {
      release(held);
      throw error;
    }
  }

  /** Gives back what {@link prepare} took, when the run does not happen. */
  abandon({ held }: Prepared): void {
    release(held);
  }

  /** Encodes and submits; the storages are those of the roots. */
  submit({ leaves, bound, words, held }: Prepared): Storage[] {
    const { gpu, counts, timer } = this.device;
    const resolve = (place: Place): Bound => {
      const { buffer, offsetBytes } = bound.get(place.slot)!;
      return { buffer, offsetBytes: offsetBytes + place.offsetBytes };
    };
    this.writeWords(words, leaves);
    const encoder = gpu.createCommandEncoder();
    for (const [slot, { buffer }] of bound) if (slot.kind === 'result' && slot.parts) encoder.clearBuffer(buffer.gpu);
    let pass: GPUComputePassEncoder | undefined;
    let pipeline: GPUComputePipeline | undefined;
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
      if (timer) {
        pass?.end();
        pass = undefined;
      }
      if (!pass) {
        pass = encoder.beginComputePass(timer?.pass(step.label, step.cost));
        pipeline = undefined;
      }
      if (step.pipeline !== pipeline) pass.setPipeline(step.pipeline);
      pipeline = step.pipeline;
      pass.setBindGroup(0, this.groupFor(step, resolve, words));
      pass.dispatchWorkgroups(...step.workgroups);
      counts.dispatches++;
    }
    pass?.end();
    timer?.resolve(encoder);
    if (this.steps.length > 0) {
      gpu.queue.submit([encoder.finish()]);
      counts.submits++;
    }
    const results = this.program.roots.map(({ place, sizeBytes, type }) => {
      const { buffer, offsetBytes } = resolve(place);
      return new Storage(buffer, offsetBytes, sizeBytes, type);
    });
    release(held);
    return results;
  }

  private bind(slot: Slot, leaves: readonly Value[]): Bound {
    const { pool } = this.device;
    switch (slot.kind) {
      case 'leaf': {
        const { storage } = leaves[slot.leaf]!;
        return { buffer: storage!.buffer, offsetBytes: storage!.offsetBytes };
      }
      case 'arena':
        return { buffer: pool.scratch(this.program.arenaBytes), offsetBytes: 0 };
      case 'result':
        return { buffer: pool.take(slot.sizeBytes, slot.name), offsetBytes: 0 };
      case 'pack': {
        const found = this.alreadyPacked(slot, leaves);
        if (found) return found;
        // A pack keeps its buffer: the padding stays zero, since nothing else is ever written there.
        let buffer = this.packs.get(slot);
        if (!buffer || buffer.failed) {
          buffer = pool.create(slot.sizeBytes, slot.name);
          buffer.retain();
          this.packs.set(slot, buffer);
        }
        return { buffer, offsetBytes: 0 };
      }
    }
  }

  /** Parts that all come with the call and lie side by side already, as the last call's results do, are not copied. */
  private alreadyPacked(slot: Slot & { kind: 'pack' }, leaves: readonly Value[]): Bound | undefined {
    let start: Bound | undefined;
    for (const part of slot.parts) {
      const storage = part.placed || part.leaf === undefined ? undefined : leaves[part.leaf]!.storage;
      if (!storage) return undefined;
      start ??= { buffer: storage.buffer, offsetBytes: storage.offsetBytes - part.offsetBytes };
      if (storage.buffer !== start.buffer || storage.offsetBytes !== start.offsetBytes + part.offsetBytes)
        return undefined;
    }
    if (!start || start.offsetBytes < 0 || start.offsetBytes + slot.sizeBytes > start.buffer.sizeBytes)
      return undefined;
    return start;
  }

  private groupFor(step: Dispatch, resolve: (place: Place) => Bound, words: PooledBuffer | undefined): GPUBindGroup {
    let key = '';
    const bounds = step.places.map((place) => {
      const bound = resolve(place);
      key += `${bound.buffer.id}:${bound.offsetBytes},`;
      return bound;
    });
    let group = step.groups.get(key);
    if (group) return group;
    const entries: GPUBindGroupEntry[] = bounds.map(({ buffer, offsetBytes }, binding) => ({
      binding,
      resource: { buffer: buffer.gpu, offset: offsetBytes, size: step.places[binding]!.sizeBytes },
    }));
    if (step.wordsBytes > 0) {
      entries.push({
        binding: entries.length,
        resource: { buffer: words!.gpu, offset: step.wordsOffset, size: step.wordsBytes },
      });
    }
    group = this.device.gpu.createBindGroup({ layout: step.layout, entries });
    this.device.counts.bindGroupsCreated++;
    if (step.groups.size >= boundGroupsKept) step.groups.delete(step.groups.keys().next().value!);
    step.groups.set(key, group);
    return group;
  }

  private wordsBuffer(): PooledBuffer | undefined {
    const { words } = this.program;
    if (words.length > 0 && (!this.words || this.words.failed)) {
      this.words = this.device.pool.take(words.byteLength, 'the numbers of a graph', usage.words);
      this.words.retain();
      this.wordsWritten = false;
    }
    return this.words;
  }

  private writeWords(buffer: PooledBuffer | undefined, leaves: readonly Value[]): void {
    const { words, operandWords } = this.program;
    if (!buffer || (this.wordsWritten && operandWords.length === 0)) return;
    for (const { at, leaf, word } of operandWords) words[at] = leaves[leaf]!.operand![word]!;
    this.device.gpu.queue.writeBuffer(buffer.gpu, 0, words);
    this.wordsWritten = true;
    this.device.counts.bufferWrites++;
  }

  /** Gives its own buffers back. No run of it may be under way. */
  dispose(): void {
    for (const buffer of this.packs.values()) buffer.release();
    this.words?.release();
  }
}

function release(held: readonly PooledBuffer[]): void {
  for (const buffer of held) buffer.release();
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
