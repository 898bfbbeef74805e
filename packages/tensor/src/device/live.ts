// Whether the inputs of a graph still have their memory.
import { DisposedTensorError, DonatedTensorError, TraceError, ValueError } from '../errors.js';
import type { Value } from '../graph/node.js';
import type { BufferPool } from './pool.js';
import { storageOf } from './storage.js';

/** @throws the typed error of the first leaf whose memory is not there, or not in this pool */
export function requireLive(leaves: readonly Value[], pool: BufferPool): void {
  for (const leaf of leaves) {
    if (leaf.operand) continue;
    const storage = storageOf(leaf);
    if (storage && storage.buffer.pool !== pool) {
      throw new ValueError('run', 'the graph needs a tensor of another device. Read it there and upload it here.');
    }
    if (storage?.status === 'live') continue;
    const needs = 'the graph needs a tensor that was';
    if (storage?.status === 'donated') {
      throw new DonatedTensorError('run', `${needs} donated. Use what the compiled call returned.`);
    }
    if (storage) throw new DisposedTensorError('run', `${needs} disposed. Dispose it after its last use.`);
    const what = `a ${leaf.node.op.name} of a function that is no longer traced`;
    throw new TraceError('run', `the graph needs ${what}. Return tensors, do not keep them.`);
  }
}
