// Checks expressions and writes the program's. https://www.w3.org/TR/WGSL/#expressions
import type { BinaryOperator, Expression, LocalVariable, Reference, Statement, Variable } from '../program/program.js';
import type { AccessMode, AddressSpace, Type } from '../program/types.js';
import { preferred } from './builtins.js';
import { convertValue, multiply, type Value, zeroValue, zip } from './constants.js';
import { type Span, WgslError } from './lexer.js';
import { binaryScalar, EvaluationError, literal, shiftScalar, unaryScalar } from './scalars.js';
import {
  type Entity,
  type ModuleScope,
  materialize,
  type Operand,
  rootOf,
  type Scope,
  type Severity,
  Stage,
} from './scope.js';
import type { NameSyntax, Syntax } from './syntax.js';
import {
  type AnyType,
  BOOL,
  concrete,
  converts,
  I32,
  isConstructible,
  isFloat,
  isInteger,
  matrixType,
  type Scalar,
  sameType,
  scalarOf,
  scalarType,
  shaped,
  show,
  U32,
  vectorType,
  widthOf,
  withScalar,
} from './types.js';

const NUMBERS: readonly Scalar[] = ['AbstractInt', 'i32', 'u32', 'AbstractFloat', 'f32', 'f16'];

/** Expressions of the module scope or of one function. */
export abstract class ExpressionChecker {
  protected readonly scopes: Scope[] = [];
  /** Statements that must come before the one whose expressions are being checked. */
  protected before: Statement[] = [];
  /** Above zero where an expression is never evaluated: faults of its value do not matter. */
  private suppressed = 0;
  protected severity: Severity;
  readonly reads = new Set<Variable>();
  readonly writes = new Set<Variable>();

  constructor(protected readonly module: ModuleScope) {
    this.severity = module.moduleSeverity;
  }

  protected abstract call(syntax: Syntax & { kind: 'call' }): Operand;
  abstract type(syntax: Syntax): AnyType;

  // ---------------------------------------------------------------------------------------------------- operands

  protected fail(at: Span, message: string): never {
    throw new WgslError(at, message);
  }

  /** Evaluates a constant; its faults are reported where it stands. */
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
      if (type.kind === 'void') this.fail(at, 'This function returns nothing that could be used.');
      return operand;
    }
    if (!isConstructible(type)) this.fail(at, `A ${show(type)} cannot be loaded as a value.`);
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
    if (!converts(from, type)) this.fail(operand.at, `${what} must be ${show(type)}, not ${show(from)}.`);
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

  private keep(start: number, found: Operand[], count: number): void {
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

  // ------------------------------------------------------------------------------------------------- expressions

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
        if (found.scalar === 'f16' && !this.module.enabled('f16')) this.fail(at, 'f16 needs "enable f16;".');
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
    if (entity === undefined) return this.fail(at, `There is no "${name}" here.`);
    if (entity.kind === 'value') return { ...entity.operand, at };
    if (entity.kind !== 'variable') return this.fail(at, `"${name}" is a ${entity.kind}, not a value.`);
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
      this.fail(index.at, `An index must be i32 or u32, not ${show(index.type)}.`);
    }
    const [element, count] = elementOf(type);
    if (element === undefined) return this.fail(baseSyntax.at, `A ${show(type)} has no elements.`);
    const known = index.value === undefined || index.stage === Stage.Run ? undefined : Number(index.value);
    if (known !== undefined && (known < 0 || (count !== undefined && known >= count)) && this.suppressed === 0) {
      this.fail(index.at, `Index ${known} is out of bounds: ${show(type)} has ${count ?? 'no negative'} elements.`);
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
      if (index < 0) this.fail(at, `${type.name} has no member "${name}".`);
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
    if (type.kind !== 'vector') return this.fail(at, `A ${show(type)} has no member "${name}".`);
    const letters = /^[xyzw]{1,4}$/.test(name) ? 'xyzw' : /^[rgba]{1,4}$/.test(name) ? 'rgba' : '';
    const components = [...name].map((letter) => letters.indexOf(letter));
    if (components.some((component) => component < 0 || component >= type.size)) {
      this.fail(at, `A ${show(type)} has no components "${name}".`);
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
      if (type.kind !== 'pointer') this.fail(at, `Only a pointer can be dereferenced, not ${show(type)}.`);
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
    if (view === undefined) return this.fail(at, 'Only a variable or a part of one has an address.');
    const { reference, space, access } = view;
    if (reference.kind === 'element' && reference.base.type.kind === 'vector') {
      this.fail(at, 'A component of a vector has no address.');
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

  /** `left operator right` of values. */
  protected operate(operator: string, left: Operand, right: Operand, at: Span): Operand {
    const constant = left.stage === Stage.Const && right.stage === Stage.Const;
    if (operator === '<<' || operator === '>>') return this.shift(operator, left, right, constant, at);
    const refuse = () => this.fail(at, `"${operator}" does not take ${show(left.type)} and ${show(right.type)}.`);
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
      this.fail(at, 'An integer cannot be divided by zero.');
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
    if (!fits) this.fail(at, `"${operator}" does not take ${show(left.type)} and ${show(right.type)}.`);
    const by = this.convert(right, shaped(width, 'u32'), 'The count of a shift');
    if (scalar !== 'AbstractInt' && by.value !== undefined && by.stage < Stage.Run && this.suppressed === 0) {
      if ([by.value].flat().some((part) => Number(part) >= 32))
        this.fail(by.at, 'A shift by 32 or more moves all bits out.');
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

  /** The value of a constant or override expression; undefined before overrides have values. */
  protected integer(syntax: Syntax, what: string, stage: Stage): { operand: Operand; value: number | undefined } {
    const operand = this.loaded(syntax);
    if (operand.stage > stage) this.fail(syntax.at, `${what} must be a constant expression.`);
    const { type } = operand;
    if (type.kind !== 'scalar' || !isInteger(type.scalar))
      this.fail(syntax.at, `${what} must be i32 or u32, not ${show(type)}.`);
    const settled = type.scalar === 'AbstractInt' ? this.convert(operand, I32, what) : operand;
    return { operand: settled, value: settled.value === undefined ? undefined : Number(settled.value) };
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

export function branch(
  condition: Expression,
  body: readonly Statement[],
  otherwise: readonly Statement[],
  at: Span,
): Statement {
  // biome-ignore lint/suspicious/noThenProperty: the program's own word; nobody awaits a statement.
  return { kind: 'if', condition, then: body, otherwise, at };
}
