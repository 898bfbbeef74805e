// Tokens → syntax tree: directives, declarations and statements. https://www.w3.org/TR/WGSL/#grammar
import { say } from '../say.js';
import { WgslError } from './lexer.js';
import {
  type Attribute,
  type BlockSyntax,
  type CaseSyntax,
  type DeclarationSyntax,
  type Directive,
  type LoopSyntax,
  type MemberSyntax,
  type ModuleSyntax,
  type StatementSyntax,
  type Syntax,
  through,
  type VariableSyntax,
} from './syntax.js';
import { TokenReader } from './token-reader.js';

/** https://www.w3.org/TR/WGSL/#limits */
const MAX_BLOCKS = 127;

/** @throws WgslError for the first thing that is not WGSL. */
export function parse(code: string): ModuleSyntax {
  return new Parser(code).module();
}

class Parser extends TokenReader {
  private blocks = 0;

  module(): ModuleSyntax {
    const directives: Directive[] = [];
    const declarations: DeclarationSyntax[] = [];
    while (this.at('enable') || this.at('requires') || this.at('diagnostic')) directives.push(this.directive());
    while (this.next.kind !== 'end') {
      if (!this.accept(';')) declarations.push(this.declaration());
    }
    return { directives, declarations };
  }

  private directive(): Directive {
    const start = this.take();
    const kind = start.text as Directive['kind'];
    let names: { name: string; at: Directive['at'] }[];
    if (kind === 'diagnostic') {
      this.expect('(', 'after "diagnostic"');
      names = this.list(')', () => this.ruleName());
      this.semicolon('a directive');
    } else {
      names = this.list(';', () => this.ruleName());
      if (names.length === 0) throw new WgslError(start, say`"${kind}" needs at least one name.`);
    }
    return { kind, names, at: through(start, this.previous) };
  }

  private semicolon(after: string): void {
    this.expect(';', `after ${after}`);
  }

  private declaration(): DeclarationSyntax {
    const attributes = this.attributes();
    const { next } = this;
    switch (next.kind === 'name' ? next.text : '') {
      case 'fn':
        return this.function(attributes);
      case 'var':
      case 'override':
      case 'const': {
        const variable = this.variable(attributes);
        this.semicolon('a declaration');
        return variable;
      }
    }
    if (attributes.length > 0) this.fail(say`"fn", "var" or "override" after attributes`);
    switch (next.kind === 'name' ? next.text : '') {
      case 'alias': {
        this.take();
        const name = this.name('the name of an alias');
        this.expect('=', 'after the name of an alias');
        const type = this.templated('a type');
        this.semicolon('an alias');
        return { kind: 'alias', name: name.text, type, at: name };
      }
      case 'struct': {
        this.take();
        const name = this.name('the name of a structure');
        this.expect('{', 'after the name of a structure');
        const members = this.list('}', () => this.member('the name of a member'));
        return { kind: 'struct', name: name.text, members, at: name };
      }
      case 'const_assert':
        return this.assertion();
      case 'enable':
      case 'requires':
      case 'diagnostic':
        throw new WgslError(next, say`"${next.text}" must stand before all declarations.`);
      default:
        return this.fail('a declaration');
    }
  }

  private assertion() {
    const start = this.take();
    const condition = this.expression();
    this.semicolon('an assertion');
    return { kind: 'assert', name: '', condition, at: through(start, condition.at) } as const;
  }

  private variable(attributes: readonly Attribute[]): VariableSyntax {
    const kind = this.take().text as VariableSyntax['kind'];
    const template = kind === 'var' && this.next.kind === 'template' ? this.template() : [];
    const name = this.name(`the name of a "${kind}"`);
    const type = this.accept(':') ? this.templated('a type') : undefined;
    const initial = this.accept('=') ? this.expression() : undefined;
    if (initial === undefined && (kind === 'const' || kind === 'let'))
      this.fail(say`"=" and a value for "${name.text}"`);
    return {
      kind,
      name: name.text,
      attributes,
      template,
      ...(type && { type }),
      ...(initial && { initial }),
      at: name,
    };
  }

  private member(what: string): MemberSyntax {
    const attributes = this.attributes();
    const name = this.name(what);
    this.expect(':', 'and a type after a name');
    return { name: name.text, attributes, type: this.templated('a type'), at: name };
  }

