// Checks a function's statements and writes the program's; finds how each can be left.
// https://www.w3.org/TR/WGSL/#statements and https://www.w3.org/TR/WGSL/#behaviors

import type { Expression, LocalVariable, Reference, Statement } from '../program/program.js';
import type { Type } from '../program/types.js';
import { say } from '../say.js';
import { preferred } from './builtins.js';
import { CallChecker } from './calls.js';
import { branch } from './expressions.js';
import { type Span, WgslError } from './lexer.js';
import { type Entity, type Operand, Scope, Stage } from './scope.js';
import type { Attribute, BlockSyntax, LoopSyntax, StatementSyntax, Syntax, VariableSyntax } from './syntax.js';
import { type AnyType, BOOL, I32, isConstructible, isInteger, type Scalar, scalarType, show, U32 } from './types.js';

/** How control leaves a statement: a set of bits. */
export const NEXT = 1;
export const BREAK = 2;
export const CONTINUE = 4;
export const RETURN = 8;

interface Checked {
  readonly behavior: number;
  readonly body: Statement[];
}

/** A loop or switch around a statement. */
interface Surrounding {
  readonly kind: 'loop' | 'switch' | 'continuing';
  readonly scope?: Scope;
}

export abstract class StatementChecker extends CallChecker {
  private readonly around: Surrounding[] = [];
  protected abstract readonly returns: AnyType;

  protected inFunction(): boolean {
    return true;
  }

  protected abstract severityOf(attributes: readonly Attribute[], allowed: boolean): void;

  protected declare(name: string, entity: Entity): void {
    const { names } = this.scopes.at(-1)!;
    if (names.has(name)) this.fail(entity.at, say`"${name}" is declared twice in this block.`);
    names.set(name, entity);
  }

  protected override checkContinued(scope: Scope, name: string, at: Span): void {
    if (scope.continued === undefined) return;
    if (!this.around.some((one) => one.kind === 'continuing' && one.scope === scope)) return;
    const position = [...scope.names.keys()].indexOf(name);
    if (position < scope.continued || scope.names.get(name)!.kind === 'type') return;
    this.fail(at, say`A "continue" skips the declaration of "${name}", which "continuing" uses.`);
  }

  /** Runs a check whose statements, and those that must come before them, are collected. */
  protected collect(check: (body: Statement[]) => number): Checked {
    const outer = this.before;
    this.before = [];
    const body = this.before;
    const behavior = check(body);
    this.before = outer;
    return { behavior, body };
  }

  private scoped<T>(attributes: readonly Attribute[], check: (scope: Scope) => T): T {
    const { severity } = this;
    this.severityOf(attributes, true);
    const scope = new Scope();
    this.scopes.push(scope);
    const result = check(scope);
    this.scopes.pop();
    this.severity = severity;
    return result;
  }

  protected block({ attributes, body }: BlockSyntax): Checked {
    return this.scoped(attributes, () => this.sequence(body));
  }

  /** Statements one after the other. What no control reaches is checked and left out. */
  protected sequence(list: readonly StatementSyntax[]): Checked {
    let behavior = NEXT;
    const { body } = this.collect((statements) => {
      for (const syntax of list) {
        const length = statements.length;
        const own = this.statement(syntax);
        if (behavior & NEXT) behavior = (behavior & ~NEXT) | own;
        else statements.length = length;
      }
      return behavior;
    });
    return { behavior, body };
  }

  /** Checks a statement; adds what the program does to `before`. */
  private statement(syntax: StatementSyntax): number {
    const { at } = syntax;
    switch (syntax.kind) {
      case 'var':
      case 'let':
      case 'const':
        this.variable(syntax);
        return NEXT;
      case 'override':
        return this.fail(at, say`An override is declared outside functions.`);
      case 'block': {
        const { behavior, body } = this.block(syntax);
        this.before.push({ kind: 'block', body, at });
        return behavior;
      }
      case 'assign':
        this.assign(syntax);
        return NEXT;
      case 'phony': {
        this.phony(this.expression(syntax.value), at);
        return NEXT;
      }
      case 'call': {
        const operand = this.callStatement(syntax.call);
        if (operand.node !== undefined) this.before.push({ kind: 'evaluate', value: operand.node, at });
        return NEXT;
      }
      case 'if':
        return this.if(syntax);
      case 'switch':
        return this.switch(syntax);
      case 'loop':
        return this.scoped(syntax.attributes, () => this.loop(syntax));
      case 'break':
      case 'continue':
        return this.jump(syntax.kind, at);
      case 'discard':
        throw new WgslError(at, say`discard is not supported: only compute shaders are.`, true);
      case 'return':
        return this.return(syntax.value, at);
      default:
        this.assert(syntax.condition, at);
        return NEXT;
    }
  }

