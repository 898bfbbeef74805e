import { type BinaryFunction, binary } from '../define/elementwise.js';
import { zeroGradient } from '../define/gradient.js';

/** A comparison of two numbers, elementwise, as bool. */
export function comparison(name: string, kernel: (a: number, b: number) => boolean): BinaryFunction {
  const vjp = zeroGradient('a comparison is constant between its steps');
  return binary({ name, result: 'bool', kernel, vjp });
}
