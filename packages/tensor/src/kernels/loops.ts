// Pieces of kernels' texts. Products and attention are text, not TypeGPU functions, since they are put together at run time,
// for each shape and each epilogue: as functions they would bring TypeGPU into every page (46 kB of gzip, more than all the
// rest of a product) and 1.3 to 5 ms of a processor to each new kernel. Their plain forms are typed, and every kernel is
// compared with them: plain.testing.ts.
import type { Extent } from '../graph/kernel.js';

/** How many tiles of `size` cover `extent`. */
export function tiles(extent: Extent, size: number): number {
  return Math.ceil(extent.value / size);
}

/** The text of `count` statements, one for each index. */
export function unroll(count: number, statement: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => statement(index)).join('\n');
}

/**
 * A WGSL expression that is zero, which a driver cannot know: added to a loop's length, it keeps the driver from unrolling
 * the loop, whose text takes longer to compile than to run. No workgroup_id reaches 2^16.
 */
export const HIDDEN_ZERO = '(workgroup_id.x >> 16u)';