  /** `_ = …`: of a place or a pointer only what its indices do is left. */
  private phony(operand: Operand, at: Span): void {
    const { view, type, node } = operand;
    if (view !== undefined && !isConstructible(type)) this.keptReference(view.reference);
    else if (type.kind === 'pointer' && node?.kind === 'addressOf') this.keptReference(node.reference);
    else if (type.kind !== 'pointer') this.before.push({ kind: 'evaluate', value: this.emit(this.load(operand)), at });
  }

  assert(syntax: Syntax, at: Span): void {
    const condition = this.convert(this.expression(syntax), BOOL, 'What is asserted');
    if (condition.stage !== Stage.Const) this.fail(at, say`What const_assert asserts must be a constant expression.`);
    if (condition.value === false) this.fail(at, say`This assertion does not hold.`);
  }

  // ------------------------------------------------------------------------------------------------ declarations

  private variable({ kind, name, type: typeSyntax, initial, template, at }: VariableSyntax): void {
    const wanted = typeSyntax && this.type(typeSyntax);
    let operand = initial && this.loaded(initial);
    if (operand && wanted) operand = this.convert(operand, wanted, `The value of "${name}"`);
    if (kind === 'const') {
      if (operand!.stage !== Stage.Const)
        this.fail(initial!.at, say`The value of "${name}" must be a constant expression.`);
      this.declare(name, { kind: 'value', operand: operand!, at });
      return;
    }
    if (operand) operand = this.settled(operand);
    const type = wanted ?? operand?.type ?? this.fail(at, say`"${name}" needs a type or a value.`);
    if (kind === 'let') {
      if (!isConstructible(type) && type.kind !== 'pointer') this.fail(at, say`"${name}" cannot hold ${show(type)}.`);
      const variable: LocalVariable = { kind, name, type: type as Type, at };
      const node = this.emit(operand!);
      if (node.kind === 'addressOf') this.module.pointers.set(variable, node.reference);
      else if (type.kind === 'pointer' && node.kind === 'value') {
        const target = this.module.pointers.get(node.variable);
        const through: Reference = { kind: 'dereference', pointer: node, type: type.target as Type, at };
        this.module.pointers.set(variable, target ?? through);
      }
      this.before.push({ kind: 'declare', variable, initial: node, at });
      const value: Operand = { type, stage: Stage.Run, node: { kind: 'value', variable, type: type as Type, at }, at };
      this.declare(name, { kind: 'value', operand: value, at });
      return;
    }
    if (template.length > 0 && this.space(template[0]!) !== 'function') {
      this.fail(template[0]!.at, say`A variable of a function is in address space function.`);
    }
    if (template.length > 1) this.access(template[1]!, 'function');
    if (!isConstructible(type)) this.fail(at, say`"${name}" cannot hold ${show(type)}.`);
    const variable: LocalVariable = { kind: 'var', name, type: type as Type, at };
    this.before.push({ kind: 'declare', variable, ...(operand && { initial: this.emit(operand) }), at });
    this.declare(name, { kind: 'variable', variable, space: 'function', access: 'read_write', at });
  }

  // ------------------------------------------------------------------------------------------------- assignments

