// Makes kernels from a graph: what is read in place (window.ts), computed on load (prologue.ts) or stored (boundary.ts),
// which values share a kernel (grouping.ts), and in which order kernels run (schedule.ts).

import { dtypeBytes } from '../graph/dtype.js';
import { type Node, topologicalOrder, type Value } from '../graph/node.js';
import { isContiguous, type Strided, type Windowed, windowOf } from '../graph/strided.js';
import { boundaryOf } from './boundary.js';
import type { Group } from './group.js';
import { Grouping } from './grouping.js';
import { align } from './memory.js';
import type { Passes } from './passes.js';
import { prologuesOf } from './prologue.js';
import { schedule } from './schedule.js';

export interface Fused {
  /** In an order in which they can run. */
  readonly groups: readonly Group[];
  /** Where each root's elements are: a window of a leaf or of a stored value. */
  readonly roots: readonly Windowed[];
  /** The base and window that a tiled op reads for each of its inputs. */
  readonly operands: ReadonlyMap<Node, readonly Windowed[]>;
}

/** @param mostBuffers - how many a kernel can bind */
export function fuse(rootValues: readonly Value[], mostBuffers: number, passes: Passes): Fused {
  const { windows } = passes;
  const order = topologicalOrder(rootValues);
  const roots = rootValues.map((root) => {
    const aligned = ({ offset }: Strided) => (offset * dtypeBytes(root.dtype)) % align === 0;
    return windowOf(root, (window) => windows && isContiguous(window) && aligned(window));
  });
  const operands = new Map<Node, Windowed[]>();
  for (const node of order) {
    const { op } = node;
    if (op.kind !== 'tiled') continue;
    operands.set(
      node,
      node.inputs.map((input, i) => windowOf(input, (window) => windows && (op.windows?.(window, i) ?? true))),
    );
  }
  const results = new Set(roots.map(({ base }) => base));
  const prologues = passes.prologue ? prologuesOf(operands, mostBuffers) : new Set<Value>();
  const boundary = boundaryOf(order, results, operands, prologues, mostBuffers, passes);
  // Where nothing is fused, no kernel has room for a second value.
  const groups = new Grouping(boundary, results, operands, passes.fuse ? mostBuffers : 0).of(order);
  return { groups: schedule(groups, results, passes.order), roots, operands };
}
