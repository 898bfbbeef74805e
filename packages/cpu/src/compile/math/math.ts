// WGSL's transcendental functions of f32, on four lanes at a time and by arithmetic that IEEE 754 defines to the bit:
// no result depends on the machine, the engine, or its Math object.
import type { FunctionBuilder, ModuleBuilder } from '../../wasm/module.js';
import { exp, exp2, log, log2, pow } from './exponential.js';
import { acosh, asinh, atanh, cosh, sinh, tanh } from './hyperbolic.js';
import { acos, asin, atan, atan2, cos, sin, tan } from './trigonometric.js';
import { type Vector, VectorMath } from './vector.js';

const unary: Readonly<Record<string, (m: VectorMath, x: Vector) => Vector>> = {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cos,
  cosh,
  exp,
  exp2,
  log,
  log2,
  sin,
  sinh,
  tan,
  tanh,
};
const binary: Readonly<Record<string, (m: VectorMath, x: Vector, y: Vector) => Vector>> = { atan2, pow };

/** Whether a built-in function of f32 is one of these. */
export function isMathFunction(name: string): boolean {
  return Object.hasOwn(unary, name) || Object.hasOwn(binary, name);
}

/** Writes a function's instructions where they are needed; gives its result. */
export function inlineMath(f: FunctionBuilder, name: string, operands: readonly Vector[]): Vector {
  const m = new VectorMath(f);
  const [x, y] = operands as [Vector, Vector];
  return Object.hasOwn(binary, name) ? binary[name]!(m, x, y) : unary[name]!(m, x);
}

/** Adds a function to a module: v128 of four f32 (two for `atan2` and `pow`) → v128. */
export function mathFunction(module: ModuleBuilder, name: string, exportAs?: string): FunctionBuilder {
  const operands = Object.hasOwn(binary, name) ? [{ local: 0 }, { local: 1 }] : [{ local: 0 }];
  const f = module.function(Array(operands.length).fill('v128'), ['v128'], exportAs);
  f.get(inlineMath(f, name, operands).local);
  return f;
}
