// What the device hands to its sanitizer: see sanitize/parts.ts.
import { kernelBinding } from './compile/compile.js';
import { lower } from './compile/lower.js';
import { hostFunction } from './compile/math/evaluate.js';
import { schedule } from './compile/place-values.js';
import { ScalarMode } from './compile/scalar.js';
import { Allocator } from './run/allocator.js';
import { layout } from './run/layout.js';
import type { Parts } from './sanitize/parts.js';
import { f16Bits, f16FromBits, roundF16 } from './wgsl/scalars.js';

export const parts: Parts = {
  lower,
  schedule,
  kernelBinding,
  ScalarMode,
  hostFunction,
  roundF16,
  f16Bits,
  f16FromBits,
  Allocator,
  layout,
};
