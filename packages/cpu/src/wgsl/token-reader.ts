// Reading tokens one after the other, and names, expressions and attributes: the part of the grammar that declarations and
// statements share. https://www.w3.org/TR/WGSL/#grammar
import { say } from '../say.js';
import { type Token, tokenize, WgslError } from './lexer.js';
import { type Attribute, type NameSyntax, type Syntax, through } from './syntax.js';

const KEYWORDS =
  'alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop override requires return struct switch true var while';
const RESERVED =
  'NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl implements import inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null nullptr of operator package packoffset partial pass patch pixelfragment precise precision premerge priv protected pub public readonly ref regardless register reinterpret_cast require resource restrict self set shared sizeof smooth snorm static static_assert static_cast std subroutine super target template this thread_local throw trait try type typedef typeid typename typeof union unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield';
const keywords = new Set(KEYWORDS.split(' '));
const reserved = new Set(RESERVED.split(' '));

/** Expressions within expressions: far more than anybody writes, and little enough for every stack. */
const MAX_DEPTH = 256;

const LEVELS = [['*', '/', '%'], ['+', '-'], undefined, ['<', '>', '<=', '>=', '==', '!=']] as const;

export class TokenReader {
  private readonly tokens: Token[];
  private position = 0;
  private depth = 0;
  /** The token read last. */
  previous: Token;

  constructor(code: string) {
    this.tokens = tokenize(code);
    this.previous = this.tokens[0]!;
  }

  get next(): Token {
    return this.tokens[this.position]!;
  }

  take(): Token {
    this.previous = this.next;
    if (this.previous.kind !== 'end') this.position++;
    return this.previous;
  }

  /** Whether the next token is this symbol or keyword. */
  at(text: string): boolean {
    const { next } = this;
    return next.text === text && (next.kind === 'symbol' || next.kind === 'name');
  }

  /** Takes the next token if it is this symbol or keyword. */
  accept(text: string): boolean {
    if (!this.at(text)) return false;
    this.take();
    return true;
  }

  expect(text: string, where: string): Token {
    if (!this.at(text)) this.fail(`"${text}" ${where}`);
    return this.take();
  }

  fail(expected: string): never {
    const { next } = this;
    const shown = next.kind === 'end' ? next.text : `"${next.text}"`;
    throw new WgslError(next, say`Expected ${expected}, but found ${shown}.`);
  }

  /** Keeps the nesting of expressions within what a stack can hold. */
  private nested(read: () => Syntax): Syntax {
    if (this.depth >= MAX_DEPTH)
      throw new WgslError(this.next, say`Expressions are nested more than ${MAX_DEPTH} deep.`);
    this.depth++;
    try {
      return read();
    } finally {
      this.depth--;
    }
  }

  name(what: string): Token {
    const { next } = this;
    if (next.kind !== 'name' || keywords.has(next.text)) this.fail(what);
    if (reserved.has(next.text)) throw new WgslError(next, say`"${next.text}" is a reserved word.`);
    if (next.text === '_' || next.text.startsWith('__')) {
      throw new WgslError(
        next,
        say`"${next.text}" is no identifier: it ${next.text === '_' ? 'is' : 'begins with'} "_".`,
      );
    }
    return this.take();
  }

  /** The token after the next one. */
  get second(): Token {
    return this.tokens[this.position + 1] ?? this.next;
  }

  /** Items between commas up to a closing token, which is taken as well; the last one may have a comma. */
  list<T>(close: string, item: () => T, kind: Token['kind'] = 'symbol'): T[] {
    const items: T[] = [];
    const ended = () => this.next.text === close && this.next.kind === kind;
    while (!ended()) {
      items.push(item());
      if (!this.accept(',') && !ended()) this.fail(`"," or "${close}"`);
    }
    this.take();
    return items;
  }

  attributes(): Attribute[] {
    const found: Attribute[] = [];
    while (this.at('@')) {
      const start = this.take();
      const { next } = this;
      if (next.kind !== 'name') this.fail(say`the name of an attribute`);
      const name = this.take().text;
      const list = this.accept('(')
        ? this.list(')', () => (name === 'diagnostic' ? this.ruleName() : this.expression()))
        : [];
      found.push({ name, arguments: list, at: through(start, this.previous) });
    }
    return found;
  }

  /** A name with dots, as diagnostic rules have. */
  ruleName(): NameSyntax {
    const start = this.name('a name');
    let { text } = start;
    while (this.accept('.')) text += `.${this.name('a name').text}`;
    return { kind: 'name', name: text, at: through(start, this.previous) };
  }

  /** A name, maybe with a template list. */
  templated(what: string): NameSyntax {
    const token = this.name(what);
    if (this.next.kind !== 'template' || this.next.text !== '<') return { kind: 'name', name: token.text, at: token };
    const template = this.template();
    return { kind: 'name', name: token.text, template, at: through(token, this.previous) };
  }

