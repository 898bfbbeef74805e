// A program: a graph as a list of dispatches and copies over places in memory. Plain data, made by the passes in turn
// and by nothing else: the same graph for the same target is the same program. A plan gives it its GPU objects.
import { LimitError } from '../errors.js';
import { dtypeBytes } from '../graph/dtype.js';
import type { KernelAdapter } from '../graph/kernel.js';
import { showType, type Type, type Value } from '../graph/node.js';
import { showShape, sizeOf } from '../graph/shape.js';
import type { Windowed } from '../graph/strided.js';
import { costOf, type KernelCost } from './cost.js';
import { type Fused, fuse } from './fuse.js';
import { generate, type Kernel } from './generate.js';
import type { Group } from './group.js';
import { align, bytesOf, type Layout, layout, type NamedSlot, type Place, type Slot } from './memory.js';
import { allPasses, type Passes } from './passes.js';
import { fitMemory, type Planned } from './recompute.js';
import { simplify } from './simplify.js';

/** What a program is made for. */
export interface Target {
  readonly adapter: KernelAdapter;
  readonly limits: Limits;
  /** Whether kernels can read and write f16. */
  readonly f16: boolean;
  /** Default: all. */
  readonly passes?: Passes;
  /** How many bytes it may take, not counting its leaves; see {@link fitMemory}. Default: no limit. */
  readonly memoryBudgetBytes?: number | undefined;
}

export type Limits = Pick<
  GPUSupportedLimits,
  'maxStorageBuffersPerShaderStage' | 'maxStorageBufferBindingSize' | 'maxComputeWorkgroupsPerDimension'
>;

