// A second opinion on graphs: plain JavaScript in float64, node by node as the user's calls made them, before any pass
// of the compiler. It shares no code with shaders, fusion or the planner.
import type { DType, FloatDType } from '../graph/dtype.js';
import { type Node, topologicalOrder, type Value } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import { interpreters } from './interpret-ops.js';

/** Elements in row-major order; bool is 0 or 1. */
export type Elements = Float64Array;

/** What an op's interpreter is given. */
export interface Interpreted {
  readonly node: Node;
  readonly inputs: readonly Elements[];
  /** The attribute of that name. */
  attribute<T>(name: string): T;
}

/** Applied to every float element that a node computes: `Math.fround` shows how far rounding carries. */
export type Round = (x: number, dtype: FloatDType) => number;

/** What the leaves hold, and how results are rounded on the way. Default: not at all. */
export interface InterpretOptions {
  /** Elements of the graph's leaves, or of values on the way. Operands (plain numbers, keys) bring their own. */
  readonly leaves: ReadonlyMap<Value, ArrayLike<number>>;
  readonly round?: Round | undefined;
}

/**
 * The elements of each root.
 * @throws Error if a leaf has no elements or an op is not known here (add it to interpret-ops.ts).
 */
export function interpret(roots: readonly Value[], options: InterpretOptions): Elements[] {
  const { leaves, round } = options;
  const known = new Map<Value, Elements>();
  const given = (value: Value) => value.node.op.kind === 'leaf' || leaves.has(value);
  const read = (value: Value): Elements => {
    let elements = known.get(value);
    if (!elements && given(value)) {
      elements = leafElements(value, leaves.get(value));
      known.set(value, elements);
    }
    return elements!;
  };
  for (const node of topologicalOrder(roots, given)) {
    const results = interpretNode(node, read, round);
    node.outputs.forEach((output, i) => {
      known.set(output, results[i]!);
    });
  }
  return roots.map((root) => {
    const elements = read(root);
    if (elements.length === sizeOf(root.shape)) return elements;
    throw new Error(`[interpret] ${root.node.op.name} has ${elements.length} elements, not [${root.shape}].`);
  });
}

/** What composites and tiled ops are made of. Graphs are interpreted many times, and what is known of these nodes stays. */
const meanings = new WeakMap<Node, readonly Value[]>();

/** The elements of a node's outputs, given those of the inputs that it reads. */
export function interpretNode(node: Node, read: (input: Value) => Elements, round?: Round): readonly Elements[] {
  const { op, attributes, outputs } = node;
  const inputs = op.kind === 'pointwise' && op.waits ? node.inputs.slice(0, 1) : node.inputs;
  const finish = (all: readonly Elements[]) => all.map((elements, i) => rounded(elements, outputs[i]!.dtype, round));
  // An op from outside brings its reading along; two may have one name. Ours are in the table.
  if (op.interpret) {
    const host = inputs.map((input) => ({ shape: input.shape, dtype: input.dtype, data: read(input) }));
    return finish(op.interpret(host, attributes).map((result) => new Float64Array(result)));
  }
  const known = interpreters[op.name];
  if (known) {
    const attribute = <T>(name: string) => attributes[name] as T;
    return finish(known({ node, inputs: inputs.map(read), attribute }));
  }
  // Tiled and composite ops without such a reading say themselves what they are made of.
  const meaning = op.kind === 'composite' ? op.decompose : op.kind === 'tiled' ? op.reference : undefined;
  const made = meanings.get(node) ?? meaning?.(inputs, attributes);
  if (made) meanings.set(node, made);
  else throw new Error(`[interpret] the op ${op.name} is not known. Add it to testing/interpret-ops.ts.`);
  return finish(interpret(made, { leaves: new Map(inputs.map((input) => [input, read(input)])), round }));
}

/** The elements of a leaf: those given, or the words that an operand (a plain number, a key) brings. */
export function leafElements(
  value: Value,
  given: ArrayLike<number> | undefined,
  words: Uint32Array | undefined = value.operand,
): Elements {
  if (given) return new Float64Array(given);
  if (!words) throw new Error(`[interpret] a leaf of shape [${value.shape}] has no elements.`);
  if (value.dtype === 'f32' || value.dtype === 'f16') return new Float64Array(new Float32Array(words.slice().buffer));
  if (value.dtype === 'i32') return new Float64Array(new Int32Array(words.slice().buffer));
  return new Float64Array(words);
}

function rounded(elements: Elements, dtype: DType, round: Round | undefined): Elements {
  if (dtype === 'i32') return elements.map((x) => x | 0);
  if (dtype === 'u32') return elements.map((x) => x >>> 0);
  if (dtype === 'bool') return elements.map((x) => (x ? 1 : 0));
  return round ? elements.map((x) => round(x, dtype)) : elements;
}
