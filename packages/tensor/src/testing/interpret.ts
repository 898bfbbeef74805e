// A second opinion on graphs: plain JavaScript in float64, node by node as the user's calls made them, before any pass
// of the compiler. It shares no code with shaders, fusion or the planner.
import type { DType } from '../graph/dtype.js';
import { type Node, topologicalOrder, type Value } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import { Tensor } from '../tensor.js';
import { interpreters } from './interpretOps.js';

/** Elements in row-major order; bool is 0 or 1. */
export type Elements = Float64Array;

/** What an op's interpreter is given. */
export interface Interpreted {
  readonly node: Node;
  readonly inputs: readonly Elements[];
  /** The attribute of that name. */
  attribute<T>(name: string): T;
}

export interface InterpretOptions {
  /** Elements of the graph's leaves. Operands (plain numbers, keys) bring their own. */
  readonly leaves: ReadonlyMap<Value, ArrayLike<number>>;
  /** Applied to every float element that a node computes: Math.fround shows how far rounding carries. */
  readonly round?: ((x: number) => number) | undefined;
}

/**
 * The elements of each root.
 * @throws Error if a leaf has no elements or an op is not known here (add it to interpretOps.ts).
 */
export function interpret(roots: readonly Tensor[], options: InterpretOptions): Elements[] {
  const known = new Map<Value, Elements>();
  const compute = (values: readonly Value[]) => {
    for (const value of values) if (value.node.op.kind === 'leaf') known.set(value, leafElements(value, options));
    for (const node of topologicalOrder(values, (value) => known.has(value))) run(node);
  };
  const run = (node: Node): void => {
    const { op } = node;
    if (op.kind === 'leaf') {
      for (const output of node.outputs) known.set(output, leafElements(output, options));
      return;
    }
    const elements = elementsOf(node, (input) => known.get(input)!);
    if (elements) {
      node.outputs.forEach((output, i) => {
        known.set(output, rounded(elements[i]!, output.dtype, options.round));
      });
      return;
    }
    // Tiled and composite ops without such a reading say themselves what they are made of.
    const parts = node.inputs.map((input) => new Tensor(input, undefined));
    const made =
      op.kind === 'composite'
        ? op.decompose(parts, node.attributes)
        : op.kind === 'tiled'
          ? op.reference?.(parts, node.attributes)
          : undefined;
    if (!made) throw new Error(`[interpret] the op ${op.name} is not known. Add it to testing/interpretOps.ts.`);
    compute(made.map((tensor) => tensor.value));
    node.outputs.forEach((output, i) => {
      known.set(output, known.get(made[i]!.value)!);
    });
  };
  compute(roots.map((root) => root.value));
  return roots.map((root) => {
    const elements = known.get(root.value)!;
    if (elements.length !== sizeOf(root.shape)) {
      throw new Error(`[interpret] ${root.value.node.op.name} has ${elements.length} elements, not [${root.shape}].`);
    }
    return elements;
  });
}

/** An op from outside brings its reading along; two may have one name. Ours are in the table. */
function elementsOf(node: Node, elements: (input: Value) => Elements): readonly Elements[] | undefined {
  const { op, inputs, attributes } = node;
  if (op.interpret) {
    const read = inputs.map((input) => ({ shape: input.shape, dtype: input.dtype, data: elements(input) }));
    return op.interpret(read, attributes).map((result) => Float64Array.from(result));
  }
  return interpreters[op.name]?.({
    node,
    inputs: inputs.map(elements),
    attribute: <T>(name: string) => attributes[name] as T,
  });
}

function leafElements(value: Value, { leaves }: InterpretOptions): Elements {
  const given = leaves.get(value);
  if (given) return Float64Array.from(given);
  if (!value.operand) throw new Error(`[interpret] a leaf of shape [${value.shape}] has no elements.`);
  const words = value.operand;
  if (value.dtype === 'f32' || value.dtype === 'f16') return Float64Array.from(new Float32Array(words.slice().buffer));
  if (value.dtype === 'i32') return Float64Array.from(new Int32Array(words.slice().buffer));
  return Float64Array.from(words);
}

function rounded(elements: Elements, dtype: DType, round: InterpretOptions['round']): Elements {
  if (dtype === 'i32') return elements.map((x) => x | 0);
  if (dtype === 'u32') return elements.map((x) => x >>> 0);
  if (dtype === 'bool') return elements.map((x) => (x ? 1 : 0));
  return round ? elements.map(round) : elements;
}
