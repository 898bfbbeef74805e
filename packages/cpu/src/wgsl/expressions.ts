// Checks expressions and writes the program's. https://www.w3.org/TR/WGSL/#expressions

import type { Expression, LocalVariable, Reference, Statement, Variable } from '../program/program.js';
import type { AccessMode, AddressSpace, Type } from '../program/types.js';
import { say } from '../say.js';
import { type Value, zeroValue, zip } from './constants.js';
import type { Span } from './lexer.js';
import { OperatorChecker } from './operators.js';
import { EvaluationError, literal, unaryScalar } from './scalars.js';
import { type Entity, type Operand, type Scope, Stage } from './scope.js';
import type { NameSyntax, Syntax } from './syntax.js';
import { type AnyType, BOOL, I32, isInteger, scalarOf, scalarType, shaped, show, U32, vectorType } from './types.js';

/** Expressions of the module scope or of one function. */
export abstract class ExpressionChecker extends OperatorChecker {
  protected readonly scopes: Scope[] = [];

  protected abstract call(syntax: Syntax & { kind: 'call' }): Operand;
  abstract type(syntax: Syntax): AnyType;

  expression(syntax: Syntax): Operand {
    const { at } = syntax;
    switch (syntax.kind) {
      case 'number': {
        let found: ReturnType<typeof literal>;
        try {
          found = literal(syntax.text);
        } catch (error) {
          if (!(error instanceof EvaluationError)) throw error;
          return this.fail(at, error.message);
        }
        if (found.scalar === 'f16' && !this.module.enabled('f16')) this.fail(at, say`f16 needs "enable f16;".`);
        return { type: scalarType(found.scalar), stage: Stage.Const, value: found.value, at };
      }
      case 'boolean':
        return { type: BOOL, stage: Stage.Const, value: syntax.value, at };
      case 'name':
        return this.name(syntax);
      case 'call':
        return this.call(syntax);
      case 'index':
        return this.index(syntax);
      case 'member':
        return this.member(syntax);
      case 'unary':
        return this.unary(syntax);
      default:
        return syntax.operator === '&&' || syntax.operator === '||' ? this.logical(syntax) : this.binary(syntax);
    }
  }

