// A program: one entry point of a WGSL module with everything resolved. Names are objects, overloads are chosen,
// abstract numbers have become concrete, constants and overrides are literals, `for` and `while` are loops. The front end
// (wgsl/) makes it, the back end (compile/) turns it into WebAssembly; neither knows the other.
import type { AccessMode, AddressSpace, Type } from './types.js';

/** Where something is in the WGSL text: line and column from 1, as GPUCompilationMessage counts them. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Program {
  readonly entry: EntryPoint;
  /** Every function that the entry point reaches, callees before callers, the entry point's own last. */
  readonly functions: readonly ProgramFunction[];
  /** Every module-scope variable that they touch. */
  readonly globals: readonly GlobalVariable[];
  /** Whether the text enables f16 or subgroups. */
  readonly enables: ReadonlySet<string>;
}

export interface EntryPoint {
  readonly function: ProgramFunction;
  readonly workgroupSize: readonly [number, number, number];
}

/** Built-in inputs of a compute shader. */
export type BuiltinInput =
  | 'local_invocation_id'
  | 'local_invocation_index'
  | 'global_invocation_id'
  | 'workgroup_id'
  | 'num_workgroups'
  | 'subgroup_invocation_id'
  | 'subgroup_size'
  | 'subgroup_id'
  | 'num_subgroups';

export interface ProgramFunction {
  readonly name: string;
  readonly parameters: readonly LocalVariable[];
  /**
   * For the entry point: what each parameter (or, for a structure, each of its members) brings. Parallel to
   * `parameters`; a nested list for a structure.
   */
  readonly inputs?: readonly (BuiltinInput | readonly BuiltinInput[])[];
  readonly returns: Type;
  readonly body: readonly Statement[];
  /** Whether it, or a function it calls, has a statement of kind `barrier`, `uniformLoad` or `collective`. */
  readonly synchronizes: boolean;
}

export interface LocalVariable {
  readonly kind: 'let' | 'var' | 'parameter';
  readonly name: string;
  /** Of a `let` or parameter it may be a pointer. Never a reference: a `var` of type T is a place of type T. */
  readonly type: Type;
  readonly at: Place;
}

export interface GlobalVariable {
  readonly kind: 'global';
  readonly name: string;
  readonly type: Type;
  readonly space: Exclude<AddressSpace, 'function'>;
  readonly access: AccessMode;
  /** Of storage and uniform variables. */
  readonly binding?: { readonly group: number; readonly binding: number };
  /** Of private variables: a constant expression. Without it the variable begins as zero. */
  readonly initial?: Expression;
  readonly at: Place;
}

export type Variable = LocalVariable | GlobalVariable;

// ---------------------------------------------------------------------------------------------------- references

/** A place in memory (WGSL: a reference). `type` is the type of what is stored there. */
export type Reference = { readonly type: Type; readonly at: Place } & (
  | { readonly kind: 'variable'; readonly variable: Variable }
  /** A structure's member. */
  | { readonly kind: 'member'; readonly base: Reference; readonly index: number }
  /** An element of an array, a column of a matrix, or a component of a vector. The index is i32 or u32, or a literal. */
  | { readonly kind: 'element'; readonly base: Reference; readonly index: Expression }
  /** What a pointer points at. */
  | { readonly kind: 'dereference'; readonly pointer: Expression }
);

// --------------------------------------------------------------------------------------------------- expressions

export type UnaryOperator = '-' | '!' | '~';
/**
 * Both operands have the same type (a scalar next to a vector has been spread), except: the right one of a shift is u32
 * (or a vector of it); `matrix*` is the linear-algebra product of matrix × matrix, matrix × vector and vector × matrix;
 * matrix × scalar is written as `matrix-scale` with the matrix first. Comparisons give bool or a vector of bool. `&`, `|`
 * on bool do not short-circuit; `&&` and `||` are expressions of kind `logical`.
 */
export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'matrix*'
  | 'matrix-scale';

