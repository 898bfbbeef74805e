// Operands: loading, converting and emitting values, and keeping the order of evaluation.

import type { Expression, LocalVariable, Reference, Statement, Variable } from '../program/program.js';
import type { Type } from '../program/types.js';
import { say } from '../say.js';
import { convertValue, type Value, zeroValue } from './constants.js';
import { type Span, WgslError } from './lexer.js';
import { EvaluationError } from './scalars.js';
import { type ModuleScope, materialize, type Operand, rootOf, type Severity, Stage } from './scope.js';
import type { Syntax } from './syntax.js';
import { type AnyType, concrete, converts, isConstructible, sameType, show } from './types.js';

/** What checks of expressions share. */
export abstract class OperandChecker {
  /** Statements that must come before the one whose expressions are being checked. */
  protected before: Statement[] = [];
  /** Above zero where an expression is never evaluated: faults of its value do not matter. */
  protected suppressed = 0;
  protected severity: Severity;
  readonly reads = new Set<Variable>();
  readonly writes = new Set<Variable>();

  constructor(protected readonly module: ModuleScope) {
    this.severity = module.moduleSeverity;
  }

  abstract expression(syntax: Syntax): Operand;

  // ---------------------------------------------------------------------------------------------------- operands

  protected fail(at: Span, message: string): never {
    throw new WgslError(at, message);
  }

  /** Evaluates a constant; its faults are reported at its position. */
  protected evaluate(at: Span, type: AnyType, compute: () => Value): Value {
    try {
      return compute();
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      if (this.suppressed === 0) this.fail(at, error.message);
      return zeroValue(type);
    }
  }

  /** The program's expression of a value. */
  protected emit(operand: Operand): Expression {
    const type = concrete(operand.type) as Type;
    const { value, at } = operand;
    if (value === undefined) return operand.node!;
    const converted = this.evaluate(at, type, () => convertValue(operand.type, type, value));
    return materialize(type, converted, at, this.module.composites);
  }

  /** An operand as a value: what is in memory is loaded. */
  protected load(operand: Operand): Operand {
    const { view, type, at } = operand;
    if (view === undefined) {
      if (type.kind === 'void') this.fail(at, say`This function returns nothing that could be used.`);
      return operand;
    }
    if (!isConstructible(type)) this.fail(at, say`${show(type)} cannot be loaded as a value.`);
    this.note(this.reads, view.reference);
    return { type, stage: Stage.Run, node: { kind: 'load', reference: view.reference, type: type as Type, at }, at };
  }

  protected note(set: Set<Variable>, reference: Reference): void {
    set.add(rootOf(reference, this.module.pointers).root);
  }

  /** A value in another type that it converts to by itself. */
  protected convert(given: Operand, type: AnyType, what: string): Operand {
    const operand = this.load(given);
    const from = operand.type;
    if (sameType(from, type)) return operand;
    if (!converts(from, type)) this.fail(operand.at, say`${what} must be ${show(type)}, not ${show(from)}.`);
    const value = this.evaluate(operand.at, type, () => convertValue(from, type, operand.value!));
    return { type, stage: operand.stage, value, at: operand.at };
  }

  /** A value of whatever concrete type it prefers. */
  protected settled(operand: Operand): Operand {
    return this.convert(operand, concrete(operand.type), 'The value');
  }

  protected loaded(syntax: Syntax): Operand {
    return this.load(this.expression(syntax));
  }

  /** Expressions evaluated from left to right. If one needs statements before, what was evaluated earlier is kept in a `let`. */
  protected operands(list: readonly Syntax[]): Operand[] {
    const found: Operand[] = [];
    for (const syntax of list) {
      const start = this.before.length;
      found.push(this.loaded(syntax));
      if (this.before.length > start) this.keep(start, found, found.length - 1);
    }
    return found;
  }

  protected keep(start: number, found: Operand[], count: number): void {
    const hoisted = this.before.splice(start);
    for (let i = 0; i < count; i++) found[i] = this.kept(found[i]!);
    this.before.push(...hoisted);
  }

  /** The same value, evaluated before the statement. */
  protected kept(operand: Operand): Operand {
    if (operand.value !== undefined || isStable(operand.node!)) return operand;
    return { ...operand, node: this.keepExpression(operand.node!) };
  }

  private keepExpression(node: Expression): Expression {
    const { type, at } = node;
    const variable: LocalVariable = { kind: 'let', name: 'kept', type, at };
    if (node.kind === 'addressOf') this.module.pointers.set(variable, node.reference);
    this.before.push({ kind: 'declare', variable, initial: node, at });
    return { kind: 'value', variable, type, at };
  }

  /** The same place, whose indices are evaluated before the statement. */
  protected keptReference(reference: Reference): Reference {
    switch (reference.kind) {
      case 'variable':
        return reference;
      case 'member':
        return { ...reference, base: this.keptReference(reference.base) };
      case 'element': {
        const base = this.keptReference(reference.base);
        return {
          ...reference,
          base,
          index: isStable(reference.index) ? reference.index : this.keepExpression(reference.index),
        };
      }
      default: {
        const { pointer } = reference;
        if (pointer.kind !== 'addressOf') return reference;
        return { ...reference, pointer: { ...pointer, reference: this.keptReference(pointer.reference) } };
      }
    }
  }

  /** A value whose parts have been checked. `value` computes it where all parts are known. */
  protected result(
    at: Span,
    type: AnyType,
    parts: readonly Operand[],
    value: (values: Value[]) => Value,
    node: (parts: Expression[], type: Type) => Expression,
  ): Operand {
    const stage = Math.max(Stage.Const, ...parts.map((part) => part.stage)) as Stage;
    if (stage !== Stage.Run && parts.every((part) => part.value !== undefined)) {
      return { type, stage, at, value: this.evaluate(at, type, () => value(parts.map((part) => part.value!))) };
    }
    const settled = concrete(type);
    return {
      type: settled,
      stage,
      at,
      node: node(
        parts.map((part) => this.emit(part)),
        settled as Type,
      ),
    };
  }
}

/** Whether an expression is the same whenever it is evaluated. */
function isStable(node: Expression): boolean {
  if (node.kind === 'addressOf') return isStablePlace(node.reference);
  return node.kind === 'literal' || node.kind === 'zero' || node.kind === 'value';
}

function isStablePlace(reference: Reference): boolean {
  if (reference.kind === 'variable') return true;
  if (reference.kind === 'dereference') return isStable(reference.pointer);
  return isStablePlace(reference.base) && (reference.kind === 'member' || isStable(reference.index));
}