  private assign({ target: targetSyntax, operator, value, at }: StatementSyntax & { kind: 'assign' }): void {
    const target = this.expression(targetSyntax);
    const { view, type } = target;
    if (view === undefined) this.fail(targetSyntax.at, say`Only a variable or a part of one can be assigned to.`);
    if (view.access === 'read') this.fail(targetSyntax.at, say`This is in ${view.space} memory that can only be read.`);
    if (!isConstructible(type)) this.fail(targetSyntax.at, say`${show(type)} cannot be assigned to.`);
    let { reference } = view;
    const start = this.before.length;
    let result: Operand;
    if (operator === '=') {
      result = this.convert(this.expression(value), type, 'The value');
      if (this.before.length > start) {
        const hoisted = this.before.splice(start);
        reference = this.keptReference(reference);
        this.before.push(...hoisted);
      }
    } else {
      // The place is evaluated once, before the value.
      reference = this.keptReference(reference);
      const before = this.load({ ...target, view: { ...view, reference } });
      result = this.convert(this.compound(operator, before, value, at), type, 'The result');
    }
    this.note(this.writes, reference);
    this.before.push({ kind: 'assign', target: reference, value: this.emit(result), at });
  }

  private compound(operator: string, before: Operand, value: Syntax, at: Span): Operand {
    if (operator === '++=' || operator === '--=') {
      const scalar = before.type.kind === 'scalar' ? before.type.scalar : undefined;
      if (!isInteger(scalar)) this.fail(at, say`Only i32 and u32 are counted up and down, not ${show(before.type)}.`);
      return this.operate(operator[0]!, before, { type: scalarType(scalar!), stage: Stage.Const, value: 1, at }, at);
    }
    const start = this.before.length;
    const right = this.loaded(value);
    let left = before;
    if (this.before.length > start) {
      const hoisted = this.before.splice(start);
      left = this.kept(before);
      this.before.push(...hoisted);
    }
    return this.operate(operator.slice(0, -1), left, right, at);
  }

  // ------------------------------------------------------------------------------------------------ control flow

  private condition(syntax: Syntax) {
    return this.emit(this.convert(this.expression(syntax), BOOL, 'A condition'));
  }

  private if({ attributes, condition, body, otherwise, at }: StatementSyntax & { kind: 'if' }): number {
    const { severity } = this;
    this.severityOf(attributes, true);
    const test = this.condition(condition);
    const yes = this.block(body);
    const no = otherwise ? this.sequence([otherwise]) : { behavior: NEXT, body: [] };
    // else { … } needs no block of its own.
    const [only] = no.body;
    this.before.push(branch(test, yes.body, no.body.length === 1 && only!.kind === 'block' ? only!.body : no.body, at));
    this.severity = severity;
    return yes.behavior | no.behavior;
  }

  private switch({ attributes, selector: selectorSyntax, cases, at }: StatementSyntax & { kind: 'switch' }): number {
    const { severity } = this;
    this.severityOf(attributes, true);
    const selector = this.loaded(selectorSyntax);
    const values = cases.map(({ selectors }) => selectors.map((one) => (one === 'default' ? one : this.loaded(one))));
    const scalars = [selector, ...values.flat().filter((one) => one !== 'default')].map(({ type }) =>
      type.kind === 'scalar' ? type.scalar : 'bool',
    );
    const scalar = preferred(scalars as Scalar[], ['i32', 'u32'], true);
    if (scalar === undefined)
      this.fail(selectorSyntax.at, say`The selector and the cases of a switch must all be i32 or all u32.`);
    const type = scalar === 'i32' ? I32 : U32;
    const seen = new Set<number | 'default'>();
    const numbers = values.map((list, i) => list.map((one) => this.caseValue(one, type, seen, cases[i]!.at)));
    if (!seen.has('default')) this.fail(at, say`A switch needs a default.`);
    if (seen.size > 1023) this.fail(at, say`A switch has at most 1023 cases.`);
    this.around.push({ kind: 'switch' });
    const checked = cases.map(({ body }) => this.block(body));
    this.around.pop();
    this.before.push({
      kind: 'switch',
      selector: this.emit(this.convert(selector, type, 'The selector')),
      cases: checked.map(({ body }, i) => ({ values: numbers[i]!, body })),
      at,
    });
    this.severity = severity;
    const behavior = checked.reduce((all, one) => all | one.behavior, 0);
    return behavior & BREAK ? (behavior | NEXT) & ~BREAK : behavior;
  }

