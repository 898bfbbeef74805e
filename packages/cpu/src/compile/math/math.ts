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

/** Writes a function's instructions where its operands are on the stack; leaves its result there. */
export function inlineMath(f: FunctionBuilder, name: string): void {
  const operands = Array.from({ length: arityOf(name) }, () => ({ local: f.local('v128') }));
  for (const { local } of [...operands].reverse()) f.set(local);
  write(f, name, operands);
}

/** Adds a function to a module: v128 of four f32 (two for `atan2` and `pow`) → v128. */
export function mathFunction(module: ModuleBuilder, name: string, exportAs?: string): FunctionBuilder {
  const arity = arityOf(name);
  const f = module.function(Array(arity).fill('v128'), ['v128'], exportAs);
  write(
    f,
    name,
    Array.from({ length: arity }, (_, local) => ({ local })),
  );
  return f;
}

const arityOf = (name: string) => (Object.hasOwn(binary, name) ? 2 : 1);

function write(f: FunctionBuilder, name: string, [x, y]: readonly Vector[]): void {
  const m = new VectorMath(f);
  f.get((y ? binary[name]!(m, x!, y) : unary[name]!(m, x!)).local);
}
