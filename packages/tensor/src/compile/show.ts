// A program as text: what each kernel reads, computes and stores, how many bytes it moves, and where they are in memory. It is
// loaded only on request. It imports nothing, because shared code would become a separate file in every page's bundle.
import type { Value } from '../graph/node.js';
import type { Place } from './memory.js';
import type { Dispatch, Gather, Program } from './program.js';

/**
 * A program for people: a paragraph for each dispatch or copy, in their order.
 *
 *     1 kernel, 0 copies, 28 B moved, 0 B of temporaries
 *
 *     kernel 1: 1 × 1 × 1 workgroups, 28 B
 *       reads  a: f32 [3] from x, 12 B
 *       makes  b: f32 [3] = exp(multiply(a, number)) in result 1, 12 B
 *       makes  c: f32 [] = sum(b) in result 2, 4 B
 *
 * @param leaves - what to call the leaves, in the order in which the program takes them
 */
export function showProgram(program: Program, leaves: readonly string[] = []): string {
  const { steps, slots, arenaBytes } = program;
  const results = slots.filter(({ kind }) => kind === 'result' || kind === 'pack');
  const where = ({ slot, offsetBytes }: Place): string => {
    const at = offsetBytes > 0 ? ` at ${offsetBytes}` : '';
    if (slot.kind === 'leaf') return `${leaves[slot.leaf] ?? `leaf ${slot.leaf + 1}`}${at}`;
    if (slot.kind === 'result' || slot.kind === 'pack') return `${slot.kind} ${results.indexOf(slot) + 1}${at}`;
    return `${slot.kind} at ${offsetBytes}`;
  };
  const kernels = steps.filter((step) => step.kind === 'dispatch');
  const moved = kernels.reduce((sum, { cost }) => sum + cost.bytes, 0);
  const head = [
    counted(kernels.length, 'kernel', 'kernels'),
    counted(steps.length - kernels.length, 'copy', 'copies'),
    `${bytes(moved)} moved`,
    `${bytes(arenaBytes)} of temporaries`,
  ].join(', ');
  let number = 0;
  const paragraphs = steps.map((step) =>
    step.kind === 'gather' ? showCopies(step, where) : showKernel(step, ++number, where),
  );
  return [head, ...paragraphs].join('\n\n');
}

type Where = (place: Place) => string;

const showType = ({ dtype, shape }: Value) => `${dtype} [${shape.join(', ')}]`;

function showKernel({ group, kernel, cost, places }: Dispatch, number: number, where: Where): string {
  const names = new Map<Value, string>();
  const name = (value: Value): string => {
    names.set(value, letters(names.size));
    return names.get(value)!;
  };
  const place = new Map(kernel.bindings.map(({ value }, i) => [value, places[i]!]));
  const held = (value: Value) => `${where(place.get(value)!)}, ${bytes(place.get(value)!.sizeBytes)}`;
  const flops = cost.flops === undefined ? '' : `, ${(cost.flops / 1e6).toPrecision(3)} MFLOP`;
  const lines = [`kernel ${number}: ${kernel.workgroups.join(' × ')} workgroups${flops}, ${bytes(cost.bytes)}`];
  for (const { value, written } of kernel.bindings) {
    if (!written) lines.push(`  reads  ${name(value)}: ${showType(value)} from ${held(value)}`);
  }
  for (const member of group.members) {
    const made = expression(member, names, true);
    const stored = place.has(member) ? ` in ${held(member)}` : '';
    lines.push(`  makes  ${name(member)}: ${showType(member)} = ${made}${stored}`);
  }
  return lines.join('\n');
}

function showCopies({ copies }: Gather, where: Where): string {
  const lines = copies.map(({ from, to }) => `  ${where(from)} to ${where(to)}, ${bytes(to.sizeBytes)}`);
  return ['copies', ...lines].join('\n');
}

/** No expression is shown deeper than this. */
const deepest = 12;

/** How a value is computed: in terms of what its kernel reads, and of what that has made before. */
function expression(value: Value, names: ReadonlyMap<Value, string>, itself = false, depth = 0): string {
  const name = itself ? undefined : names.get(value);
  if (name) return name;
  if (value.operand) return value.operand.length === 1 ? 'number' : 'key';
  const { op, inputs } = value.node;
  if (depth === deepest) return '…';
  const parts = inputs.map((input) => expression(input, names, false, depth + 1));
  // A view is what it shows.
  if (!itself && op.kind === 'pointwise' && op.cost === 0 && op.name !== 'cast' && parts.length === 1) return parts[0]!;
  return `${op.name}(${parts.join(', ')})`;
}

/** a … z, aa, ab, … */
function letters(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function bytes(count: number): string {
  const step = count < 2 ** 10 ? 0 : count < 2 ** 20 ? 1 : 2;
  return step === 0 ? `${count} B` : `${(count / 2 ** (10 * step)).toPrecision(3)} ${['KiB', 'MiB'][step - 1]}`;
}
