// What two graphs must have in common to share a plan: ops, attributes, shapes and dtypes, and how leaves are used.
// Not the leaves themselves: those are bound with each call.
import { topologicalOrder, type Value } from '../graph/node.js';
import { identityOf } from './simplify.js';

export interface Signature {
  readonly key: string;
  /** The graph's leaves in the order of the key. */
  readonly leaves: readonly Value[];
  /** What the plan may take beside its leaves. */
  readonly memoryBudgetBytes: number | undefined;
}

export function signatureOf(roots: readonly Value[], memoryBudgetBytes?: number): Signature {
  const numbers = new Map<Value, number>();
  const leaves: Value[] = [];
  const parts: string[] = [];
  const refer = (value: Value): number => {
    let number = numbers.get(value);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(value, number);
      if (value.node.op.kind === 'leaf') {
        leaves.push(value);
        parts.push(
          `${value.operand ? `operand${value.operand.length}` : 'leaf'} ${value.dtype}[${value.shape.join()}]`,
        );
      }
    }
    return number;
  };
  for (const node of topologicalOrder(roots)) {
    if (node.op.kind === 'leaf') continue;
    const inputs = node.inputs.map(refer).join();
    const types = node.outputs.map((output) => `${refer(output)}${output.dtype}[${output.shape.join()}]`).join();
    parts.push(`${identityOf(node.op)}(${inputs})${JSON.stringify(node.attributes)}=${types}`);
  }
  // First the roots: one that is a leaf itself adds to the parts.
  const results = roots.map(refer).join();
  const budget = memoryBudgetBytes === undefined ? '' : ` in ${memoryBudgetBytes}`;
  return { key: `${parts.join(';')}>${results}${budget}`, leaves, memoryBudgetBytes };
}
