// The order in which kernels run. Any order is right in which each kernel comes after those that it reads from; an order in
// which values are freed early needs less memory.
import type { Value } from '../graph/node.js';
import type { Group } from './group.js';
import { bytesOf } from './memory.js';

/**
 * Groups in the order in which they were formed, each after those it needs. But a group that frees at least the memory that
 * it takes runs as soon as it can: a weight's gradient runs right after its cotangent, so that neither the cotangent nor the
 * activation is kept until the last layer.
 */
export function schedule(groups: readonly Group[], roots: ReadonlySet<Value>, early: boolean): Group[] {
  const readers = new Map<Value, number>();
  const users = new Map<Group, Group[]>();
  for (const group of groups) {
    for (const value of group.reads) readers.set(value, (readers.get(value) ?? 0) + 1);
    for (const before of group.after) users.set(before, [...(users.get(before) ?? []), group]);
  }
  // Leaves, results and parts of packs have memory of their own.
  const elsewhere = new Set(roots);
  for (const { kind, node } of groups) if (kind === 'pack') for (const part of node!.inputs) elsewhere.add(part);
  const temporary = (value: Value) =>
    value.node.op.kind !== 'leaf' && value.node.op.kind !== 'pack' && !elsewhere.has(value);
  const grows = (group: Group): number => {
    let bytes = 0;
    for (const value of group.stored) if (temporary(value)) bytes += bytesOf(value);
    for (const value of group.reads) if (temporary(value) && readers.get(value) === 1) bytes -= bytesOf(value);
    return bytes;
  };

  const order = new Set<Group>();
  const missing = new Map(groups.map((group) => [group, group.after.size]));
  const ready = new Set<Group>();
  const run = (group: Group): void => {
    order.add(group);
    ready.delete(group);
    for (const value of group.reads) readers.set(value, readers.get(value)! - 1);
    for (const user of users.get(group) ?? []) {
      const left = missing.get(user)! - 1;
      missing.set(user, left);
      if (left === 0) ready.add(user);
    }
  };
  const visit = (group: Group): void => {
    if (order.has(group)) return;
    for (const before of group.after) visit(before);
    // It may have been scheduled early, after one of those.
    let next = order.has(group) ? undefined : group;
    while (next) {
      run(next);
      next = early ? [...ready].find((other) => grows(other) <= 0) : undefined;
    }
  };
  for (const group of groups) visit(group);
  return [...order];
}
