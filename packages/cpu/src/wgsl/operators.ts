// Unary and binary operators on values. https://www.w3.org/TR/WGSL/#arithmetic-expr and the sections after it

import type { BinaryOperator } from '../program/program.js';
import { say } from '../say.js';
import { preferred } from './builtins.js';
import { multiply, type Value, zip } from './constants.js';
import type { Span } from './lexer.js';
import { OperandChecker } from './operands.js';
import { binaryScalar, shiftScalar } from './scalars.js';
import { type Operand, Stage } from './scope.js';
import {
  type AnyType,
  converts,
  isFloat,
  isInteger,
  matrixType,
  type Scalar,
  sameType,
  scalarOf,
  shaped,
  show,
  vectorType,
  widthOf,
  withScalar,
} from './types.js';

const NUMBERS: readonly Scalar[] = ['AbstractInt', 'i32', 'u32', 'AbstractFloat', 'f32', 'f16'];

export abstract class OperatorChecker extends OperandChecker {
  /** `left operator right` of values. */
  protected operate(operator: string, left: Operand, right: Operand, at: Span): Operand {
    const constant = left.stage === Stage.Const && right.stage === Stage.Const;
    if (operator === '<<' || operator === '>>') return this.shift(operator, left, right, constant, at);
    const refuse = () => this.fail(at, say`"${operator}" does not take ${show(left.type)} and ${show(right.type)}.`);
    const [a, b] = [left.type, right.type];
    const [ofLeft, ofRight] = [scalarOf(a), scalarOf(b)];
    if (ofLeft === undefined || ofRight === undefined) return refuse();
    const scalar =
      ofLeft === ofRight && (constant || !ofLeft.startsWith('Abstract'))
        ? ofLeft
        : preferred([ofLeft, ofRight], NUMBERS, constant);
    if (scalar === undefined) return refuse();
    if (a.kind === 'matrix' || b.kind === 'matrix') return this.matrix(operator, left, right, scalar, at, refuse);
    const compare = /^[=!<>]/.test(operator);
    const arithmetic = /^[-+*/%]$/.test(operator);
    if (scalar === 'bool' && !/^(?:[&|]|[=!]=)$/.test(operator)) refuse();
    if (!compare && !arithmetic && scalar !== 'bool' && !isInteger(scalar)) refuse();
    const [wide, narrow] = [Math.max(widthOf(a), widthOf(b)), Math.min(widthOf(a), widthOf(b))];
    if (wide !== narrow && (narrow !== 1 || !arithmetic)) refuse();
    const type = shaped(wide, scalar);
    if ((operator === '/' || operator === '%') && isInteger(scalar) && right.stage < Stage.Run)
      this.checkDivisor(right);
    return this.result(
      at,
      shaped(wide, compare ? 'bool' : scalar),
      [this.spread(left, type), this.spread(right, type)],
      (values) => zip(values, ([x, y]) => binaryScalar(operator, scalar, x!, y!)),
      ([x, y], settled) => ({
        kind: 'binary',
        operator: operator as BinaryOperator,
        left: x!,
        right: y!,
        type: settled,
        at,
      }),
    );
  }

  private checkDivisor({ value, at }: Operand): void {
    if (value !== undefined && [value].flat().some((part) => Number(part) === 0) && this.suppressed === 0) {
      this.fail(at, say`An integer cannot be divided by zero.`);
    }
  }

  /** A value in a type of its own width, or a scalar in all components of a vector. */
  protected spread(operand: Operand, type: AnyType): Operand {
    const own = this.convert(operand, shaped(widthOf(operand.type), scalarOf(type)!), 'The value');
    if (type.kind !== 'vector' || own.type.kind === 'vector') return own;
    const { at } = own;
    return this.result(
      at,
      type,
      [own],
      ([value]) => new Array(type.size).fill(value),
      ([value], settled) => ({ kind: 'splat', value: value!, type: settled, at }),
    );
  }

  private shift(operator: '<<' | '>>', left: Operand, right: Operand, constant: boolean, at: Span): Operand {
    const value = constant ? left : this.settled(left);
    const scalar = scalarOf(value.type);
    const width = widthOf(value.type);
    const fits = value.type.kind !== 'matrix' && isInteger(scalar) && converts(right.type, shaped(width, 'u32'));
    if (!fits) this.fail(at, say`"${operator}" does not take ${show(left.type)} and ${show(right.type)}.`);
    const by = this.convert(right, shaped(width, 'u32'), 'The count of a shift');
    if (scalar !== 'AbstractInt' && by.value !== undefined && by.stage < Stage.Run && this.suppressed === 0) {
      if ([by.value].flat().some((part) => Number(part) >= 32))
        this.fail(by.at, say`A shift by 32 or more moves all bits out.`);
    }
    return this.result(
      at,
      value.type,
      [value, by],
      (values) => zip(values, ([x, y]) => shiftScalar(operator, scalar!, x!, y!)),
      ([x, y], settled) => ({ kind: 'binary', operator, left: x!, right: y!, type: settled, at }),
    );
  }

  private matrix(
    operator: string,
    left: Operand,
    right: Operand,
    scalar: Scalar,
    at: Span,
    refuse: () => never,
  ): Operand {
    if (!isFloat(scalar)) {
      // matrix * 2: the number becomes a float.
      if (scalarOf(left.type) === 'bool' || scalarOf(right.type) === 'bool') return refuse();
    }
    const [a, b] = [withScalar(left.type, scalar), withScalar(right.type, scalar)];
    const both = [this.convert(left, a, 'The matrix'), this.convert(right, b, 'The matrix')] as const;
    const product = (type: AnyType) =>
      this.result(
        at,
        type,
        both,
        ([x, y]) => multiply(a, b, x!, y!),
        ([x, y], settled) => ({ kind: 'binary', operator: 'matrix*', left: x!, right: y!, type: settled, at }),
      );
    if (a.kind === 'matrix' && b.kind === 'matrix' && (operator === '+' || operator === '-')) {
      if (!sameType(a, b)) return refuse();
      return this.result(
        at,
        a,
        both,
        (values) => zip(values, ([x, y]) => binaryScalar(operator, scalar, x!, y!)),
        ([x, y], settled) => ({ kind: 'binary', operator, left: x!, right: y!, type: settled, at }),
      );
    }
    if (operator !== '*') return refuse();
    if (a.kind === 'matrix' && b.kind === 'matrix' && a.columns === b.rows)
      return product(matrixType(b.columns, a.rows, scalar));
    if (a.kind === 'matrix' && b.kind === 'vector' && a.columns === b.size) return product(vectorType(a.rows, scalar));
    if (a.kind === 'vector' && b.kind === 'matrix' && b.rows === a.size) return product(vectorType(b.columns, scalar));
    const [matrix, factor] = a.kind === 'matrix' ? both : [both[1], both[0]];
    if (factor.type.kind !== 'scalar') return refuse();
    return this.result(
      at,
      matrix.type,
      [matrix, factor],
      ([m, x]) =>
        (m as Value[]).map((column) =>
          (column as Value[]).map((y) => binaryScalar('*', scalar, y as number, x as number)),
        ),
      ([m, x], settled) => ({ kind: 'binary', operator: 'matrix-scale', left: m!, right: x!, type: settled, at }),
    );
  }
}
