import { numeric } from '../../graph/dtype.js';
import { comparisonBodies } from '../body.js';
import { type BinaryFunction, binary, zeroGradient } from '../define.js';

/** A comparison of two numbers, elementwise, as bool. */
export function comparison(name: string, body: (a: number, b: number) => boolean): BinaryFunction {
  const vjp = zeroGradient('a comparison is constant between its steps');
  return binary({ name, dtypes: numeric, result: 'bool', kernel: comparisonBodies(body), vjp });
}
