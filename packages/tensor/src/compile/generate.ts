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
  // A software adapter pays for each invocation: several elements each, side by side across the workgroup.
  const perInvocation = group.length === 1 && options.adapter.software && group.rows >= 16 * lanes ? 4 : 1;
  const groups = Math.ceil(group.rows / (lanes * perInvocation));
  const across = Math.min(groups, 32768);
  const start = `(workgroup_id.y * ${writer.size(across).wgsl} + workgroup_id.x) * ${lanes * perInvocation}u + local_index`;
  const inner = writer.within(() => rowBody(group, writer), true);
  const body =
    perInvocation === 1
      ? [`let row = ${start};`, `if (row >= ${rows.wgsl}) { return; }`, ...inner]
      : [
          `let first = ${start};`,
          `for (var lane = 0u; lane < ${perInvocation}u; lane++) {`,
          `let row = first + lane * ${lanes}u;`,
          `if (row >= ${rows.wgsl}) { return; }`,
          ...inner,
          '}',
        ];
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
  const elements: Value[] = [];
  for (const member of group.members) {
    if (group.elements.has(member)) {
      elements.push(member);
      continue;
    }
    const value =
      member.node.op.kind === 'reduce'
        ? reduceRow(member.node, writer)
        : writer.element(member, Position.atIndex(writer, member.shape, 'row', rowRelation));
    writer.define(member, value);
    if (group.stored.has(member)) writer.store(member, 'row', value);
  }
  const results = elements.filter((member) => group.stored.has(member));
  if (results.length === 0) return;
  loop(writer, `${group.length}u`, (j) => {
    const index = writer.name(`row * ${group.length}u + ${j}`);
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

/** The reduction of one row, and the name of its result. */
function reduceRow(node: Node, writer: KernelWriter): string {
  const { op, attributes } = node;
  if (op.kind !== 'reduce') throw new Error('internal: not a reduction.');
  const [x] = node.inputs as [Value];
  const axes = attributes.axes as readonly number[];
  const lengths = axes.map((axis) => x.shape[axis]!);
  const accumulator = op.accumulator(x.dtype);
  const names = accumulator.variables.map(({ type, initial }) => {
    const name = writer.fresh('sum');
    writer.statement(`var ${name}: ${type} = ${initial};`);
    return name;
  });
  const dense = axes.every((axis, i) => axis === x.shape.length - axes.length + i);
  const length = sizeOf(lengths);
  // What varies with the batch is no literal: the first axis.
  const extent = axes[0] === 0 ? writer.size(length).wgsl : `${length}u`;
  loop(writer, extent, (j) => {
    const position = dense
      ? Position.atIndex(writer, x.shape, writer.name(`row * ${extent} + ${j}`), 'element')
      : Position.at(writer, x.shape, coordinates(writer, x.shape, axes, lengths, j));
    writer.statement(accumulator.step(names, writer.element(x, position), j));
  });
  const result = writer.fresh('r');
  writer.statement(`let ${result} = ${accumulator.result(names)};`);
  return result;
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
