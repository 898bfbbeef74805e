// What the largest and the smallest element over axes share.
import { type DType, dtypes } from '../../graph/dtype.js';
import type { Type } from '../../graph/node.js';
import type { Accumulator } from '../../graph/op.js';
import type { Tensor } from '../../tensor.js';
import type { GradientContext } from '../define/gradient.js';
import { type Axes, extremes, keepAxes, reducing, simpleAccumulator } from './over.js';

export type Extremum = 'max' | 'min';

/** The type rule. */
export function inferExtremum(name: Extremum, inputs: readonly Type[], attributes: Axes): Type[] {
  return reducing(name, dtypes)(inputs, attributes);
}

export function extremumAccumulator(name: Extremum, dtype: DType): Accumulator {
  const { type, lowest, highest } = extremes(dtype);
  const better = (a: string, b: string) =>
    dtype === 'bool' ? `${a} ${name === 'max' ? '||' : '&&'} ${b}` : `${name}(${a}, ${b})`;
  return simpleAccumulator(type, name === 'max' ? lowest : highest, better);
}

/** To the elements that equal it, in equal shares. */
export function extremumGradient(context: GradientContext<Axes>): Tensor[] {
  const { inputs, outputs, cotangent, attributes } = context;
  const [[x], [y], { axes }] = [inputs, outputs, attributes];
  const hits = x!.equal(keepAxes(y!, x!, axes)).cast('f32');
  const share = cotangent.div(hits.sum(axes));
  return [hits.mul(keepAxes(share, x!, axes))];
}
