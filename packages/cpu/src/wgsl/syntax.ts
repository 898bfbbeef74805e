// The syntax tree of a WGSL module: what the parser makes and the checker reads.
import type { Span } from './lexer.js';

export interface Attribute {
  readonly name: string;
  readonly arguments: readonly Syntax[];
  readonly at: Span;
}

export interface NameSyntax {
  readonly kind: 'name';
  readonly name: string;
  /** The template list's parameters. */
  readonly template?: readonly Syntax[];
  readonly at: Span;
}

/** An expression or a type. */
export type Syntax =
  | NameSyntax
  | ({ readonly at: Span } & (
      | { readonly kind: 'number'; readonly text: string }
      | { readonly kind: 'boolean'; readonly value: boolean }
      | { readonly kind: 'call'; readonly callee: NameSyntax; readonly arguments: readonly Syntax[] }
      | { readonly kind: 'index'; readonly base: Syntax; readonly index: Syntax }
      | { readonly kind: 'member'; readonly base: Syntax; readonly name: string }
      | { readonly kind: 'unary'; readonly operator: string; readonly operand: Syntax }
      | { readonly kind: 'binary'; readonly operator: string; readonly left: Syntax; readonly right: Syntax }
    ));

/** `const`, `override`, `let` and `var`, in a function or outside. */
export interface VariableSyntax {
  readonly kind: 'const' | 'override' | 'let' | 'var';
  readonly name: string;
  readonly attributes: readonly Attribute[];
  /** Of a `var`: address space and access mode. */
  readonly template: readonly Syntax[];
  readonly type?: Syntax;
  readonly initial?: Syntax;
  readonly at: Span;
}

export interface MemberSyntax {
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly type: Syntax;
  readonly at: Span;
}

export interface BlockSyntax {
  readonly kind: 'block';
  readonly attributes: readonly Attribute[];
  readonly body: readonly StatementSyntax[];
  readonly at: Span;
}

export type StatementSyntax =
  | VariableSyntax
  | BlockSyntax
  | ({ readonly at: Span } & (
      | { readonly kind: 'assign'; readonly target: Syntax; readonly operator: string; readonly value: Syntax }
      | { readonly kind: 'phony'; readonly value: Syntax }
      | { readonly kind: 'call'; readonly call: Syntax }
      | {
          readonly kind: 'if';
          readonly attributes: readonly Attribute[];
          readonly condition: Syntax;
          readonly body: BlockSyntax;
          readonly otherwise?: StatementSyntax;
        }
      | {
          readonly kind: 'switch';
          readonly attributes: readonly Attribute[];
          readonly selector: Syntax;
          readonly cases: readonly CaseSyntax[];
        }
      | LoopSyntax
      | { readonly kind: 'break' | 'continue' | 'discard' }
      | { readonly kind: 'return'; readonly value?: Syntax }
      | { readonly kind: 'assert'; readonly condition: Syntax }
    ));

export interface CaseSyntax {
  readonly selectors: readonly (Syntax | 'default')[];
  readonly body: BlockSyntax;
  readonly at: Span;
}

/** `loop`, `while` and `for`. */
export interface LoopSyntax {
  readonly kind: 'loop';
  readonly attributes: readonly Attribute[];
  readonly isFor: boolean;
  readonly initial?: StatementSyntax;
  readonly condition?: Syntax;
  readonly body: BlockSyntax;
  /** The update of a `for`, or the statements of `continuing`. */
  readonly continuing?: BlockSyntax;
  readonly breakIf?: Syntax;
  readonly at: Span;
}

export interface FunctionSyntax {
  readonly kind: 'function';
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly parameters: readonly MemberSyntax[];
  readonly returns?: Syntax;
  readonly returnAttributes: readonly Attribute[];
  readonly body: BlockSyntax;
  readonly at: Span;
}

export type DeclarationSyntax =
  | VariableSyntax
  | FunctionSyntax
  | { readonly kind: 'struct'; readonly name: string; readonly members: readonly MemberSyntax[]; readonly at: Span }
  | { readonly kind: 'alias'; readonly name: string; readonly type: Syntax; readonly at: Span }
  | { readonly kind: 'assert'; readonly name: ''; readonly condition: Syntax; readonly at: Span };

export interface Directive {
  readonly kind: 'enable' | 'requires' | 'diagnostic';
  readonly names: readonly { readonly name: string; readonly at: Span }[];
  readonly at: Span;
}

export interface ModuleSyntax {
  readonly directives: readonly Directive[];
  readonly declarations: readonly DeclarationSyntax[];
}

/** A span from the start of one to the end of another. */
export function through(first: Span, last: Span): Span {
  const { line, column, offset } = first;
  return { line, column, offset, length: Math.max(first.length, last.offset + last.length - offset) };
}
