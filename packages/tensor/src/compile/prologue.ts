// Operands that a kernel of its own reads through a function of their elements, instead of from memory: a cast, a
// dequantisation, a cheap activation of a leaf. The kernel loads what the leaf holds and computes the rest as it loads, so
// that no copy is made:
//
//     weights f16 (leaf) ─ cast ─ · scale ─┐                      weights f16 ──────────────────┐
//                                          ├─ matmul     becomes                                ├─ matmul, load0(i) = f32(w[i]) · scale
//                              pixels ─────┘                      pixels ───────────────────────┘
//
// Only leaves: what a kernel of this program makes is finished in that kernel, where each element is computed once.
import { dtypeBytes } from '../graph/dtype.js';
import type { Node, Value } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import type { Windowed } from '../graph/window.js';
import { readBy } from './boundary.js';

/** An element is computed again with every load, so it may cost so many additions. */
const mostCost = 3;

/** The bases of operands that need no memory: each is a cheap function of the elements of one leaf. */
export function prologuesOf(operands: ReadonlyMap<Node, readonly Windowed[]>, mostBuffers: number): Set<Value> {
  const found = new Set<Value>();
  for (const [node, list] of operands) {
    let room = mostBuffers - 1 - node.inputs.length - node.outputs.length;
    for (const { base } of list) {
      const sources = sourcesOf(base);
      if (!sources || sources.size - 1 > room) continue;
      room -= sources.size - 1;
      found.add(base);
    }
  }
  return found;
}

/** What has to be loaded for one element of a value, if that is one element of a leaf and single numbers, and cheap. */
function sourcesOf(base: Value): Set<Value> | undefined {
  if (base.node.op.kind !== 'pointwise' || base.operand) return undefined;
  const sources = new Set<Value>();
  let cost = 0;
  const visit = (value: Value): boolean => {
    if (value.operand) return true;
    const { op } = value.node;
    if (op.kind === 'leaf') {
      sources.add(value);
      return true;
    }
    if (op.kind !== 'pointwise') return false;
    cost += op.cost;
    if (cost > mostCost) return false;
    return readBy(value.node).every((input) => {
      const inPlace = op.relate?.('element', { input, output: value, length: 1 }) === 'element';
      return (inPlace || sizeOf(input.shape) === 1) && visit(input);
    });
  };
  if (!visit(base)) return undefined;
  const large = [...sources].filter(({ shape }) => sizeOf(shape) > 1);
  // Not where it would read more than the copy holds: a cast to f16 halves what every load moves.
  const reads = large.reduce((bytes, { dtype }) => bytes + dtypeBytes(dtype), 0);
  return large.length === 1 && reads <= dtypeBytes(base.dtype) ? sources : undefined;
}
