import type { DType } from '../graph/dtype.js';
import { normalizeAxis } from '../graph/shape.js';
import { type WithOp, withOp } from '../graph/with-op.js';
import type { Tensor } from '../tensor.js';
import { applyOp, requireTensor } from './define/apply.js';
import { composite, sameType } from './define/kinds.js';

/** A function along one axis, with its op. */
export type AlongAxis = WithOp<(x: Tensor, axis?: number) => Tensor>;

type Definition = Pick<Parameters<typeof composite<{ readonly axis: number }>>[0], 'name' | 'decompose' | 'vjp'>;

/** A function along an axis, the last by default, that keeps shape and dtype and is written in other ops. */
export function alongAxis({ dtypes, ...definition }: Definition & { readonly dtypes: readonly DType[] }): AlongAxis {
  const { name } = definition;
  const op = composite({ ...definition, infer: sameType(name, dtypes) });
  return withOp(op, (x, axis = -1) =>
    applyOp(op, [x], { axis: normalizeAxis(name, axis, requireTensor(name, x).rank) }),
  );
}
