// The parts of the device that the sanitizer uses. They are handed over, not imported: a bundler would cut the device in
// two for them, which compresses worse, and every page without a GPU would load 2 kB more.
import type { kernelBinding } from '../compile/compile.js';
import type { lower } from '../compile/lower.js';
import type { hostFunction } from '../compile/math/evaluate.js';
import type { schedule } from '../compile/place-values.js';
import type { ScalarMode } from '../compile/scalar.js';
import type { Allocator } from '../run/allocator.js';
import type { Layout } from '../run/layout.js';
import type { f16Bits, f16FromBits, roundF16 } from '../wgsl/scalars.js';

export interface Parts {
  readonly lower: typeof lower;
  readonly schedule: typeof schedule;
  readonly kernelBinding: typeof kernelBinding;
  readonly ScalarMode: typeof ScalarMode;
  readonly hostFunction: typeof hostFunction;
  readonly roundF16: typeof roundF16;
  readonly f16Bits: typeof f16Bits;
  readonly f16FromBits: typeof f16FromBits;
  readonly Allocator: typeof Allocator;
  readonly layout: Layout;
}
