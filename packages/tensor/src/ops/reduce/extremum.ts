import { dtypes } from '../../graph/dtype.js';
import { reduction } from '../define/kinds.js';
import { type Axes, extremes, keepAxes, overAxes, type Reduction, reducing, simpleAccumulator } from './over.js';

/** The largest or smallest element over axes. */
export function extremum(name: 'max' | 'min'): Reduction {
  const op = reduction<Axes>({
    name,
    splits: true,
    infer: reducing(name, dtypes),
    accumulator(dtype) {
      const { type, lowest, highest } = extremes(dtype);
      const better = (a: string, b: string) =>
        dtype === 'bool' ? `${a} ${name === 'max' ? '||' : '&&'} ${b}` : `${name}(${a}, ${b})`;
      return simpleAccumulator(type, name === 'max' ? lowest : highest, better);
    },
    // To the elements that equal it, in equal shares.
    vjp({ inputs: [x], outputs: [y], cotangent, attributes: { axes } }) {
      const hits = x!.equal(keepAxes(y!, x!, axes)).cast('f32');
      const share = cotangent.div(hits.sum(axes));
      return [hits.mul(keepAxes(share, x!, axes))];
    },
  });
  return overAxes(op);
}
