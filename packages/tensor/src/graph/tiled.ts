// What an op with its own kernel receives and returns. For the kernel's side see kernels/contract.ts.

import type { Extent, KernelAdapter, OperandAccess } from './kernel.js';
import type { Attributes, Type } from './node.js';
import type { RowPlace } from './position.js';
import type { Strided } from './strided.js';

/** An operand in memory: how to read its buffer, and which window of the buffer is meant. */
export interface TiledOperand {
  readonly access: OperandAccess;
  readonly window: Strided;
}

export interface TiledContext {
  readonly adapter: KernelAdapter;
  readonly attributes: Attributes;
  readonly inputs: readonly Type[];
  readonly outputs: readonly Type[];
  operand(input: number): TiledOperand;
  /** A size that may change between calls without a new pipeline: read from the dispatch's uniforms. */
  uniform(value: number): Extent;
  /**
   * WGSL statements that finish one element of an output (fused users included) at its row-major index.
   * @param at - the same place in rows, where the kernel knows it: users then need no division. For all elements of the
   *   output or for none.
   */
  store(output: number, index: string, value: string, at?: RowPlace): string;
}
