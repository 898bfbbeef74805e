// What names mean: the entities of a module and of a function's blocks, and operands, which expressions evaluate to.
import type {
  EntryPoint,
  Expression,
  GlobalVariable,
  LocalVariable,
  Place,
  ProgramFunction,
  Reference,
  Statement,
  Variable,
} from '../program/program.js';
import type { AccessMode, AddressSpace, Type } from '../program/types.js';
import type { Value } from './constants.js';
import type { Span } from './lexer.js';
import type { FunctionSyntax } from './syntax.js';
import { type AnyScalar, type AnyType, scalarOf } from './types.js';

/** When the value of an expression is known: when the module is made, when the pipeline is made, when it runs. */
export enum Stage {
  Const = 0,
  Override = 1,
  Run = 2,
}

/** What an expression evaluates to. Either a place in memory (`view`), or a value, known (`value`) or computed (`node`). */
export interface Operand {
  readonly type: AnyType;
  readonly stage: Stage;
  readonly value?: Value;
  readonly node?: Expression;
  readonly view?: { readonly reference: Reference; readonly space: AddressSpace; readonly access: AccessMode };
  readonly at: Span;
}

export type Severity = 'error' | 'warning' | 'info' | 'off';

/** A function with all that its callers need to know. */
export interface FunctionInfo {
  readonly syntax: FunctionSyntax;
  readonly program: { -readonly [key in keyof ProgramFunction]: ProgramFunction[key] };
  readonly mustUse: boolean;
  readonly stage: 'compute' | 'vertex' | 'fragment' | undefined;
  /** What it and its callees touch: module-scope variables, and its own parameters that are pointers. */
  readonly reads: Set<Variable>;
  readonly writes: Set<Variable>;
  readonly globals: Set<GlobalVariable>;
  readonly callees: Set<FunctionInfo>;
  workgroupSize?: EntryPoint['workgroupSize'];
}

export type Entity = { readonly at: Span } & (
  | { readonly kind: 'type'; readonly type: AnyType }
  | { readonly kind: 'value'; readonly operand: Operand }
  | {
      readonly kind: 'variable';
      readonly variable: Variable;
      readonly space: AddressSpace;
      readonly access: AccessMode;
    }
  | { readonly kind: 'function'; readonly info: FunctionInfo }
);

/** Names of one block. */
export class Scope {
  readonly names = new Map<string, Entity>();
  /** How many names a block had when the first `continue` left it: its `continuing` part may use no later ones. */
  continued: number | undefined;
}

/** Facts about a module that its functions' checks share. */
export interface ModuleScope {
  lookup(name: string, at: Span): Entity | undefined;
  enabled(extension: string): boolean;
  warn(at: Span, message: string): void;
  /** Where a reference begins, by the `let` pointers it may go through. */
  readonly pointers: Map<LocalVariable, Reference>;
  /** How a violation of uniformity at a collective operation is reported. */
  readonly severities: Map<Statement, Severity>;
  readonly moduleSeverity: Severity;
  /** One expression for each constant composite, however often it is named. */
  readonly composites: WeakMap<object, Expression>;
}

/** The variable that a reference leads into, and whether it covers all of it. */
export function rootOf(
  reference: Reference,
  pointers: ReadonlyMap<LocalVariable, Reference>,
): { root: Variable; full: boolean } {
  let full = true;
  let current = reference;
  for (;;) {
    if (current.kind === 'variable') return { root: current.variable, full };
    if (current.kind !== 'dereference') {
      full = false;
      current = current.base;
      continue;
    }
    const { pointer } = current;
    if (pointer.kind === 'addressOf') current = pointer.reference;
    else if (pointer.kind === 'value') {
      const target = pointers.get(pointer.variable);
      if (target === undefined) return { root: pointer.variable, full };
      current = target;
    } else throw new Error('internal: a pointer is a parameter, a let or an address.');
  }
}

/** The expression of a known value; every scalar of it is concrete. */
export function materialize(type: Type, value: Value, at: Place, cache: WeakMap<object, Expression>): Expression {
  if (!Array.isArray(value)) return { kind: 'literal', value: value as number | boolean, type, at };
  const known = cache.get(value);
  if (known !== undefined && known.type === type) return known;
  const made = composite(type, value, at, cache);
  cache.set(value, made);
  return made;
}

function composite(type: Type, value: readonly Value[], at: Place, cache: WeakMap<object, Expression>): Expression {
  if (isZero(value)) return { kind: 'zero', type, at };
  const part = (i: number): Type => {
    switch (type.kind) {
      case 'array':
        return type.element;
      case 'struct':
        return type.members[i]!.type;
      case 'matrix':
        return { kind: 'vector', size: type.rows, scalar: type.scalar };
      default:
        return { kind: 'scalar', scalar: scalarOf(type) as AnyScalar['scalar'] } as Type;
    }
  };
  const parts = value.map((item, i) => materialize(part(i), item, at, cache));
  if (type.kind === 'vector' && value.every((item) => Object.is(item, value[0]))) {
    return { kind: 'splat', value: parts[0]!, type, at };
  }
  return { kind: 'construct', parts, type, at };
}

const isZero = (value: Value): boolean =>
  Array.isArray(value) ? value.every(isZero) : value === false || Object.is(value, 0);
