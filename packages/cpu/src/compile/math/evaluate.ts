// The same functions for the constants of WGSL: one number at a time, on the host.
import { ModuleBuilder } from '../../wasm/module.js';
import { isMathFunction, mathFunction } from './math.js';

type Evaluate = (x: number, y: number) => number;
/** One small module each: some browsers compile no large one while a page waits. */
const made = new Map<string, Evaluate>();

/** A function of f32 to the bit as kernels compute it; undefined if it is none of math.ts. */
export function hostFunction(name: string): Evaluate | undefined {
  if (!isMathFunction(name)) return undefined;
  const known = made.get(name);
  if (known) return known;
  const module = new ModuleBuilder({ initial: 0, maximum: 1, shared: false });
  const vectors = mathFunction(module, name);
  const f = module.function(['f32', 'f32'], ['f32'], 'run');
  for (let k = 0; k < vectors.parameters.length; k++) f.get(k).op('f32x4.splat');
  f.call(vectors).op('f32x4.extract_lane', 0);
  const memory = new WebAssembly.Memory({ initial: 0, maximum: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { env: { memory } });
  const run = instance.exports.run as Evaluate;
  made.set(name, run);
  return run;
}