  template(): Syntax[] {
    const open = this.take();
    const parameters = this.list('>', () => this.expression(), 'template');
    if (parameters.length === 0) throw new WgslError(open, say`A template list has at least one parameter.`);
    return parameters;
  }

  expression(): Syntax {
    return this.nested(() => this.disjunction());
  }

  private disjunction(): Syntax {
    const first = this.unary();
    const { text, kind } = this.next;
    if (kind === 'symbol' && (text === '&' || text === '|' || text === '^')) {
      return this.unmixed(
        this.chain(
          first,
          (token) => token === text,
          () => this.unary(),
        ),
      );
    }
    const left = this.level(3, first);
    const operator = this.next.text;
    if (operator !== '&&' && operator !== '||') return this.unmixed(left);
    return this.unmixed(
      this.chain(
        left,
        (token) => token === operator,
        () => this.level(3, this.unary()),
      ),
    );
  }

  /** After an expression no binary operator can follow: those that may not be mixed need parentheses. */
  private unmixed(expression: Syntax): Syntax {
    const { text, kind } = this.next;
    if (kind === 'symbol' && /^(?:[&|^<>*/%+-]|&&|\|\||<<|>>|[<>=!]=)$/.test(text)) {
      throw new WgslError(this.next, say`"${text}" needs parentheses around what stands before or after it.`);
    }
    return expression;
  }

  /** Products, sums, shifts and comparisons; `first` is the first operand, read already. */
  private level(level: number, first: Syntax): Syntax {
    if (level < 0) return first;
    const operators = LEVELS[level];
    if (operators === undefined) {
      if (this.at('<<') || this.at('>>')) return this.binary(first, this.take().text, this.unary());
      return this.level(level - 1, first);
    }
    const left = this.level(level - 1, first);
    const known = (text: string) => (operators as readonly string[]).includes(text);
    if (level < 3) return this.chain(left, known, () => this.level(level - 1, this.unary()));
    if (this.next.kind !== 'symbol' || !known(this.next.text)) return left;
    return this.binary(left, this.take().text, this.level(level - 1, this.unary()));
  }

  private chain(first: Syntax, known: (text: string) => boolean, operand: () => Syntax): Syntax {
    let left = first;
    for (let count = 0; ; count++) {
      if (this.next.kind !== 'symbol' || !known(this.next.text)) return left;
      if (count === 4 * MAX_DEPTH) throw new WgslError(this.next, say`More than ${count} operators follow each other.`);
      left = this.binary(left, this.take().text, operand());
    }
  }

  /** `&&` before an operand is two address-of operators. */
  private split(): void {
    const { next } = this;
    if (next.text !== '&&') return;
    const half = { ...next, text: '&', length: 1 };
    this.tokens.splice(this.position, 1, half, { ...half, column: next.column + 1, offset: next.offset + 1 });
  }

  private binary(left: Syntax, operator: string, right: Syntax): Syntax {
    return { kind: 'binary', operator, left, right, at: through(left.at, right.at) };
  }

  private unary(): Syntax {
    this.split();
    const { next } = this;
    if (next.kind === 'symbol' && /^[-!~*&]$/.test(next.text)) {
      this.take();
      const operand = this.nested(() => this.unary());
      return { kind: 'unary', operator: next.text, operand, at: through(next, operand.at) };
    }
    return this.postfix(this.primary());
  }

  postfix(base: Syntax): Syntax {
    let left = base;
    for (let count = 0; ; count++) {
      if (count > MAX_DEPTH) throw new WgslError(this.next, say`Expressions are nested more than ${MAX_DEPTH} deep.`);
      if (this.accept('[')) {
        const index = this.expression();
        this.expect(']', 'after an index');
        left = { kind: 'index', base: left, index, at: through(base.at, this.previous) };
      } else if (this.accept('.')) {
        const { text } = this.name('the name of a member');
        left = { kind: 'member', base: left, name: text, at: through(base.at, this.previous) };
      } else return left;
    }
  }

  private primary(): Syntax {
    const { next } = this;
    if (next.kind === 'number') {
      if (/^0\d/.test(next.text) && !/[.eE]/.test(next.text)) {
        throw new WgslError(next, say`"${next.text}" begins with a zero that does not belong there.`);
      }
      this.take();
      return { kind: 'number', text: next.text, at: next };
    }
    if (this.at('true') || this.at('false')) return { kind: 'boolean', value: this.take().text === 'true', at: next };
    if (this.accept('(')) {
      const inner = this.expression();
      const close = this.expect(')', 'after an expression');
      return { ...inner, at: through(next, close) };
    }
    return this.nameOrCall('an expression');
  }

  nameOrCall(what: string): Syntax {
    const callee = this.templated(what);
    if (!this.accept('(')) return callee;
    const list = this.list(')', () => this.expression());
    return { kind: 'call', callee, arguments: list, at: through(callee.at, this.previous) };
  }
}