export interface Program {
  readonly steps: readonly Step[];
  readonly roots: readonly { readonly place: Place; readonly sizeBytes: number; readonly type: Type }[];
  /** Those of the roots first, in their order: the order in which donated memory comes back. */
  readonly slots: readonly Slot[];
  readonly arenaBytes: number;
  /** The uniform buffer of all dispatches. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly operandWords: readonly OperandWord[];
}

export type Step = Dispatch | Gather;

/** One kernel, and where its bindings lie. */
export interface Dispatch {
  readonly kind: 'dispatch';
  readonly group: Group;
  /** Where a tiled kernel reads each of its inputs. */
  readonly operands: readonly Windowed[];
  readonly kernel: Kernel;
  readonly cost: KernelCost;
  /** Those of the kernel's bindings, in their order, and of its words, if it has any. */
  readonly places: readonly Place[];
}

/** Copies the parts of a pack that their producers could not write in place. */
export interface Gather {
  readonly kind: 'gather';
  readonly copies: readonly { readonly from: Place; readonly to: Place }[];
}

/** A word of the uniform buffer that is written again for each call. */
export interface OperandWord {
  readonly at: number;
  readonly leaf: number;
  readonly word: number;
}

/**
 * Compiles a graph. `leaves` are the graph's leaves in the order in which a run of the program takes their values.
 * @throws LimitError if a tensor or a kernel exceeds the target's limits, or the whole program its budget.
 */
export function compileProgram(roots: readonly Value[], leaves: readonly Value[], target: Target): Program {
  const { adapter, limits, passes = allPasses } = target;
  const leafIndex = new Map(leaves.map((leaf, i) => [leaf, i]));
  const planned = (from: readonly Value[]): Planned => {
    const fused = fuse(from, limits.maxStorageBuffersPerShaderStage, passes);
    return { roots: from, fused, memory: layout(fused, leafIndex, passes) };
  };
  const first = planned(simplify(roots, adapter, passes));
  const budget = target.memoryBudgetBytes;
  const { roots: simple, fused, memory } = budget === undefined ? first : fitMemory(first, budget, planned);
  checkLimits(memory, limits);
  const { places } = memory;
  const words: Words = { slot: { kind: 'words' }, leafIndex, values: [], operands: [] };
  const steps = fused.groups.flatMap((group): Step[] => {
    if (group.kind === 'pack') return gather(group, places);
    const kernel = kernelOf(group, fused, places, target);
    if (!kernel) return [];
    return [
      {
        kind: 'dispatch',
        group,
        operands: (group.kind === 'tiled' && fused.operands.get(group.node!)) || [],
        kernel,
        cost: costOf(group, fused),
        places: [...kernel.bindings.map(({ value }) => places.get(value)!), ...placeWords(kernel, words)],
      },
    ];
  });
  const results = fused.roots.map(({ base, window }, i) => {
    const place = places.get(base)!;
    const offsetBytes = place.offsetBytes + window.offset * dtypeBytes(base.dtype);
    const { shape, dtype } = simple[i]!;
    return { place: { ...place, offsetBytes }, sizeBytes: bytesOf(simple[i]!), type: { shape, dtype } };
  });
  const slots = new Set([...results.map(({ place }) => place), ...places.values()].map(({ slot }) => slot));
  if (words.values.length > 0) slots.add(words.slot);
  return {
    steps,
    roots: results,
    slots: [...slots],
    arenaBytes: memory.arenaBytes,
    words: new Uint32Array(words.values),
    operandWords: words.operands,
  };
}

function gather(group: Group, places: ReadonlyMap<Value, Place>): Gather[] {
  const slot = places.get(group.members[0]!)!.slot as NamedSlot;
  const copies = slot.parts.flatMap(({ placed, offsetBytes, sizeBytes }, i) => {
    const part = group.node!.inputs[i]!;
    // An empty part has a place like any other, but no bytes in the pack.
    return placed || sizeOf(part.shape) === 0
      ? []
      : [{ from: places.get(part)!, to: { slot, offsetBytes, sizeBytes } }];
  });
  return copies.length > 0 ? [{ kind: 'gather', copies }] : [];
}

/** The group's kernel, if there is anything to do. */
function kernelOf(
  group: Group,
  fused: Fused,
  places: ReadonlyMap<Value, Place>,
  { adapter, limits, f16 }: Target,
): Kernel | undefined {
  // Empty tensors never dispatch: nothing is generated for them either, since sizes of 0 make no text.
  if (group.members.every((value) => sizeOf(value.shape) === 0)) return undefined;
  const kernel = generate(group, { adapter, fused, places });
  if (kernel.workgroups.some((n) => n === 0) || kernel.bindings.every(({ written }) => !written)) return undefined;
  checkKernel(kernel, limits, f16);
  return kernel;
}

/** The words of the dispatches so far. */
interface Words {
  readonly slot: Slot;
  readonly leafIndex: ReadonlyMap<Value, number>;
  readonly values: number[];
  readonly operands: OperandWord[];
}

/** Adds the words of a dispatch: sizes stay, operands are written with each call. */
function placeWords(kernel: Kernel, { slot, leafIndex, values, operands }: Words): Place[] {
  if (kernel.words.length === 0) return [];
  while ((values.length * 4) % align !== 0) values.push(0);
  const offsetBytes = values.length * 4;
  for (const word of kernel.words) {
    if ('size' in word) values.push(word.size);
    else {
      const leaf = leafIndex.get(word.operand);
      // Operands that passes made (an eps, a 1/n) are constants of the program.
      if (leaf !== undefined) operands.push({ at: values.length, leaf, word: word.word });
      values.push(word.operand.operand![word.word]!);
    }
  }
  while (values.length % 4 !== 0) values.push(0);
  return [{ slot, offsetBytes, sizeBytes: values.length * 4 - offsetBytes }];
}

function checkLimits({ places }: Layout, { maxStorageBufferBindingSize: most }: Limits): void {
  for (const [value, { sizeBytes }] of places) {
    if (sizeBytes <= most) continue;
    throw new LimitError(
      value.node.op.name,
      `a tensor of shape ${showShape(value.shape)} takes ${sizeBytes} bytes, and this adapter binds at most ${most}. Use a smaller batch or split the tensor.`,
    );
  }
}

function checkKernel({ label, bindings, workgroups }: Kernel, limits: Limits, f16: boolean): void {
  const { maxStorageBuffersPerShaderStage: mostBuffers, maxComputeWorkgroupsPerDimension: mostGroups } = limits;
  const result = showType(bindings.find(({ written }) => written)!.value);
  const refuse = (what: string) => new LimitError(label, what);
  if (!f16 && bindings.some(({ value }) => value.dtype === 'f16')) {
    throw refuse(`this adapter has no f16 (the feature shader-f16), and making ${result} needs it. Use f32.`);
  }
  if (bindings.length > mostBuffers) {
    const needs = `the kernel that makes ${result} would bind ${bindings.length} buffers`;
    throw refuse(`${needs}, and this adapter binds at most ${mostBuffers}. Join fewer tensors at once.`);
  }
  if (workgroups.some((n) => n > mostGroups)) {
    const needs = `making ${result} takes ${workgroups.join(' × ')} workgroups`;
    throw refuse(`${needs}, and this adapter runs at most ${mostGroups} a dimension. Use a smaller batch.`);
  }
}