  private function(attributes: readonly Attribute[]): DeclarationSyntax {
    this.take();
    const name = this.name('the name of a function');
    this.expect('(', 'after the name of a function');
    const parameters = this.list(')', () => this.member('the name of a parameter'));
    const arrow = this.accept('->');
    const returnAttributes = arrow ? this.attributes() : [];
    const returns = arrow ? this.templated('a type') : undefined;
    const body = this.block();
    const at = { line: name.line, column: name.column, offset: name.offset, length: name.length };
    return {
      kind: 'function',
      name: name.text,
      attributes,
      parameters,
      ...(returns && { returns }),
      returnAttributes,
      body,
      at,
    };
  }

  private block(attributes: readonly Attribute[] = this.attributes()): BlockSyntax {
    const start = this.expect('{', 'to open a block');
    const body = this.statements();
    return { kind: 'block', attributes, body, at: through(start, this.expect('}', 'to close a block')) };
  }

  private statements(): StatementSyntax[] {
    if (this.blocks >= MAX_BLOCKS)
      throw new WgslError(this.previous, say`Blocks are nested more than ${MAX_BLOCKS} deep.`);
    this.blocks++;
    const found: StatementSyntax[] = [];
    while (!this.at('}') && this.next.kind !== 'end' && !this.at('continuing') && !this.atBreakIf()) {
      if (!this.accept(';')) found.push(this.statement());
    }
    this.blocks--;
    return found;
  }

  private atBreakIf(): boolean {
    return this.at('break') && this.second.kind === 'name' && this.second.text === 'if';
  }

  private statement(): StatementSyntax {
    const attributes = this.attributes();
    const start = this.next;
    const keyword = start.kind === 'name' ? start.text : start.text === '{' ? '{' : '';
    switch (keyword) {
      case '{':
        return this.block(attributes);
      case 'if':
        return this.if(attributes);
      case 'switch':
        return this.switch(attributes);
      case 'loop':
      case 'while':
      case 'for':
        return this.loop(attributes);
    }
    if (attributes.length > 0) this.fail(say`a block, "if", "switch", "loop", "while" or "for" after attributes`);
    switch (keyword) {
      case 'break':
      case 'continue':
      case 'discard':
        this.take();
        this.semicolon(`"${keyword}"`);
        return { kind: keyword, at: start };
      case 'return': {
        this.take();
        const value = this.at(';') ? undefined : this.expression();
        const at = through(start, this.previous);
        this.semicolon('"return"');
        return { kind: 'return', ...(value && { value }), at };
      }
      case 'const_assert':
        return this.assertion();
      default: {
        const simple = this.simple();
        this.semicolon('a statement');
        return simple;
      }
    }
  }

  /** What the header of a `for` may hold as well: declarations, assignments, increments and calls. */
  private simple(): StatementSyntax {
    const start = this.next;
    if (this.at('var') || this.at('let') || this.at('const')) return this.variable([]);
    if (this.accept('_')) {
      this.expect('=', 'after "_"');
      const value = this.expression();
      return { kind: 'phony', value, at: through(start, value.at) };
    }
    const target = this.target();
    if (this.at(';') || this.at(')')) {
      if (target.kind !== 'call')
        throw new WgslError(target.at, say`This is no statement: only a call may stand alone.`);
      return { kind: 'call', call: target, at: target.at };
    }
    const operator = this.next.text;
    if (operator === '++' || (operator === '-' && this.second.text === '-')) {
      this.take();
      if (operator === '-') this.take();
      return {
        kind: 'assign',
        target,
        operator: `${operator[0]}${operator[0]}=`,
        value: target,
        at: through(start, this.previous),
      };
    }
    if (this.next.kind !== 'symbol' || !/^(?:[-+*/%&|^]|<<|>>)?=$/.test(operator)) this.fail('an assignment');
    this.take();
    const value = this.expression();
    return { kind: 'assign', target, operator, value, at: through(start, value.at) };
  }