  private caseValue(
    one: Operand | 'default',
    type: AnyType,
    seen: Set<number | 'default'>,
    at: Span,
  ): number | 'default' {
    if (one !== 'default' && one.stage !== Stage.Const) this.fail(one.at, say`A case must be a constant expression.`);
    const value = one === 'default' ? one : (this.convert(one, type, 'A case').value as number);
    if (seen.has(value)) this.fail(one === 'default' ? at : one.at, say`This switch has ${value} twice.`);
    seen.add(value);
    return value;
  }

  private loop(syntax: LoopSyntax): number {
    const { initial, at } = syntax;
    if (initial === undefined) return this.loopItself(syntax);
    const { behavior, body } = this.collect(() => {
      this.statement(initial);
      return this.loopItself(syntax);
    });
    this.before.push({ kind: 'block', body, at });
    return behavior;
  }

  private loopItself({ condition, body: bodySyntax, continuing, breakIf, isFor, at }: LoopSyntax): number {
    return this.scoped(bodySyntax.attributes, (scope) => {
      this.around.push({ kind: 'loop', scope });
      const exits = condition ? this.collect(() => this.leaveUnless(condition)).body : [];
      const body = this.sequence(bodySyntax.body);
      this.around.pop();
      this.around.push({ kind: 'continuing', scope });
      // The update of a "for" does not see the names of its body, a "continuing" does.
      if (isFor) this.scopes.pop();
      let leaves: Expression | undefined;
      const end = this.scoped(continuing?.attributes ?? [], () => {
        const checked = this.sequence(continuing?.body ?? []);
        const rest = this.collect(() => {
          leaves = breakIf && this.condition(breakIf);
          return NEXT;
        });
        return { behavior: checked.behavior, body: [...checked.body, ...rest.body] };
      });
      if (isFor) this.scopes.push(scope);
      this.around.pop();
      this.before.push({
        kind: 'loop',
        body: [...exits, ...body.body],
        continuing: end.body,
        ...(leaves && { breakIf: leaves }),
        at,
      });
      const first = condition ? body.behavior | BREAK : body.behavior;
      return loopBehavior(first, breakIf ? end.behavior | BREAK : end.behavior);
    });
  }

  /** `if (!condition) { break; }` */
  private leaveUnless(syntax: Syntax): number {
    const { at } = syntax;
    const operand = this.condition(syntax);
    const test: Expression = { kind: 'unary', operator: '!', operand, type: BOOL as Type, at };
    this.before.push(branch(test, [{ kind: 'break', at }], [], at));
    return NEXT;
  }

  private jump(kind: 'break' | 'continue', at: Span): number {
    for (let i = this.around.length - 1; i >= 0; i--) {
      const surrounding = this.around[i]!;
      if (surrounding.kind === 'continuing') break;
      if (kind === 'continue' && surrounding.kind === 'switch') continue;
      if (kind === 'continue') surrounding.scope!.continued ??= surrounding.scope!.names.size;
      this.before.push({ kind, at });
      return kind === 'break' ? BREAK : CONTINUE;
    }
    return this.fail(at, say`There is no loop${kind === 'break' ? ' or switch' : ''} here that "${kind}" could leave.`);
  }

  private return(syntax: Syntax | undefined, at: Span): number {
    if (this.around.some(({ kind }) => kind === 'continuing')) this.fail(at, say`"continuing" cannot return.`);
    const nothing = this.returns.kind === 'void';
    if (nothing !== (syntax === undefined)) {
      this.fail(at, nothing ? say`This function returns nothing.` : say`This function returns ${show(this.returns)}.`);
    }
    const value = syntax && this.emit(this.convert(this.expression(syntax), this.returns, 'The returned value'));
    this.before.push({ kind: 'return', ...(value && { value }), at });
    return RETURN;
  }
}

/** https://www.w3.org/TR/WGSL/#behaviors-rules; `first` is of the body, `after` of what continues. */
export function loopBehavior(first: number, after: number): number {
  if (first === RETURN) return RETURN;
  const both = first | after;
  return both & BREAK ? (both | NEXT) & ~(BREAK | CONTINUE) : both & ~(CONTINUE | NEXT);
}
