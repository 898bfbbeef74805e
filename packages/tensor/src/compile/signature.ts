// What two graphs must have in common to share a plan: ops, attributes, shapes and dtypes, and how leaves are used.
// Not the leaves themselves: those are bound with each call.
import { topologicalOrder, type Value } from '../graph/node.js';
import { identityOf } from './simplify.js';

export interface Signature {
  readonly key: string;
  /** The graph's leaves in the order of the key. */
  readonly leaves: readonly Value[];
  /** How many bytes the plan may take, not counting its leaves. */
  readonly memoryBudgetBytes: number | undefined;
}

export function signatureOf(roots: readonly Value[], memoryBudgetBytes?: number): Signature {
  const numbers = new Map<Value, number>();
  const list = (values: readonly Value[]) => values.map((value) => numbers.get(value)!).join();
  const leaves: Value[] = [];
  const parts = topologicalOrder(roots).map(({ op, inputs, outputs, attributes }) => {
    // A value that has been computed is still among the outputs of the node that it left: its first number is kept.
    for (const output of outputs) if (!numbers.has(output)) numbers.set(output, numbers.size);
    const types = outputs.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join();
    const made = `${list(outputs)} ${types}`;
    if (op.kind !== 'leaf') return `${identityOf(op)}(${list(inputs)})${JSON.stringify(attributes)}=${made}`;
    const leaf = outputs[0]!;
    leaves.push(leaf);
    return `${leaf.operand ? `operand${leaf.operand.length}` : 'leaf'}=${made}`;
  });
  const budget = memoryBudgetBytes === undefined ? '' : ` in ${memoryBudgetBytes}`;
  return { key: `${parts.join(';')}>${list(roots)}${budget}`, leaves, memoryBudgetBytes };
}
