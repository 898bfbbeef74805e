// WGSL's operators on scalars. https://www.w3.org/TR/WGSL/#expressions
import type { BinaryOperator, UnaryOperator } from '../program/program.js';
import type { MatrixType, ScalarKind, Type, VectorType } from '../program/types.js';
import type { Graph, Value } from './ir.js';

/** The result of an operation on f16 is rounded to f16 (exact for + − × ÷ and √: f32 has more than twice the bits). */
export function rounded(g: Graph, scalar: ScalarKind, value: Value): Value {
  return scalar === 'f16' ? g.op('f16.round', 'f32', [value]) : value;
}

export const isFloat = (scalar: ScalarKind): boolean => scalar === 'f32' || scalar === 'f16';

/** Arithmetic and bits: the instruction's name after `f32.` and `i32.`; `?` is s or u. */
const arithmetic: Record<string, readonly [float: string, integer: string]> = {
  '+': ['add', 'add'],
  '-': ['sub', 'sub'],
  '*': ['mul', 'mul'],
  '&': ['', 'and'],
  '|': ['', 'or'],
  '^': ['', 'xor'],
  '<<': ['', 'shl'],
  '>>': ['', 'shr_?'],
};
const comparison: Record<string, readonly [float: string, integer: string]> = {
  '==': ['eq', 'eq'],
  '!=': ['ne', 'ne'],
  '<': ['lt', 'lt_?'],
  '<=': ['le', 'le_?'],
  '>': ['gt', 'gt_?'],
  '>=': ['ge', 'ge_?'],
};

export function unary(g: Graph, operator: UnaryOperator, scalar: ScalarKind, a: Value): Value {
  if (operator === '!') return g.not(a);
  if (operator === '~') return g.int('xor', a, -1);
  return isFloat(scalar) ? g.float('neg', a) : g.int('sub', 0, a);
}

export function binary(g: Graph, operator: BinaryOperator, scalar: ScalarKind, a: Value, b: Value): Value {
  const compare = comparison[operator];
  const float = isFloat(scalar);
  const sign = scalar === 'i32' ? 's' : 'u';
  if (compare) {
    const op = float ? `f32.${compare[0]}` : `i32.${compare[1].replace('?', sign)}`;
    if (scalar === 'bool' && operator === '!=') return g.op('i32.xor', 'bool', [a, b]);
    return g.op(op, 'bool', [a, b]);
  }
  if (operator === '/' || operator === '%')
    return float ? quotient(g, operator, scalar, a, b) : divide(g, operator, sign, a, b);
  const [floatOp, integerOp] = arithmetic[operator]!;
  if (float) return rounded(g, scalar, g.float(floatOp, a, b));
  const amount = integerOp.startsWith('sh') ? g.int('and', b, 31) : b;
  return g.op(`i32.${integerOp.replace('?', sign)}`, scalar === 'bool' ? 'bool' : 'i32', [a, amount]);
}

function quotient(g: Graph, operator: '/' | '%', scalar: ScalarKind, a: Value, b: Value): Value {
  const divided = g.float('div', a, b);
  if (operator === '/') return rounded(g, scalar, divided);
  const whole = g.float('trunc', rounded(g, scalar, divided));
  const product = rounded(g, scalar, g.float('mul', b, whole));
  return rounded(g, scalar, g.float('sub', a, product));
}

/** Integer division: by zero, and of the least integer by −1, gives the dividend and no remainder, as if by 1. */
function divide(g: Graph, operator: '/' | '%', sign: string, a: Value, b: Value): Value {
  let bad = g.test('eq', b, 0);
  if (sign === 's') {
    const least = g.test('eq', a, -(2 ** 31));
    bad = g.or(bad, g.and(least, g.test('eq', b, -1)));
  }
  const divisor = g.select(bad, g.i32(1), b);
  return g.int(`${operator === '/' ? 'div' : 'rem'}_${sign}`, a, divisor);
}

/** Σ aᵢ bᵢ, from the first on. */
export function dot(g: Graph, scalar: ScalarKind, a: readonly Value[], b: readonly Value[]): Value {
  const products = a.map((value, i) => binary(g, '*', scalar, value, b[i]!));
  return products.reduce((sum, product) => binary(g, '+', scalar, sum, product));
}

/** Matrix × matrix, matrix × vector, vector × matrix. Matrices are lists of columns. */
export function matrixProduct(g: Graph, left: Type, right: Type, a: readonly Value[], b: readonly Value[]): Value[] {
  const { scalar } = left as MatrixType | VectorType;
  const columnsOf = (type: Type, values: readonly Value[]) => {
    const rows = type.kind === 'matrix' ? type.rows : values.length;
    return Array.from({ length: values.length / rows }, (_, i) => values.slice(i * rows, (i + 1) * rows));
  };
  const columns = columnsOf(right, b);
  if (left.kind === 'vector') return columns.map((column) => dot(g, scalar, a, column));
  const parts = columnsOf(left, a);
  const rows = parts[0]!.map((_, row) => parts.map((part) => part[row]!));
  return columns.flatMap((column) => rows.map((row) => dot(g, scalar, row, column)));
}
