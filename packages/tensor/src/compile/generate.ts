// One kernel's text for one group of values.
import type { Node, Value } from '../graph/node.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import type { KernelAdapter } from '../kernels/contract.js';
import { type Fused, type Group, rootOutput } from './fuse.js';
import { Position } from './position.js';
import { type Binding, KernelWriter, type UniformWord } from './writer.js';

export interface Kernel {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** What each binding is: see KernelWriter.layout. */
  readonly layout: string;
  readonly words: readonly UniformWord[];
  readonly workgroups: readonly [number, number, number];
}

export interface GenerateOptions {
  readonly adapter: KernelAdapter;
  readonly fused: Fused;
  /** Values that have memory, wherever it was written. */
  readonly inMemory: (value: Value) => boolean;
  /** Whether two values lie in one buffer, so that reading one while writing the other needs the same access. */
  readonly sharesBuffer: (a: Value, b: Value) => boolean;
}

const lanes = 64;
const softwareGroups = 32;

export function generate(group: Group, options: GenerateOptions): Kernel {
  const members = new Set(group.members);
  const writer = new KernelWriter((value) => options.inMemory(value) && !members.has(value));
  const written = [...group.stored];
  const writable = (value: Value) => written.some((output) => options.sharesBuffer(value, output));
  return group.kind === 'tiled'
    ? tiledKernel(group, writer, writable, options)
    : rowsKernel(group, writer, writable, options);
}

type Writable = (value: Value) => boolean;

function rowsKernel(group: Group, writer: KernelWriter, writable: Writable, options: GenerateOptions): Kernel {
  const rows = writer.size(group.rows);
  const needed = Math.ceil(group.rows / lanes);
  // A software adapter pays for each invocation: a few of them walk over all rows. A GPU wants one a row.
  const groups = options.adapter.software ? Math.min(needed, softwareGroups) : needed;
  const across = Math.min(groups, 32768);
  const start = `(workgroup_id.y * ${writer.size(across).wgsl} + workgroup_id.x) * ${lanes}u + local_index`;
  const inner = writer.within(() => rowBody(group, writer), true);
  const body = options.adapter.software
    ? [`for (var row = ${start}; row < ${rows.wgsl}; row += ${writer.size(groups * lanes).wgsl}) {`, ...inner, '}']
    : [`let row = ${start};`, `if (row >= ${rows.wgsl}) { return; }`, ...inner];
  return {
    label: group.members.map((member) => member.node.op.name).join('+'),
    code: writer.module({ declarations: '', body, workgroupSize: [lanes, 1, 1], writable }),
    bindings: writer.bindings,
    layout: writer.layout(writable),
    words: writer.words,
    workgroups: [across, Math.ceil(groups / Math.max(1, across)), 1],
  };
}

function rowBody(group: Group, writer: KernelWriter): void {
  writer.loop = group.length > 1 ? { row: 'row', length: group.length } : undefined;
  const rowRelation = group.length > 1 ? 'row' : 'element';
  const rowLevel = group.members.filter((member) => !group.elements.has(member));
  for (let i = 0; i < rowLevel.length; ) {
    // Reductions that do not need each other run in one loop.
    const together = [rowLevel[i++]!];
    if (together[0]!.node.op.kind === 'reduce') {
      const alone = (value: Value) =>
        value.node.op.kind === 'reduce' && together.every((other) => !group.inside.get(value)!.has(other));
      while (i < rowLevel.length && alone(rowLevel[i]!)) together.push(rowLevel[i++]!);
    }
    const values =
      together[0]!.node.op.kind === 'reduce'
        ? reduceRow(
            together.map((value) => value.node),
            writer,
          )
        : together.map((value) => writer.element(value, Position.atIndex(writer, value.shape, 'row', rowRelation)));
    together.forEach((member, k) => {
      writer.define(member, values[k]!);
      if (group.stored.has(member)) writer.store(member, 'row', values[k]!);
    });
  }
  const elements = group.members.filter((member) => group.elements.has(member));
  const results = elements.filter((member) => group.stored.has(member));
  if (results.length === 0) return;
  const extent = writer.size(group.length).wgsl;
  loop(writer, extent, (j) => {
    const index = writer.name(`row * ${extent} + ${j}`);
    const computed: Value[] = [];
    for (const member of elements) {
      const value = writer.element(member, Position.atIndex(writer, member.shape, index, 'element'));
      writer.define(member, value);
      computed.push(member);
      if (group.stored.has(member)) writer.store(member, index, value);
    }
    for (const member of computed) writer.forget(member);
  });
}

