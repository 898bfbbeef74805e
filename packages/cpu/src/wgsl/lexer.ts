// WGSL text → tokens. `<` and `>` that delimit template lists are separated from operators here, by the specification's own
// algorithm: https://www.w3.org/TR/WGSL/#template-lists-sec

import type { Place } from '../program/program.js';
import { say } from '../say.js';
import type { Message } from './module.js';

/** A stretch of the text: where it begins, and how long it is, in UTF-16 code units. */
export interface Span extends Place {
  readonly offset: number;
  readonly length: number;
}

export interface Token extends Span {
  /** `template` is a `<` or `>` that opens or closes a template list. */
  kind: 'name' | 'number' | 'symbol' | 'template' | 'end';
  text: string;
}

/** What is wrong with a text, and where. */
export class WgslError extends Error {
  readonly at: Span;
  /** Whether the text may be valid WGSL that this implementation does not carry out (textures, rendering). */
  readonly unsupported: boolean;
  constructor(at: Span, message: string, unsupported = false) {
    super(message);
    this.at = at;
    this.unsupported = unsupported;
  }
}

export function messageOf(at: Span, message: string, type: Message['type'] = 'error'): Message {
  return { type, message, line: at.line, column: at.column, offset: at.offset, length: at.length };
}

const BLANK = /[ \t\n\v\f\r\u0085\u200e\u200f\u2028\u2029]+/y;
const NAME = /[A-Za-z_][\w]*(?!\p{XID_Continue})|[\p{XID_Start}_]\p{XID_Continue}*/uy;
const HEX = '0[xX](?:(?:[\\da-fA-F]*\\.[\\da-fA-F]+|[\\da-fA-F]+\\.?)(?:[pP][+-]?\\d+[fh]?)?)(?:[iu](?![\\w.]))?';
const DECIMAL = '(?:\\d*\\.\\d+|\\d+\\.)(?:[eE][+-]?\\d+)?[fh]?|\\d+(?:[eE][+-]?\\d+[fh]?|[fhiu])?';
const NUMBER = new RegExp(`${HEX}|${DECIMAL}`, 'y');
// Not `--`: in an expression it is two signs.
const SYMBOL = /->|\+\+|&&|\|\||<<=|<<|<=|[=!+\-*/%&|^]=|[-+*/%&|^!~=<>.,:;@(){}[\]]/y;
const LINE_BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;

/** @throws WgslError for a character that begins no token, or a comment without an end. */
export function tokenize(code: string): Token[] {
  const tokens: Token[] = [];
  const place = placer(code);
  let position = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    return pattern.exec(code)?.[0];
  };
  while (position < code.length) {
    const skipped = match(BLANK)?.length ?? commentLength(code, position, place);
    if (skipped > 0) {
      position += skipped;
      continue;
    }
    let kind: Token['kind'] = 'name';
    let text = match(NAME);
    if (text === undefined) {
      kind = 'number';
      text = match(NUMBER);
    }
    if (text === undefined) {
      kind = 'symbol';
      text = match(SYMBOL);
    }
    if (text === undefined) {
      const character = String.fromCodePoint(code.codePointAt(position)!);
      const shown = character < ' ' ? `U+${character.charCodeAt(0).toString(16).padStart(4, '0')}` : `"${character}"`;
      throw new WgslError(place(position, character.length), say`${shown} begins no token.`);
    }
    tokens.push({ kind, text, ...place(position, text.length) });
    position += text.length;
  }
  findTemplates(tokens);
  return [...joinGreater(tokens), { kind: 'end', text: 'the end of the text', ...place(code.length, 0) }];
}

/** Gives the span at an offset; offsets must not decrease. */
function placer(code: string): (offset: number, length: number) => Span {
  let line = 1;
  let start = 0;
  LINE_BREAK.lastIndex = 0;
  const next = () => {
    const found = LINE_BREAK.exec(code);
    return found === null ? Number.POSITIVE_INFINITY : found.index + found[0].length;
  };
  let following = next();
  return (offset, length) => {
    while (following <= offset) {
      line++;
      start = following;
      following = next();
    }
    return { line, column: offset - start + 1, offset, length };
  };
}

/** Length of the comment at a position; 0 if there is none. Block comments nest. */
function commentLength(code: string, start: number, place: (offset: number, length: number) => Span): number {
  if (code[start] !== '/') return 0;
  if (code[start + 1] === '/') {
    const end = /[\n\v\f\r\u0085\u2028\u2029]|$/g;
    end.lastIndex = start;
    return end.exec(code)!.index - start;
  }
  if (code[start + 1] !== '*') return 0;
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(code); found !== null; found = mark.exec(code)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex - start;
  }
  throw new WgslError(place(start, 2), say`This comment has no end.`);
}

const ENDS_TEMPLATES = new Set(['=', ';', '{', ':', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=']);

/** Marks the `<` and `>` of template lists. */
function findTemplates(tokens: readonly Token[]): void {
  const pending: { readonly token: Token; readonly depth: number }[] = [];
  let depth = 0;
  const leave = () => {
    while (pending.length > 0 && pending.at(-1)!.depth >= depth) pending.pop();
  };
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === 'name') {
      const after = tokens[i + 1];
      if (after?.text === '<') {
        pending.push({ token: after, depth });
        i++;
      }
      continue;
    }
    switch (token.text) {
      case '>':
        if (pending.at(-1)?.depth === depth) {
          pending.pop()!.token.kind = 'template';
          token.kind = 'template';
        } else if (tokens[i + 1]?.text === '=' && tokens[i + 1]!.offset === token.offset + 1) i++;
        break;
      case '(':
      case '[':
        depth++;
        break;
      case ')':
      case ']':
        leave();
        depth = Math.max(0, depth - 1);
        break;
      case '&&':
      case '||':
        leave();
        break;
      default:
        // Nothing that assigns or ends a statement is in a template list.
        if (ENDS_TEMPLATES.has(token.text)) {
          pending.length = 0;
          depth = 0;
        }
    }
  }
}

/** `>` is read one by one because it may end a template list; the others become `>=`, `>>` and `>>=`. */
function joinGreater(tokens: readonly Token[]): Token[] {
  const joined: Token[] = [];
  for (const token of tokens) {
    const last = joined.at(-1);
    if (
      last?.kind === 'symbol' &&
      last.offset + last.length === token.offset &&
      token.kind === 'symbol' &&
      ((last.text === '>' && (token.text === '>' || token.text === '=')) || (last.text === '>>' && token.text === '='))
    ) {
      joined[joined.length - 1] = { ...last, text: last.text + token.text, length: last.length + 1 };
    } else joined.push(token);
  }
  return joined;
}
