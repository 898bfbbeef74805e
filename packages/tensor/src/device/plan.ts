// A plan: a program with its GPU objects. Running one binds, encodes and submits, with no graph work, and nothing new
// once its buffers have been seen.

import type { NamedSlot, Place, Slot } from '../compile/memory.js';
import { compileProgram, type Gather, type Program, type Dispatch as ProgramDispatch } from '../compile/program.js';
import type { Signature } from '../compile/signature.js';
import type { Value } from '../graph/node.js';
import type { Device } from './device.js';
import { usage } from './pool.js';
import { type PooledBuffer, Storage, storageOf } from './storage.js';

// Without the graph that the program's steps hold on to.
interface Dispatch extends Omit<ProgramDispatch, 'group' | 'operands' | 'kernel'> {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly workgroups: readonly [number, number, number];
  /** Bind groups by the identities of their buffers. */
  readonly groups: Map<string, GPUBindGroup>;
}

interface Bound {
  readonly buffer: PooledBuffer;
  readonly offsetBytes: number;
}

/** The buffers of one run, held until it is submitted or abandoned, even if the plan is dropped meanwhile. */
export interface Prepared {
  readonly leaves: readonly Value[];
  readonly bound: ReadonlyMap<Slot, Bound>;
  readonly held: readonly PooledBuffer[];
}

/** Bind groups that a dispatch keeps: one for each result that a program may hold at a time, and each set of inputs. */
const boundGroupsKept = 256;

/**
 * The program of a graph on a device.
 * @throws LimitError if a tensor does not fit the adapter's limits, or the graph not its budget.
 */
export function programOf(
  roots: readonly Value[],
  { leaves, memoryBudgetBytes }: Signature,
  { gpu: { limits, features }, adapter }: Device,
): Program {
  return compileProgram(roots, leaves, { adapter, limits, f16: features.has('shader-f16'), memoryBudgetBytes });
}

export class Plan {
  private readonly kept = new Map<Slot, PooledBuffer>();
  /** The buffer to which the words have been written. */
  private wordsIn: PooledBuffer | undefined;
  private disposed = false;

  private constructor(
    private readonly device: Device,
    private readonly steps: readonly (Dispatch | Gather)[],
    private readonly program: Omit<Program, 'steps'>,
  ) {}