  protected lookup({ name, at }: NameSyntax): Entity | undefined {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const scope = this.scopes[i]!;
      const entity = scope.names.get(name);
      if (entity === undefined) continue;
      this.checkContinued(scope, name, at);
      return entity;
    }
    return this.module.lookup(name, at);
  }

  protected checkContinued(_scope: Scope, _name: string, _at: Span): void {}

  private name(syntax: NameSyntax): Operand {
    const { name, at } = syntax;
    const entity = this.lookup(syntax);
    if (syntax.template !== undefined) this.fail(at, `"${name}" is no value.`);
    if (entity === undefined) return this.fail(at, say`There is no "${name}" here.`);
    if (entity.kind === 'value') return { ...entity.operand, at };
    if (entity.kind !== 'variable') return this.fail(at, say`"${name}" is a ${entity.kind}, not a value.`);
    const { variable, space, access } = entity;
    this.noteVariable(variable, at);
    return this.place({ kind: 'variable', variable, type: variable.type, at }, space, access, at);
  }

  /** A module-scope variable is named. */
  protected noteVariable(_variable: Variable, _at: Span): void {}

  protected place(reference: Reference, space: AddressSpace, access: AccessMode, at: Span): Operand {
    return { type: reference.type, stage: Stage.Run, view: { reference, space, access }, at };
  }

  /** What a pointer points at; anything else as it is. */
  private pointee(operand: Operand): Operand {
    if (operand.type.kind !== 'pointer') return operand;
    const { node, at } = operand;
    const { space, access, target } = operand.type;
    const reference: Reference =
      node!.kind === 'addressOf' ? node!.reference : { kind: 'dereference', pointer: node!, type: target as Type, at };
    return this.place(reference, space, access, at);
  }

  private index({ base: baseSyntax, index: indexSyntax, at }: Syntax & { kind: 'index' }): Operand {
    let base = this.pointee(this.expression(baseSyntax));
    const start = this.before.length;
    const index = this.loaded(indexSyntax);
    if (this.before.length > start) {
      const hoisted = this.before.splice(start);
      base = base.view
        ? { ...base, view: { ...base.view, reference: this.keptReference(base.view.reference) } }
        : this.kept(base);
      this.before.push(...hoisted);
    }
    const { type } = base;
    if (index.type.kind !== 'scalar' || !isInteger(index.type.scalar)) {
      this.fail(index.at, say`An index must be i32 or u32, not ${show(index.type)}.`);
    }
    const [element, count] = elementOf(type);
    if (element === undefined) return this.fail(baseSyntax.at, say`${show(type)} has no elements.`);
    const known = index.value === undefined || index.stage === Stage.Run ? undefined : Number(index.value);
    if (known !== undefined && (known < 0 || (count !== undefined && known >= count)) && this.suppressed === 0) {
      this.fail(index.at, say`Index ${known} is out of bounds: ${show(type)} has ${count ?? 'no negative'} elements.`);
    }
    if (base.view !== undefined) {
      const { reference, space, access } = base.view;
      const at2 = { kind: 'element', base: reference, index: this.emit(index), type: element as Type, at } as const;
      return this.place(at2, space, access, at);
    }
    return this.result(
      at,
      element,
      [base, index],
      ([list, position]) => (list as readonly Value[])[Number(position)] ?? zeroValue(element),
      ([list, position], settled) => ({ kind: 'extract', base: list!, index: position!, type: settled, at }),
    );
  }

  private member({ base: baseSyntax, name, at }: Syntax & { kind: 'member' }): Operand {
    const base = this.pointee(this.expression(baseSyntax));
    const { type, view } = base;
    if (type.kind === 'struct') {
      const index = type.members.findIndex((member) => member.name === name);
      if (index < 0) this.fail(at, say`${type.name} has no member "${name}".`);
      const inner = type.members[index]!.type;
      if (view) {
        const reference = { kind: 'member', base: view.reference, index, type: inner as Type, at } as const;
        return this.place(reference, view.space, view.access, at);
      }
      return this.result(
        at,
        inner,
        [base],
        ([value]) => (value as readonly Value[])[index]!,
        ([value], settled) => ({ kind: 'extractMember', base: value!, index, type: settled, at }),
      );
    }
    if (type.kind !== 'vector') return this.fail(at, say`${show(type)} has no member "${name}".`);
    const letters = /^[xyzw]{1,4}$/.test(name) ? 'xyzw' : /^[rgba]{1,4}$/.test(name) ? 'rgba' : '';
    const components = [...name].map((letter) => letters.indexOf(letter));
    if (components.some((component) => component < 0 || component >= type.size)) {
      this.fail(at, say`${show(type)} has no components "${name}".`);
    }
    const [first] = components;
    const literalIndex: Expression = { kind: 'literal', value: first!, type: U32 as Type, at };
    if (view && components.length === 1) {
      const element = scalarType(type.scalar) as Type;
      const reference = { kind: 'element', base: view.reference, index: literalIndex, type: element, at } as const;
      return this.place(reference, view.space, view.access, at);
    }
    return this.result(
      at,
      shaped(components.length, type.scalar),
      [this.load(base)],
      ([value]) =>
        components.length === 1 ? (value as Value[])[first!]! : components.map((i) => (value as Value[])[i]!),
      ([value], settled) =>
        components.length === 1
          ? { kind: 'extract', base: value!, index: literalIndex, type: settled, at }
          : { kind: 'swizzle', base: value!, components, type: settled, at },
    );
  }

  private unary({ operator, operand: inner, at }: Syntax & { kind: 'unary' }): Operand {
    if (operator === '&') return this.addressOf(this.expression(inner), at);
    const operand = this.loaded(inner);
    const { type } = operand;
    if (operator === '*') {
      if (type.kind !== 'pointer') this.fail(at, say`Only a pointer can be dereferenced, not ${show(type)}.`);
      return { ...this.pointee(operand), at };
    }
    const scalar = type.kind === 'matrix' ? undefined : scalarOf(type);
    const fits =
      operator === '!'
        ? scalar === 'bool'
        : operator === '~'
          ? isInteger(scalar)
          : scalar !== undefined && scalar !== 'bool' && scalar !== 'u32';
    if (!fits) this.fail(at, `"${operator}" takes no ${show(type)}.`);
    return this.result(
      at,
      type,
      [operand],
      (values) => zip(values, ([part]) => unaryScalar(operator, scalar!, part!)),
      ([value], settled) => ({ kind: 'unary', operator: operator as '-', operand: value!, type: settled, at }),
    );
  }

  private addressOf({ view, type }: Operand, at: Span): Operand {
    if (view === undefined) return this.fail(at, say`Only a variable or a part of one has an address.`);
    const { reference, space, access } = view;
    if (reference.kind === 'element' && reference.base.type.kind === 'vector') {
      this.fail(at, say`A component of a vector has no address.`);
    }
    const pointer: AnyType = { kind: 'pointer', space, access, target: type };
    const node: Expression =
      reference.kind === 'dereference'
        ? reference.pointer
        : { kind: 'addressOf', reference, type: pointer as Type, at };
    return { type: pointer, stage: Stage.Run, node, at };
  }

  /** `&&` and `||`. If the right side needs statements before it, they are carried out only where it is evaluated. */
  private logical({ operator, left: leftSyntax, right: rightSyntax, at }: Syntax & { kind: 'binary' }): Operand {
    const left = this.convert(this.expression(leftSyntax), BOOL, `The left side of "${operator}"`);
    const skipped = left.value !== undefined && left.value === (operator === '||');
    const outer = this.before;
    this.before = [];
    if (skipped) this.suppressed++;
    const right = this.convert(this.expression(rightSyntax), BOOL, `The right side of "${operator}"`);
    if (skipped) this.suppressed--;
    const inner = this.before;
    this.before = outer;
    const type = BOOL as Type;
    if (inner.length === 0) {
      return this.result(
        at,
        BOOL,
        [left, right],
        ([a, b]) => (skipped ? a! : b!),
        ([a, b]) => ({ kind: 'logical', operator: operator as '&&', left: a!, right: b!, type, at }),
      );
    }
    const variable: LocalVariable = { kind: 'var', name: 'condition', type, at };
    const reference: Reference = { kind: 'variable', variable, type, at };
    const load: Expression = { kind: 'load', reference, type, at };
    const condition: Expression = operator === '&&' ? load : { kind: 'unary', operator: '!', operand: load, type, at };
    this.before.push(
      { kind: 'declare', variable, initial: this.emit(left), at },
      branch(condition, [...inner, { kind: 'assign', target: reference, value: this.emit(right), at }], [], at),
    );
    return { type: BOOL, stage: Stage.Run, node: load, at };
  }

  private binary(syntax: Syntax & { kind: 'binary' }): Operand {
    // A long sum is a deep tree on the left: its operands are checked one after the other, not one within the other.
    const spine: (typeof syntax)[] = [];
    let current: Syntax = syntax;
    while (current.kind === 'binary' && current.operator !== '&&' && current.operator !== '||') {
      spine.push(current);
      current = current.left;
    }
    let left = this.loaded(current);
    for (const { operator, right: rightSyntax, at } of spine.reverse()) {
      const start = this.before.length;
      const right = this.loaded(rightSyntax);
      if (this.before.length > start) {
        const both = [left];
        this.keep(start, both, 1);
        left = both[0]!;
      }
      left = this.operate(operator, left, right, at);
    }
    return left;
  }

  /** The value of a constant or override expression; undefined before overrides have values. */
  protected integer(
    syntax: Syntax,
    what: string,
    stage: Stage,
  ): { operand: Operand; value: number | undefined; abstract: boolean } {
    const operand = this.loaded(syntax);
    if (operand.stage > stage)
      this.fail(syntax.at, say`${what} must be ${stage === Stage.Const ? 'a constant' : 'an override'} expression.`);
    const { type } = operand;
    if (type.kind !== 'scalar' || !isInteger(type.scalar))
      this.fail(syntax.at, say`${what} must be i32 or u32, not ${show(type)}.`);
    const abstract = type.scalar === 'AbstractInt';
    const settled = abstract ? this.convert(operand, I32, what) : operand;
    return { operand: settled, value: settled.value === undefined ? undefined : Number(settled.value), abstract };
  }
}

/** The type of an element, and how many there are. */
function elementOf(type: AnyType): [AnyType | undefined, number | undefined] {
  switch (type.kind) {
    case 'vector':
      return [scalarType(type.scalar), type.size];
    case 'matrix':
      return [vectorType(type.rows, type.scalar), type.columns];
    case 'array':
      return [type.element, type.pending === undefined ? type.count : undefined];
    default:
      return [undefined, undefined];
  }
}

export function branch(
  condition: Expression,
  body: readonly Statement[],
  otherwise: readonly Statement[],
  at: Span,
): Statement {
  // biome-ignore lint/suspicious/noThenProperty: the program's own word; nobody awaits a statement.
  return { kind: 'if', condition, then: body, otherwise, at };
}
