// One kernel's text for one group of values.
import { computeType } from '../graph/dtype.js';
import { type GeneratedKernel, type KernelAdapter, WEBASSEMBLY } from '../graph/kernel.js';
import type { Node, Value } from '../graph/node.js';
import type { Accumulator, ReduceOp, TiledOp } from '../graph/op.js';
import { Position, type RowPlace } from '../graph/position.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import type { Fused } from './fuse.js';
import { type Group, rootOutput } from './group.js';
import type { Place } from './memory.js';
import { type Binding, KernelWriter, type UniformWord } from './writer.js';

export interface Kernel {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** What each binding is to WebGPU, that of the words last. */
  readonly layout: readonly GPUBufferBindingType[];
  readonly words: readonly UniformWord[];
  readonly workgroups: readonly [number, number, number];
}

export interface GenerateOptions {
  readonly adapter: KernelAdapter;
  readonly fused: Fused;
  /** Where the values are that have memory. */
  readonly places: ReadonlyMap<Value, Place>;
}

const lanes = 64;
const softwareGroups = 32;
/** Invocations of a vector of `@paris/cpu`. */
const vector = 4;

export function generate(group: Group, { adapter, fused, places }: GenerateOptions): Kernel {
  const members = new Set(group.members);
  const written = new Set([...group.stored].map((value) => places.get(value)!.slot));
  const writer = new KernelWriter(
    (value) => places.has(value) && !members.has(value),
    (value) => written.has(places.get(value)!.slot),
  );
  const text = group.kind === 'tiled' ? tiledText(group, writer, adapter, fused) : rowsText(group, writer, adapter);
  return {
    label: group.members.map((member) => member.node.op.name).join('+'),
    code: writer.module(text),
    bindings: writer.bindings,
    layout: writer.layout(),
    words: writer.words,
    workgroups: text.workgroups,
  };
}

/**
 * Rows in one of two ways. An invocation a row, which walks along it: for software adapters, where a few invocations
 * take all rows in turn, and for short rows. A workgroup a row, whose lanes share the walk: for long rows on a GPU.
 */
const alone = { together: false, start: '0u', step: '1u' };
const shared: Walk = { together: true, start: 'local_index', step: `${lanes}u` };
type Walk = typeof alone;

function rowsText(group: Group, writer: KernelWriter, adapter: KernelAdapter): GeneratedKernel {
  if (adapter.architecture === WEBASSEMBLY) return rowsInOrder(group, writer);
  const { software } = adapter;
  const walk = !software && group.length >= lanes / 2 && (group.dense || apart(group)) ? shared : alone;
  const needed = walk.together ? group.rows : Math.ceil(group.rows / lanes);
  const groups = software ? Math.min(needed, softwareGroups) : needed;
  const across = Math.min(groups, 32768);
  const rows = writer.size(group.rows).wgsl;
  const workgroup = `(workgroup_id.y * ${writer.size(across).wgsl} + workgroup_id.x)`;
  const start = walk.together ? workgroup : `${workgroup} * ${lanes}u + local_index`;
  const declarations: string[] = [];
  const inner = writer.within(() => rowBody(group, writer, walk, declarations), true);
  const body = software
    ? [`for (var row = ${start}; row < ${rows}; row += ${writer.size(groups * lanes).wgsl}) {`, ...inner, '}']
    : [`let row = ${start};`, `if (row >= ${rows}) { return; }`, ...inner];
  return {
    declarations: declarations.join('\n'),
    body: body.join('\n'),
    workgroupSize: [lanes, 1, 1],
    workgroups: [across, Math.ceil(groups / Math.max(1, across)), 1],
  };
}

/** Where a workgroup is one vector of a thread: each takes rows that follow one another, as the caches like it. */
function rowsInOrder(group: Group, writer: KernelWriter): GeneratedKernel {
  const vectors = Math.ceil(group.rows / vector);
  const share = Math.ceil(vectors / Math.max(1, Math.min(vectors, softwareGroups)));
  const rows = writer.size(group.rows).wgsl;
  // So written, a compiler sees that neighbouring rows begin at a multiple of the vector.
  const each = `${writer.size(share).wgsl} * ${vector}u`;
  const inner = writer.within(() => rowBody(group, writer, alone, []), true);
  const body = [
    `let end = min((workgroup_id.x + 1u) * ${each}, ${rows});`,
    `for (var row = workgroup_id.x * ${each} + local_index; row < end; row += ${vector}u) {`,
    ...inner,
    '}',
  ];
  return {
    body: body.join('\n'),
    workgroupSize: [vector, 1, 1],
    workgroups: [Math.ceil(vectors / Math.max(1, share)), 1, 1],
  };
}

/** Whether neighbouring rows lie far apart, so that one invocation a row would read from everywhere at once. */
function apart({ node, rows }: Group): boolean {
  const axes = node!.attributes.axes as readonly number[];
  const trail = sizeOf(node!.inputs[0]!.shape.slice(axes[axes.length - 1]! + 1));
  return trail < lanes / 2 || rows < lanes;
}