/** A value. Evaluated left to right; calls may have side effects. */
export type Expression = {
  readonly type: Type;
  readonly at: Place;
} /** A scalar. f16 and f32 values are already rounded to their type; i32 and u32 lie in their range. */ & (
  | { readonly kind: 'literal'; readonly value: number | boolean }
  /** All zero, of any constructible type. */
  | { readonly kind: 'zero' }
  | { readonly kind: 'load'; readonly reference: Reference }
  | { readonly kind: 'addressOf'; readonly reference: Reference }
  /** The value of a `let` or parameter. (A `var` is a reference: read with `load`.) */
  | { readonly kind: 'value'; readonly variable: LocalVariable }
  /** A member of a structure that is a value. */
  | { readonly kind: 'extractMember'; readonly base: Expression; readonly index: number }
  /** An element of an array, matrix or vector that is a value. */
  | { readonly kind: 'extract'; readonly base: Expression; readonly index: Expression }
  /** At least two components of a vector value. */
  | { readonly kind: 'swizzle'; readonly base: Expression; readonly components: readonly number[] }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'logical'; readonly operator: '&&' | '||'; readonly left: Expression; readonly right: Expression }
  /** One scalar in every component of a vector. */
  | { readonly kind: 'splat'; readonly value: Expression }
  /**
   * A composite from its parts: a vector from scalars and vectors whose components add up; a matrix from its columns, or
   * from all its scalars in column order; an array from its elements; a structure from its members.
   */
  | { readonly kind: 'construct'; readonly parts: readonly Expression[] }
  /** Value conversion between scalars or vectors (`f32(i)`, `vec3u(v)`, matrices of another float type). */
  | { readonly kind: 'convert'; readonly value: Expression }
  /** The same bits as another type. */
  | { readonly kind: 'bitcast'; readonly value: Expression }
  /** A built-in function on values, by its WGSL name: `max`, `fma`, `dot`, `select`, `pack2x16float`, … */
  | { readonly kind: 'builtin'; readonly name: string; readonly arguments: readonly Expression[] }
  /** Elements of a runtime-sized array: u32. */
  | { readonly kind: 'arrayLength'; readonly reference: Reference }
  /**
   * `atomicLoad`, `atomicStore`, `atomicAdd`, `atomicSub`, `atomicMax`, `atomicMin`, `atomicAnd`, `atomicOr`, `atomicXor`,
   * `atomicExchange`, `atomicCompareExchangeWeak` (whose type is a structure of old_value and exchanged).
   */
  | {
      readonly kind: 'atomic';
      readonly name: string;
      readonly reference: Reference;
      readonly arguments: readonly Expression[];
    }
  | { readonly kind: 'call'; readonly function: ProgramFunction; readonly arguments: readonly Expression[] }
);

// ---------------------------------------------------------------------------------------------------- statements

export type Statement = {
  readonly at: Place;
} /** `let` and `var`. A `var` without an initial value begins as zero, each time it is reached. */ & (
  | { readonly kind: 'declare'; readonly variable: LocalVariable; readonly initial?: Expression }
  /** Compound assignments and increments are written out; an index with side effects has a `let` of its own before. */
  | { readonly kind: 'assign'; readonly target: Reference; readonly value: Expression }
  /** A call, or anything else whose value nobody wants. */
  | { readonly kind: 'evaluate'; readonly value: Expression }
  | { readonly kind: 'block'; readonly body: readonly Statement[] }
  | {
      readonly kind: 'if';
      readonly condition: Expression;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  /**
   * `for`, `while` and `loop`. A `for` is a block with its initialiser and a loop whose body begins with
   * `if (!condition) { break; }` and whose continuing part is its update. `breakIf` is evaluated after `continuing`; both
   * see the variables of `body`. `continue` goes to `continuing`.
   */
  | {
      readonly kind: 'loop';
      readonly body: readonly Statement[];
      readonly continuing: readonly Statement[];
      readonly breakIf?: Expression;
    }
  /** Without a `default` there is one with no body at the end. No case falls through. `break` leaves the switch. */
  | {
      readonly kind: 'switch';
      readonly selector: Expression;
      readonly cases: readonly {
        readonly values: readonly (number | 'default')[];
        readonly body: readonly Statement[];
      }[];
    }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'return'; readonly value?: Expression }
  /** A control barrier of the workgroup. The front end has checked that control flow is uniform there. */
  | { readonly kind: 'barrier'; readonly name: 'workgroupBarrier' | 'storageBarrier' | 'textureBarrier' }
  /** `let variable = workgroupUniformLoad(&reference)`: a barrier, a load, a barrier. Hoisted out of expressions. */
  | { readonly kind: 'uniformLoad'; readonly variable: LocalVariable; readonly reference: Reference }
  /** `let variable = subgroupAdd(…)` and its kin: all invocations of a subgroup take part. Hoisted out of expressions. */
  | {
      readonly kind: 'collective';
      readonly name: string;
      readonly variable: LocalVariable;
      readonly arguments: readonly Expression[];
    }
);