  /** What an assignment can write to, or a call. */
  private target(depth = 0): Syntax {
    const start = this.next;
    if (depth > MAX_BLOCKS) throw new WgslError(start, say`Expressions are nested more than ${MAX_BLOCKS} deep.`);
    if (this.accept('*') || this.accept('&')) {
      const operand = this.target(depth + 1);
      return { kind: 'unary', operator: start.text, operand, at: through(start, operand.at) };
    }
    if (!this.accept('(')) return this.postfix(this.nameOrCall('a statement'));
    const inner = this.target(depth + 1);
    this.expect(')', 'after an expression');
    return this.postfix({ ...inner, at: through(start, this.previous) });
  }

  private if(attributes: readonly Attribute[]): StatementSyntax {
    const clauses: { attributes: readonly Attribute[]; condition: Syntax; body: BlockSyntax; at: Syntax['at'] }[] = [];
    let otherwise: StatementSyntax | undefined;
    do {
      const start = this.take();
      const condition = this.expression();
      clauses.push({ attributes: clauses.length === 0 ? attributes : [], condition, body: this.block(), at: start });
      if (!this.accept('else')) break;
      if (!this.at('if')) otherwise = this.block();
    } while (otherwise === undefined);
    for (const clause of clauses.reverse()) otherwise = { kind: 'if', ...clause, ...(otherwise && { otherwise }) };
    return otherwise!;
  }

  private switch(attributes: readonly Attribute[]): StatementSyntax {
    const start = this.take();
    const selector = this.expression();
    const bodyAttributes = this.attributes();
    this.expect('{', 'after the selector of a switch');
    const cases: CaseSyntax[] = [];
    while (!this.accept('}')) {
      const at = this.next;
      let selectors: (Syntax | 'default')[] = ['default'];
      if (this.accept('case')) {
        selectors = [];
        do {
          if (this.at(':') || this.at('{') || this.at('@')) break;
          selectors.push(this.accept('default') ? 'default' : this.expression());
        } while (this.accept(','));
        if (selectors.length === 0) this.fail(say`a value after "case"`);
      } else if (!this.accept('default')) this.fail(say`"case", "default" or "}"`);
      this.accept(':');
      cases.push({ selectors, body: this.block(), at });
    }
    return { kind: 'switch', attributes: [...attributes, ...bodyAttributes], selector, cases, at: start };
  }

  private loop(attributes: readonly Attribute[]): LoopSyntax {
    const start = this.take();
    const head = { kind: 'loop', attributes, isFor: start.text === 'for', at: start } as const;
    if (start.text === 'while') return { ...head, condition: this.expression(), body: this.block() };
    if (start.text === 'for') {
      this.expect('(', 'after "for"');
      const initial = this.at(';') ? undefined : this.simple();
      this.semicolon('the start of a "for"');
      const condition = this.at(';') ? undefined : this.expression();
      this.semicolon('the condition of a "for"');
      const update = this.at(')') ? undefined : this.simple();
      if (update !== undefined && update.kind !== 'assign' && update.kind !== 'phony' && update.kind !== 'call') {
        throw new WgslError(update.at, say`The update of a "for" is an assignment or a call.`);
      }
      this.expect(')', 'after the header of a "for"');
      const continuing = update && ({ kind: 'block', attributes: [], body: [update], at: update.at } as const);
      const body = this.block();
      return {
        ...head,
        ...(initial && { initial }),
        ...(condition && { condition }),
        body,
        ...(continuing && { continuing }),
      };
    }
    const bodyAttributes = this.attributes();
    const open = this.expect('{', 'after "loop"');
    const statements = this.statements();
    const inner = this.at('continuing') ? this.continuing() : {};
    const close = this.expect('}', 'to close a loop');
    const body: BlockSyntax = { kind: 'block', attributes: bodyAttributes, body: statements, at: through(open, close) };
    return { ...head, body, ...inner };
  }

  private continuing(): Pick<LoopSyntax, 'continuing' | 'breakIf'> {
    this.take();
    const attributes = this.attributes();
    const open = this.expect('{', 'after "continuing"');
    const body = this.statements();
    let breakIf: Syntax | undefined;
    if (this.accept('break')) {
      this.take();
      breakIf = this.expression();
      this.semicolon('"break if"');
    }
    const at = through(open, this.expect('}', 'to close "continuing"'));
    return { continuing: { kind: 'block', attributes, body, at }, ...(breakIf && { breakIf }) };
  }
}
