// The least work of a kernel, for profiles: its arithmetic, and the bytes that it moves if it touches everything once.
import { sizeOf } from '../graph/shape.js';
import type { Fused } from './fuse.js';
import type { Group } from './group.js';
import { bytesOf } from './memory.js';

/** The work of one kernel, computed from its shapes. */
export interface KernelCost {
  /** Of the product or the attention in it, if there is one; elementwise work is not counted. */
  readonly flops: number | undefined;
  /** Of what it reads and writes, each element once. */
  readonly bytes: number;
}

export function costOf(group: Group, { operands }: Fused): KernelCost {
  const { node, reads, stored, rows, length } = group;
  const own = node && operands.get(node);
  // A kernel may read a part of a tensor: no more elements than it has itself.
  const most = 4 * (own ? sizeOf(node.outputs[0]!.shape) : rows * length);
  const parts = new Map([...reads].map((value) => [value, Math.min(bytesOf(value), most)]));
  for (const [i, { base }] of (own ?? []).entries()) {
    if (!reads.has(base)) continue; // read through a prologue
    parts.set(base, Math.min(bytesOf(base), bytesOf({ ...base, shape: node!.inputs[i]!.shape } as typeof base)));
  }
  let bytes = 0;
  for (const part of parts.values()) bytes += part;
  for (const value of stored) bytes += bytesOf(value);
  return { flops: node?.op.kind === 'tiled' ? node.op.flops?.(node.inputs, node.outputs) : undefined, bytes };
}
