// A program run in plain JavaScript: its steps in their order, over its places in memory. What it shares with a device
// is the program alone, so it finds what a pass gets wrong: a value dropped or computed from another, a window off, an
// order in which something is read before it is written, two values in one place. What a kernel's text does is the
// device's to show.

import type { Place, Slot } from '../compile/memory.js';
import type { Target } from '../compile/program.js';
import { compileProgram, type Dispatch, type Program } from '../compile/program.js';
import { dtypeBytes } from '../graph/dtype.js';
import type { Value } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import type { Strided } from '../graph/strided.js';
import { type Elements, interpretNode, leafElements, type Round } from './interpret.js';
import { coordinatesOf, elementsBy } from './interpret-ops.js';

/** Memory in cells of two bytes: an element is in the first of its own, in float64. */
interface Memory {
  readonly cells: Float64Array;
  readonly written: Uint8Array;
}
const cellBytes = 2;

/** Compiles a graph and runs the program; the elements of each root. */
export function runProgram(
  roots: readonly Value[],
  leaves: ReadonlyMap<Value, ArrayLike<number>>,
  target: Target,
  round?: Round,
): Elements[] {
  const order = [...leaves.keys()];
  return interpretProgram(compileProgram(roots, order, target), order, leaves, round);
}

/**
 * The elements of each root of a program.
 * @param order - the leaves in the order in which the program takes them
 * @throws Error if a step reads what nobody wrote, or writes where it reads
 */
export function interpretProgram(
  program: Program,
  order: readonly Value[],
  leaves: ReadonlyMap<Value, ArrayLike<number>>,
  round?: Round,
): Elements[] {
  const memories = new Map<Slot, Memory>();
  const memoryOf = ({ slot, sizeBytes }: Place): Memory => {
    const known = memories.get(slot);
    if (known) return known;
    const bytes = 'sizeBytes' in slot ? slot.sizeBytes : slot.kind === 'arena' ? program.arenaBytes : sizeBytes;
    const memory = { cells: new Float64Array(bytes / cellBytes), written: new Uint8Array(bytes / cellBytes) };
    // Padding of a pack is zero.
    if ('parts' in slot && slot.parts.length > 0) memory.written.fill(1);
    memories.set(slot, memory);
    if (slot.kind === 'leaf') {
      const value = order[slot.leaf]!;
      write({ slot, offsetBytes: 0, sizeBytes }, value, leafElements(value, leaves.get(value)));
    }
    return memory;
  };
  const write = (place: Place, { dtype }: Pick<Value, 'dtype'>, elements: Elements): void => {
    const { cells, written } = memoryOf(place);
    const step = dtypeBytes(dtype) / cellBytes;
    elements.forEach((x, i) => {
      cells[place.offsetBytes / cellBytes + i * step] = x;
      written[place.offsetBytes / cellBytes + i * step] = 1;
    });
  };
  const read = (place: Place, { dtype, shape }: Pick<Value, 'dtype' | 'shape'>): Elements => {
    const { cells, written } = memoryOf(place);
    const step = dtypeBytes(dtype) / cellBytes;
    return elementsBy(sizeOf(shape), (i) => {
      const at = place.offsetBytes / cellBytes + i * step;
      if (!written[at]) throw new Error(`${dtype} [${shape}] is read where nothing was written.`);
      return cells[at]!;
    });
  };

  for (const { at, leaf, word } of program.operandWords) program.words[at] = order[leaf]!.operand![word]!;
  for (const step of program.steps) {
    if (step.kind === 'gather') {
      for (const { from, to } of step.copies) {
        const start = from.offsetBytes / cellBytes;
        const part = memoryOf(from).cells.subarray(start, start + to.sizeBytes / cellBytes);
        memoryOf(to).cells.set(part, to.offsetBytes / cellBytes);
      }
      continue;
    }
    requireApart(step);
    const { bindings } = step.kernel;
    const bound = new Map<Value, Elements>();
    bindings.forEach(({ value, written }, i) => {
      if (!written) bound.set(value, read(step.places[i]!, value));
    });
    const computed = computeGroup(step, bound, program.words, round);
    bindings.forEach(({ value, written }, i) => {
      if (written) write(step.places[i]!, value, computed(value));
    });
  }
  return program.roots.map(({ place, type }) => read(place, type));
}

/** What a dispatch computes, from nothing but what it binds. */
function computeGroup(
  { group, kernel, operands, places }: Dispatch,
  bound: ReadonlyMap<Value, Elements>,
  words: Uint32Array,
  round: Round | undefined,
): (value: Value) => Elements {
  const known = new Map<Value, Elements>(bound);
  const operandWords = new Map<Value, Uint32Array>();
  kernel.words.forEach((word, i) => {
    if (!('operand' in word)) return;
    const own = operandWords.get(word.operand) ?? word.operand.operand!.slice();
    own[word.word] = words[places[kernel.bindings.length]!.offsetBytes / 4 + i]!;
    operandWords.set(word.operand, own);
  });
  const compute = (value: Value): Elements => {
    let elements = known.get(value);
    if (elements) return elements;
    const { node } = value;
    if (value.operand) elements = leafElements(value, undefined, operandWords.get(value));
    else {
      const own = group.members.includes(value);
      if (!own && node.op.kind !== 'pointwise') throw new Error(`${node.op.name} is neither bound nor computed.`);
      if (node === group.node && node.op.kind === 'tiled') requireWindows();
      const results = interpretNode(node, compute, round);
      node.outputs.forEach((output, i) => {
        known.set(output, results[i]!);
      });
      elements = known.get(value)!;
    }
    known.set(value, elements);
    return elements;
  };
  /** The views between a tiled op and what it binds, as windows, must say the same. */
  const requireWindows = (): void => {
    operands.forEach(({ base, window }, i) => {
      const seen = through(window, compute(base));
      const meant = compute(group.node!.inputs[i]!);
      if (seen.length !== meant.length || seen.some((x, j) => !Object.is(x, meant[j])))
        throw new Error(`${group.node!.op.name} reads input ${i} through a wrong window.`);
    });
  };
  return compute;
}

function through({ shape, strides, offset }: Strided, elements: Elements): Elements {
  return elementsBy(sizeOf(shape), (i) => {
    const at = coordinatesOf(i, shape).reduce((sum, c, axis) => sum + c * strides[axis]!, offset);
    return elements[at]!;
  });
}

/** Invocations of one dispatch run in any order: what it writes must lie apart from all else that it binds. */
function requireApart({ kernel, places, group }: Dispatch): void {
  kernel.bindings.forEach(({ written }, i) => {
    if (!written) return;
    kernel.bindings.forEach((other, j) => {
      const [a, b] = [places[i]!, places[j]!];
      const apart = a.offsetBytes + a.sizeBytes <= b.offsetBytes || b.offsetBytes + b.sizeBytes <= a.offsetBytes;
      if (i === j || a.slot !== b.slot || apart) return;
      const names = group.members.map(({ node }) => node.op.name).join('+');
      throw new Error(`${names} writes where it ${other.written ? 'writes' : 'reads'}.`);
    });
  });
}
