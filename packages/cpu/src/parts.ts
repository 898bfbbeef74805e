// What the device hands to its sanitizer: see sanitize/parts.ts.
import { hostFunction } from './compile/math/evaluate.js';
import { watchProgram } from './compile/watch.js';
import { Allocator } from './run/allocator.js';
import { layout } from './run/layout.js';
import type { Parts } from './sanitize/parts.js';
import { f16Bits, f16FromBits, roundF16 } from './wgsl/scalars.js';

export const parts: Parts = { watchProgram, hostFunction, roundF16, f16Bits, f16FromBits, Allocator, layout };