/** The reductions of one row, which walk over it together, and the names of their results. */
function reduceRow(nodes: readonly Node[], writer: KernelWriter): string[] {
  const axes = nodes[0]!.attributes.axes as readonly number[];
  const { shape } = nodes[0]!.inputs[0]!;
  const lengths = axes.map((axis) => shape[axis]!);
  const dense = axes.every((axis, i) => axis === shape.length - axes.length + i);
  const length = sizeOf(lengths);
  const running = nodes.map(({ op, inputs }) => {
    if (op.kind !== 'reduce') throw new Error('internal: not a reduction.');
    const accumulator = op.accumulator(inputs[0]!.dtype);
    const names = accumulator.variables.map(({ type, initial }) => {
      const name = writer.fresh('sum');
      writer.statement(`var ${name}: ${type} = ${initial};`);
      return name;
    });
    return { accumulator, names, x: inputs[0]! };
  });
  // Never a literal: batches share shaders, and drivers do not unroll what they cannot count (which costs seconds).
  const extent = writer.size(length).wgsl;
  loop(writer, extent, (j) => {
    for (const { accumulator, names, x } of running) {
      const position = dense
        ? Position.atIndex(writer, x.shape, writer.name(`row * ${extent} + ${j}`), 'element')
        : Position.at(writer, x.shape, coordinates(writer, x.shape, axes, lengths, j));
      writer.statement(accumulator.step(names, writer.element(x, position), j));
    }
  });
  return running.map(({ accumulator, names }) => {
    const result = writer.fresh('r');
    writer.statement(`let ${result} = ${accumulator.result(names)};`);
    return result;
  });
}

/** Where element j of the row stands, when the reduced axes are not the last ones. */
function coordinates(
  writer: KernelWriter,
  shape: Shape,
  axes: readonly number[],
  lengths: readonly number[],
  j: string,
): string[] {
  const kept = shape.filter((_, axis) => !axes.includes(axis));
  const outer = [...Position.atIndex(writer, kept, 'row').coordinates];
  const inner = [...Position.atIndex(writer, lengths, j).coordinates];
  return shape.map((_, axis) => (axes.includes(axis) ? inner.shift()! : outer.shift()!));
}

function loop(writer: KernelWriter, extent: string, body: (j: string) => void): void {
  const j = writer.fresh('j');
  const lines = writer.within(() => body(j));
  writer.statement(`for (var ${j} = 0u; ${j} < ${extent}; ${j}++) {`);
  for (const line of lines) writer.statement(`  ${line}`);
  writer.statement('}');
}

function tiledKernel(group: Group, writer: KernelWriter, writable: Writable, options: GenerateOptions): Kernel {
  const node = group.node!;
  if (node.op.kind !== 'tiled') throw new Error('internal: not a tiled op.');
  const operands = options.fused.operands.get(node)!;
  const epilogues = node.outputs.map((output) =>
    group.members.filter((m) => m.node !== node && rootOutput(group, m) === output),
  );
  const kernel = node.op.generate({
    adapter: options.adapter,
    attributes: node.attributes,
    inputs: node.inputs,
    outputs: node.outputs,
    operand: (i) => ({ access: writer.access(operands[i]!.base), window: operands[i]!.window }),
    uniform: (value) => writer.size(value),
    store: (output, index, value) => {
      const used = group.stored.has(node.outputs[output]!) || epilogues[output]!.length > 0;
      return used ? `finish${output}(${index}, ${value});` : '';
    },
  });
  const finishers = node.outputs.map((output, i) => {
    const lines = writer.within(() => {
      writer.define(output, 'value');
      if (group.stored.has(output)) writer.store(output, 'index', 'value');
      for (const member of epilogues[i]!) {
        const value = writer.element(member, Position.atIndex(writer, member.shape, 'index', 'element'));
        writer.define(member, value);
        if (group.stored.has(member)) writer.store(member, 'index', value);
      }
    });
    return lines.length === 0 ? '' : `fn finish${i}(index: u32, value: f32) {\n${lines.join('\n')}\n}`;
  });
  return {
    label: group.members.map((member) => member.node.op.name).join('+'),
    code: writer.module({
      declarations: `${kernel.declarations}\n${finishers.join('\n')}`,
      body: [kernel.body],
      workgroupSize: [...kernel.workgroupSize],
      writable,
    }),
    bindings: writer.bindings,
    layout: writer.layout(writable),
    words: writer.words,
    workgroups: [...kernel.workgroups],
  };
}
