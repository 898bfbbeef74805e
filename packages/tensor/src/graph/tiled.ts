// What an op with a kernel of its own is told, and what it gives back: see kernels/contract.ts for the kernel's side.

import type { Extent, KernelAdapter, OperandAccess } from './kernel.js';
import type { Attributes, Type } from './node.js';
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
  /** WGSL statements that finish one element of an output (fused users included) at its row-major index. */
  store(output: number, index: string, value: string): string;
}
