// A loop or a region in two versions: a fast one under assumptions that are tested before it (indices in bounds, lanes side by
// side, conditions that all lanes agree on), and the general one.

import type { Shape } from './divergence.js';
import type { Body, LoopNode, Node, Value } from './ir.js';
import type { LanesMode } from './lanes.js';

export interface Version {
  /** What must hold for it. */
  readonly condition: Value;
  readonly assumed: ReadonlyMap<Value, Shape>;
  /** Addresses (before the constant offset) of accesses that need no bounds any more. */
  readonly addresses: ReadonlyMap<Value, (mode: LanesMode) => Value>;
}

export function planLoop(
  _mode: LanesMode,
  _loop: LoopNode,
  _entry: Extract<Node, { kind: 'move' }>,
): Version | undefined {
  return undefined;
}

export function planRegion(_mode: LanesMode, _body: Body): Version | undefined {
  return undefined;
}