function rowBody(group: Group, writer: KernelWriter, walk: Walk, declarations: string[]): void {
  writer.loop = group.length > 1 ? { row: 'row', length: group.length } : undefined;
  const rowRelation = group.length > 1 ? 'row' : 'element';
  const rowLevel = group.members.filter((member) => !group.elements.has(member));
  for (let i = 0; i < rowLevel.length; ) {
    // Reductions that do not need each other run in one loop.
    const batch = [rowLevel[i++]!];
    const reduces = batch[0]!.node.op.kind === 'reduce';
    const free = (value: Value) =>
      value.node.op.kind === 'reduce' && batch.every((other) => !group.inside.get(value)!.has(other));
    while (reduces && i < rowLevel.length && free(rowLevel[i]!)) batch.push(rowLevel[i++]!);
    const nodes = batch.map((value) => value.node);
    const values = reduces
      ? reduceRow(group, nodes, writer, walk, declarations)
      : batch.map((value) => writer.element(value, Position.atIndex(writer, value.shape, 'row', rowRelation)));
    batch.forEach((member, k) => {
      writer.define(member, values[k]!);
      if (!group.stored.has(member)) return;
      if (walk.together) writer.statement('if (local_index == 0u) {');
      writer.store(member, 'row', values[k]!);
      if (walk.together) writer.statement('}');
    });
  }
  const elements = group.members.filter((member) => group.elements.has(member));
  if (!elements.some((member) => group.stored.has(member))) return;
  const extent = writer.size(group.length).wgsl;
  loop(writer, extent, walk, (j) => {
    const index = writer.name(`row * ${extent} + ${j}`);
    for (const member of elements) {
      const value = writer.element(member, Position.inRows(writer, member.shape, index, placeIn(group, j)));
      writer.define(member, value);
      if (group.stored.has(member)) writer.store(member, index, value);
    }
  });
}

/** Where element `j` of the row is. */
function placeIn({ length }: Group, j: string): RowPlace | undefined {
  return length > 1 ? { row: 'row', column: j, width: length } : undefined;
}

/** The reductions of one row, which walk over it together, and the names of their results. */
function reduceRow(
  group: Group,
  nodes: readonly Node[],
  writer: KernelWriter,
  walk: Walk,
  declarations: string[],
): string[] {
  const { dense, length } = group;
  const axes = nodes[0]!.attributes.axes as readonly number[];
  const running = nodes.map(({ op, inputs }) => {
    const accumulator = (op as ReduceOp).accumulator(inputs[0]!.dtype);
    const names = accumulator.variables.map(({ type, initial }) => {
      const name = writer.fresh('sum');
      writer.statement(`var ${name}: ${type} = ${initial};`);
      return name;
    });
    return { accumulator, names, x: inputs[0]! };
  });
  // Never a literal: batches share shaders, and drivers do not unroll what they cannot count (which costs seconds).
  const extent = writer.size(length).wgsl;
  const sums = running.flatMap(({ accumulator, names }) => (accumulator.sums ?? []).map((i) => names[i]!));
  blockedLoop(writer, extent, walk, sums, (j) => {
    for (const { accumulator, names, x } of running) {
      const position = dense
        ? Position.inRows(writer, x.shape, writer.name(`row * ${extent} + ${j}`), placeIn(group, j))
        : Position.at(writer, x.shape, coordinates(writer, x.shape, axes, j));
      writer.statement(accumulator.step(names, writer.element(x, position), j));
    }
  });
  return running.map(({ accumulator, names }) => {
    const parts = walk.together ? merged(accumulator, names, writer, declarations) : names;
    const result = writer.fresh('r');
    writer.statement(`let ${result} = ${accumulator.result(parts)};`);
    return result;
  });
}

/** Merges what the lanes of a workgroup have reduced, halving their number, in an order that is always the same. */
function merged(
  accumulator: Accumulator,
  names: readonly string[],
  writer: KernelWriter,
  declarations: string[],
): string[] {
  const slots = names.map((name, i) => {
    const slot = writer.fresh('lanes');
    declarations.push(`var<workgroup> ${slot}: array<${accumulator.variables[i]!.type}, ${lanes}>;`);
    writer.statement(`${slot}[local_index] = ${name};`);
    return slot;
  });
  const at = (index: string) => slots.map((slot) => `${slot}[${index}]`);
  writer.statement('workgroupBarrier();');
  writer.statement(`for (var half = ${lanes / 2}u; half > 0u; half >>= 1u) {`);
  writer.statement(`  if (local_index < half) { ${accumulator.merge(at('local_index'), at('local_index + half'))} }`);
  writer.statement('  workgroupBarrier();');
  writer.statement('}');
  return at('0u');
}

