// Operands that a kernel of its own reads through a function of their elements, instead of from memory: a cast, a
// dequantisation, a cheap activation of a leaf. The kernel loads what the leaf holds and computes the rest as it loads, so
// that no copy is made:
//
//     weights f16 (leaf) ─ cast ─ · scale ─┐                      weights f16 ──────────────────┐
//                                          ├─ matmul     becomes                                ├─ matmul, load0(i) = f32(w[i]) · scale
//                              pixels ─────┘                      pixels ───────────────────────┘
//
// Only leaves: what a kernel of this program makes is finished in that kernel, where each element is computed once. Of numbers
// that are packed into words the leaf is the words, and with them a scale may come for each row or group of elements.
import type { Node, Value } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import type { Windowed } from '../graph/strided.js';
import { readBy } from './boundary.js';
import { bytesOf } from './memory.js';

/** An element is recomputed at every load, so it may cost at most this many additions. */
const mostCost = 3;

/** Next to packed numbers a tensor with at most one element for so many of theirs may be read anywhere: a scale for each row. */
const few = 16;

/** The bases of operands that need no memory: each is a cheap function of the elements of one leaf. */
export function prologuesOf(operands: ReadonlyMap<Node, readonly Windowed[]>, mostBuffers: number): Set<Value> {
  const found = new Set<Value>();
  for (const [node, list] of operands) {
    let room = mostBuffers - node.inputs.length - node.outputs.length;
    for (const { base } of list) {
      const sources = sourcesOf(base);
      if (!sources || sources.size > room) continue;
      room -= sources.size - 1;
      found.add(base);
    }
  }
  return found;
}

/** What has to be loaded for one element of a value, if that is one element of a leaf and few numbers, and cheap. */
function sourcesOf(base: Value): ReadonlySet<Value> | undefined {
  if (base.node.op.kind !== 'pointwise') return undefined;
  const sources = new Set<Value>();
  const large = new Set<Value>();
  let [cost, packed, elsewhere] = [0, false, 0];
  /** @param here - whether it is read at the place of the operand's element, or in the word of that place */
  const visit = (value: Value, here: boolean): boolean => {
    const { op } = value.node;
    if (value.operand) return true;
    if (op.kind === 'leaf') {
      const size = sizeOf(value.shape);
      sources.add(value);
      if (size > 1 && here) large.add(value);
      else if (size > 1) elsewhere = Math.max(elsewhere, size);
      return true;
    }
    if (op.kind !== 'pointwise') return false;
    cost += op.cost;
    if (op.unpacks) packed = true;
    const same = (input: Value) => op.relate?.('element', { input, output: value, length: 1 }) === 'element';
    return cost <= mostCost && readBy(value.node).every((input) => visit(input, here && (op.unpacks || same(input))));
  };
  if (!visit(base, true) || large.size !== 1) return undefined;
  // Not if loads would move more bytes than with a copy: a copy cast to f16 halves them.
  const fits = bytesOf([...large][0]!) <= bytesOf(base) && few * elsewhere <= (packed ? sizeOf(base.shape) : 0);
  return fits ? sources : undefined;
}
