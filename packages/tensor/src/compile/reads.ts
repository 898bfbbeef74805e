// What computing a value reads: from memory, or from its own kernel, and where.
import type { Node, Value } from '../graph/node.js';
import type { Relation } from '../graph/position.js';
import type { Windowed } from '../graph/strided.js';
import { readBy, waitedFor } from './boundary.js';

export interface Read {
  readonly value: Value;
  /** `wait`: it is not read, but has to be computed before. */
  readonly relation: Relation | 'wait';
}

/** What computing a value reads from memory, or from its own kernel, and where. */
export function readsOf(
  start: readonly Value[],
  length: number,
  boundary: ReadonlySet<Value>,
  startAt?: Value,
  startRelation: Read['relation'] = 'element',
): Read[] {
  const seen = new Set<string>();
  const reads: Read[] = [];
  const visit = (value: Value, relation: Read['relation']): void => {
    const key = `${value.id}|${relation}`;
    if (seen.has(key)) return;
    seen.add(key);
    const { op } = value.node;
    if (value !== startAt && (boundary.has(value) || op.kind !== 'pointwise')) {
      if (!value.operand) reads.push({ value, relation });
      return;
    }
    if (op.kind !== 'pointwise') return;
    for (const input of readBy(value.node)) {
      const fixed = relation === 'other' || relation === 'wait';
      visit(input, fixed ? relation : (op.relate?.(relation, { input, output: value, length }) ?? 'other'));
    }
    for (const input of waitedFor(value.node)) visit(input, 'wait');
  };
  for (const value of start) visit(value, startRelation);
  return reads;
}

/** What a tiled op reads: the bases of its operands, or what these are made of; and what the views on the way there wait for. */
export function readsOfOperands(node: Node, operands: readonly Windowed[], boundary: ReadonlySet<Value>): Read[] {
  return operands.flatMap(({ base }, i) => {
    const waits: Value[] = [];
    for (let at = node.inputs[i]!; at !== base; at = at.node.inputs[0]!) waits.push(...waitedFor(at.node));
    return [...readsOf([base], 1, boundary, undefined, 'other'), ...readsOf(waits, 1, boundary, undefined, 'wait')];
  });
}