/** Where element j of the row stands, when the reduced axes are not the last ones. */
function coordinates(writer: KernelWriter, shape: Shape, axes: readonly number[], j: string): string[] {
  const lengths = axes.map((axis) => shape[axis]!);
  const kept = shape.filter((_, axis) => !axes.includes(axis));
  const outer = [...Position.atIndex(writer, kept, 'row').coordinates];
  const inner = [...Position.atIndex(writer, lengths, j).coordinates];
  return shape.map((_, axis) => (axes.includes(axis) ? inner.shift()! : outer.shift()!));
}

function loop(writer: KernelWriter, extent: string, walk: Walk, body: (j: string) => void): void {
  const j = writer.fresh('j');
  const lines = writer.within(() => body(j));
  writer.statement(`for (var ${j} = ${walk.start}; ${j} < ${extent}; ${j} += ${walk.step}) {`);
  for (const line of lines) writer.statement(`  ${line}`);
  writer.statement('}');
}

/** Elements of a block, and blocks of the next larger one. */
const blockLength = 64;

/**
 * A loop in which `sums` take up one element at a time. A float that takes up n numbers one by one may be off by n
 * roundings, so each block of 64 elements is summed up by itself, then each 64 blocks, then each 64 of these: three
 * times 64 roundings, and one for each 2¹⁸ elements. https://epubs.siam.org/doi/10.1137/0914050 (Higham, "The accuracy
 * of floating point summation", 1993), §4.
 */
function blockedLoop(
  writer: KernelWriter,
  extent: string,
  walk: Walk,
  sums: readonly string[],
  body: (j: string) => void,
): void {
  if (sums.length === 0) {
    loop(writer, extent, walk, body);
    return;
  }
  const [j, first, end, block] = ['j', 'first', 'end', 'block'].map((name) => writer.fresh(name)) as [
    string,
    ...string[],
  ];
  // Before the loops' own lines: it writes what belongs to the row in front of them.
  const lines = writer.within(() => body(j));
  const levels = sums.map((sum) => [sum, ...[1, 2, 3].map(() => writer.fresh('sum'))]);
  for (const sum of levels.flatMap(([, ...larger]) => larger)) writer.statement(`var ${sum} = 0.0f;`);
  const stride = walk.together ? blockLength * lanes : blockLength;
  const raise = (level: number) =>
    levels.map((sum) => `${sum[level + 1]} += ${sum[level]}; ${sum[level]} = 0.0f;`).join(' ');
  writer.statement(`var ${block} = 0u;`);
  for (const line of [
    `for (var ${first} = ${walk.start}; ${first} < ${extent}; ${first} += ${stride}u) {`,
    `  let ${end} = min(${first} + ${stride}u, ${extent});`,
    `  for (var ${j} = ${first}; ${j} < ${end}; ${j} += ${walk.step}) {`,
    ...lines.map((line) => `    ${line}`),
    '  }',
    `  ${block} += 1u;`,
    `  ${raise(0)}`,
    `  if (${block} % ${blockLength}u == 0u) { ${raise(1)} }`,
    `  if (${block} % ${blockLength ** 2}u == 0u) { ${raise(2)} }`,
    '}',
    ...levels.map(([sum, low, middle, high]) => `${sum} = ${high} + (${middle} + ${low});`),
  ])
    writer.statement(line);
}

function tiledText(group: Group, writer: KernelWriter, adapter: KernelAdapter, fused: Fused): GeneratedKernel {
  const node = group.node!;
  const operands = fused.operands.get(node)!;
  const epilogues = node.outputs.map((output) =>
    group.members.filter((m) => m.node !== node && rootOutput(group, m) === output),
  );
  const widths: (number | undefined)[] = [];
  const kernel = (node.op as TiledOp).generate({
    adapter,
    attributes: node.attributes,
    inputs: node.inputs,
    outputs: node.outputs,
    operand: (i) => ({ element: writer.reader(operands[i]!.base), window: operands[i]!.window }),
    uniform: (value) => writer.size(value),
    store: (output, index, value, at) => {
      const used = group.stored.has(node.outputs[output]!) || epilogues[output]!.length > 0;
      if (at) widths[output] = at.width;
      return used ? `finish${output}(${index}, ${at ? `${at.row}, ${at.column}, ` : ''}${value});` : '';
    },
  });
  const finishers = node.outputs.map((output, i) => {
    const width = widths[i];
    const place = width === undefined ? undefined : { row: 'row', column: 'column', width };
    const lines = writer.within(() => {
      writer.define(output, 'value');
      if (group.stored.has(output)) writer.store(output, 'index', 'value');
      for (const member of epilogues[i]!) {
        const value = writer.element(member, Position.inRows(writer, member.shape, 'index', place));
        writer.define(member, value);
        if (group.stored.has(member)) writer.store(member, 'index', value);
      }
    });
    return lines.length === 0
      ? ''
      : `fn finish${i}(index: u32, ${place ? 'row: u32, column: u32, ' : ''}value: ${computeType(output.dtype)}) {\n${lines.join('\n')}\n}`;
  });
  return { ...kernel, declarations: `${kernel.declarations ?? ''}\n${finishers.join('\n')}` };
}