  /**
   * Compiles a graph. The signature's leaves are in the order in which {@link prepare} takes their values.
   * @throws LimitError if a tensor does not fit the adapter's limits, or the graph not its budget.
   */
  static async compile(roots: readonly Value[], signature: Signature, device: Device): Promise<Plan> {
    const { steps, ...program } = programOf(roots, signature, device);
    const ready = steps.map(async (step): Promise<Dispatch | Gather> => {
      if (step.kind === 'gather') return step;
      const { kernel, group: _, operands: __, ...rest } = step;
      return {
        ...rest,
        label: kernel.label,
        pipeline: await device.pipelines.get(kernel),
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
    try {
      for (const slot of this.program.slots) {
        const found = this.bind(slot, leaves);
        bound.set(slot, found);
        found.buffer.retain();
        held.push(found.buffer);
      }
      return { leaves, bound, held };
    } catch (error) {
      this.end({ held });
      throw error;
    }
  }

  /** Gives back what {@link prepare} took, at the end of the run or instead of it. */
  end({ held }: Pick<Prepared, 'held'>): void {
    for (const buffer of held) buffer.release();
    if (this.disposed) this.dispose();
  }

  /** Encodes and submits; the storages are those of the roots. */
  submit({ leaves, bound, held }: Prepared): Storage[] {
    const { gpu, counts, timer } = this.device;
    const resolve = (place: Place): Bound => {
      const { buffer, offsetBytes } = bound.get(place.slot)!;
      return { buffer, offsetBytes: offsetBytes + place.offsetBytes };
    };
    const encoder = gpu.createCommandEncoder();
    for (const [slot, { buffer }] of bound) {
      if (slot.kind === 'words') this.writeWords(buffer, leaves);
      if (slot.kind === 'result' && slot.parts.length > 0) encoder.clearBuffer(buffer.gpu);
    }
    let pass: GPUComputePassEncoder | undefined;
    let pipeline: GPUComputePipeline | undefined;
    for (const step of this.steps) {
      if (step.kind === 'gather') {
        for (const { from, to } of step.copies) {
          const [source, target] = [resolve(from), resolve(to)];
          // Parts that came with the call may lie in place already.
          if (source.buffer === target.buffer && source.offsetBytes === target.offsetBytes) continue;
          pass?.end();
          pass = undefined;
          encoder.copyBufferToBuffer(
            source.buffer.gpu,
            source.offsetBytes,
            target.buffer.gpu,
            target.offsetBytes,
            to.sizeBytes,
          );
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
      pass.setBindGroup(0, this.groupFor(step, resolve));
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
    this.end({ held });
    return results;
  }

  private bind(slot: Slot, leaves: readonly Value[]): Bound {
    const { pool } = this.device;
    switch (slot.kind) {
      case 'leaf': {
        const { buffer, offsetBytes } = storageOf(leaves[slot.leaf]!)!;
        return { buffer, offsetBytes };
      }
      case 'arena':
        return { buffer: pool.scratch(this.program.arenaBytes), offsetBytes: 0 };
      case 'result':
        return { buffer: pool.take(slot.sizeBytes, slot.name), offsetBytes: 0 };
      case 'words': {
        const { byteLength } = this.program.words;
        return this.keep(slot, () => pool.take(byteLength, 'the numbers of a graph', usage.words));
      }
      case 'pack':
        // The padding stays zero, since nothing else is ever written there.
        return this.alreadyPacked(slot, leaves) ?? this.keep(slot, () => pool.create(slot.sizeBytes, slot.name));
    }
  }

  /** A buffer of the plan's own: made for the first run, and again if there was no room for it. */
  private keep(slot: Slot, make: () => PooledBuffer): Bound {
    let buffer = this.kept.get(slot);
    if (!buffer || buffer.failed) {
      buffer = make();
      buffer.retain();
      this.kept.set(slot, buffer);
    }
    return { buffer, offsetBytes: 0 };
  }

  /** Parts that all come with the call and lie side by side already, as the last call's results do, are not copied. */
  private alreadyPacked({ parts, sizeBytes }: NamedSlot, leaves: readonly Value[]): Bound | undefined {
    let start: Bound | undefined;
    for (const part of parts) {
      const storage = part.placed || part.leaf === undefined ? undefined : storageOf(leaves[part.leaf]!);
      if (!storage) return undefined;
      start ??= { buffer: storage.buffer, offsetBytes: storage.offsetBytes - part.offsetBytes };
      if (storage.buffer !== start.buffer || storage.offsetBytes !== start.offsetBytes + part.offsetBytes)
        return undefined;
    }
    if (!start || start.offsetBytes < 0 || start.offsetBytes + sizeBytes > start.buffer.sizeBytes) return undefined;
    return start;
  }

  private groupFor(step: Dispatch, resolve: (place: Place) => Bound): GPUBindGroup {
    let key = '';
    const bounds = step.places.map((place) => {
      const bound = resolve(place);
      key += `${bound.buffer.id}:${bound.offsetBytes},`;
      return bound;
    });
    let group = step.groups.get(key);
    if (group) return group;
    const entries = bounds.map(({ buffer, offsetBytes }, binding) => ({
      binding,
      resource: { buffer: buffer.gpu, offset: offsetBytes, size: step.places[binding]!.sizeBytes },
    }));
    group = this.device.gpu.createBindGroup({ layout: step.pipeline.getBindGroupLayout(0), entries });
    this.device.counts.bindGroupsCreated++;
    if (step.groups.size >= boundGroupsKept) step.groups.delete(step.groups.keys().next().value!);
    step.groups.set(key, group);
    return group;
  }

  private writeWords(buffer: PooledBuffer, leaves: readonly Value[]): void {
    const { words, operandWords } = this.program;
    if (this.wordsIn === buffer && operandWords.length === 0) return;
    for (const { at, leaf, word } of operandWords) words[at] = leaves[leaf]!.operand![word]!;
    this.device.gpu.queue.writeBuffer(buffer.gpu, 0, words);
    this.wordsIn = buffer;
    this.device.counts.bufferWrites++;
  }

  /** Gives its own buffers back. A run that has yet to end makes what it needs again, and gives it back at its end. */
  dispose(): void {
    this.disposed = true;
    for (const buffer of this.kept.values()) buffer.release();
    this.kept.clear();
    this.wordsIn = undefined;
  }
}
