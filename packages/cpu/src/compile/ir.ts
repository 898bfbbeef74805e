// What a program becomes before it is WebAssembly: structured control flow over scalars in single assignment form. Pure
// values float (equal ones are one; schedule.ts finds each a place), effects are in order. Where control flow meets, a
// `phi` takes the value that the last `move` gave it, so nothing has to be taken apart again: a phi is a local.
//
// A value's op is the name of WebAssembly's scalar instruction where there is one. Booleans are 0 or 1.

import type { Place } from '../program/program.js';

export type Kind = 'i32' | 'f32' | 'bool' | 'v128' | 'none';

export interface Value {
  readonly id: number;
  readonly op: string;
  readonly kind: Kind;
  readonly args: readonly Value[];
  /** A constant's number; an instruction's immediate. */
  readonly imm: number;
  /** Of memory operations: where. */
  readonly access?: Access | undefined;
  /** An effect, or a load that sees effects: it is in a body. */
  readonly pinned?: boolean;
}

/** What the text calls a place in memory, and where. Only for the sanitizer. */
export interface Source {
  readonly name: string;
  readonly at: Place;
}

/** Memory that an access starts from: a binding, the workgroup's memory, or an invocation's own. */
export type Root = { readonly kind: 'binding'; readonly index: number } | { readonly kind: 'workgroup' | 'frame' };

/** How a scalar is laid out in memory. */
export type Width = 'i32' | 'f32' | 'f16';

/**
 * An element's place: offset + Σ index·stride, in bytes, but for `frame`, which counts scalars. The first arguments of
 * the operation are the indices. A count of undefined is that of a runtime-sized array.
 */
export interface Access {
  readonly root: Root;
  readonly offset: number;
  readonly strides: readonly number[];
  readonly counts: readonly (number | undefined)[];
  readonly width: Width;
  /** Whether nothing writes there while the kernel runs. */
  readonly constant: boolean;
  /** Of a runtime-sized array: bytes before its first element. */
  readonly arrayOffset?: number | undefined;
  readonly source?: Source | undefined;
}

export interface Body {
  readonly nodes: Node[];
}

export interface BlockNode {
  readonly kind: 'block';
  /** In lanes mode: whether some lanes leave it before others. */
  readonly divergent?: boolean;
  readonly body: Body;
  readonly phis: Value[];
}

export type Node =
  | { readonly kind: 'op'; readonly value: Value }
  /** Gives phis their values, all at once. */
  | { readonly kind: 'move'; readonly phis: readonly Value[]; readonly values: readonly Value[] }
  | IfNode
  | BlockNode
  | LoopNode
  /** Leaves a block. Always the last node of its body. */
  | { readonly kind: 'break'; readonly target: BlockNode }
  | { readonly kind: 'barrier'; readonly source: Source }
  /** Made by structure.ts: every invocation of the workgroup runs this, without meeting another. */
  | RegionNode;

export interface IfNode {
  readonly kind: 'if';
  readonly condition: Value;
  readonly taken: Body;
  readonly otherwise: Body;
  readonly phis: Value[];
}

/** Repeats forever; a `break` to a block around it ends it. */
export interface LoopNode {
  readonly kind: 'loop';
  readonly body: Body;
  readonly phis: Value[];
}

export interface RegionNode {
  readonly kind: 'region';
  readonly body: Body;
  /** Invocations that have left one of these blocks for good take no part. */
  readonly left: readonly BlockNode[];
}

const folded: Record<string, (a: number, b: number) => number> = {
  'i32.add': (a, b) => (a + b) | 0,
  'i32.sub': (a, b) => (a - b) | 0,
  'i32.mul': Math.imul,
  'i32.and': (a, b) => a & b,
  'i32.or': (a, b) => a | b,
  'i32.xor': (a, b) => a ^ b,
  'i32.shl': (a, b) => a << b,
  'i32.shr_u': (a, b) => (a >>> b) | 0,
  'i32.shr_s': (a, b) => a >> b,
  'i32.eq': (a, b) => Number(a === b),
  'i32.ne': (a, b) => Number(a !== b),
  'i32.lt_u': (a, b) => Number(a >>> 0 < b >>> 0),
  'i32.le_u': (a, b) => Number(a >>> 0 <= b >>> 0),
  'i32.gt_u': (a, b) => Number(a >>> 0 > b >>> 0),
  'i32.ge_u': (a, b) => Number(a >>> 0 >= b >>> 0),
  'i32.lt_s': (a, b) => Number(a < b),
  'i32.le_s': (a, b) => Number(a <= b),
  'i32.gt_s': (a, b) => Number(a > b),
  'i32.ge_s': (a, b) => Number(a >= b),
  'i32.div_u': (a, b) => ((a >>> 0) / (b >>> 0)) | 0,
  'i32.rem_u': (a, b) => ((a >>> 0) % (b >>> 0)) | 0,
};

const commutative = new Set(['i32.add', 'i32.mul', 'i32.and', 'i32.or', 'i32.xor', 'i32.eq', 'i32.ne']);
const bits = new DataView(new ArrayBuffer(4));

/** Makes values; equal pure ones are the same object. */
export class Graph {
  private count = 0;
  private readonly table = new Map<string, Value>();

  /** Values made so far: the next one's id. */
  get size(): number {
    return this.count;
  }

  i32(value: number): Value {
    return this.pure('const', 'i32', [], value | 0);
  }

  f32(value: number): Value {
    return this.pure('const', 'f32', [], Math.fround(value));
  }

  bool(value: boolean): Value {
    return this.pure('const', 'bool', [], Number(value));
  }

  /** A value without effects, simplified. */
  op(op: string, kind: Kind, args: readonly Value[], imm = 0, access?: Access): Value {
    return this.simplified(op, kind, args) ?? this.pure(op, kind, args, imm, access);
  }

  /** A value that is like no other: a phi, an effect, a load among stores. */
  fresh(op: string, kind: Kind, args: readonly Value[] = [], imm = 0, access?: Access): Value {
    return { id: this.count++, op, kind, args, imm, access, pinned: op !== 'phi' };
  }

  /** An instruction of i32 that gives an i32, by its name without the type. Numbers stand for constants. */
  int(name: string, ...args: readonly (Value | number)[]): Value {
    return this.op(`i32.${name}`, 'i32', this.ints(args));
  }

  /** A comparison of two i32. */
  test(name: string, ...args: readonly (Value | number)[]): Value {
    return this.op(`i32.${name}`, 'bool', this.ints(args));
  }

  /** An instruction of f32 that gives an f32. */
  float(name: string, ...args: readonly (Value | number)[]): Value {
    const values = args.map((arg) => (typeof arg === 'number' ? this.f32(arg) : arg));
    return this.op(`f32.${name}`, 'f32', values);
  }

  private ints(args: readonly (Value | number)[]): Value[] {
    return args.map((arg) => (typeof arg === 'number' ? this.i32(arg) : arg));
  }

  select(condition: Value, yes: Value, no: Value): Value {
    return this.op('select', yes.kind, [condition, yes, no]);
  }

  not(condition: Value): Value {
    return this.op('i32.eqz', 'bool', [condition]);
  }

  and(a: Value, b: Value): Value {
    return this.op('i32.and', 'bool', [a, b]);
  }

  or(a: Value, b: Value): Value {
    return this.op('i32.or', 'bool', [a, b]);
  }

  private pure(op: string, kind: Kind, args: readonly Value[], imm: number, access?: Access): Value {
    let number = imm;
    if (kind === 'f32') {
      bits.setFloat32(0, imm);
      number = bits.getInt32(0);
    }
    let key = `${op} ${kind} ${number}`;
    for (const arg of args) key += ` ${arg.id}`;
    if (access) key += accessKey(access);
    const found = this.table.get(key);
    if (found) return found;
    const made: Value = { id: this.count++, op, kind, args, imm, access };
    this.table.set(key, made);
    return made;
  }

  private simplified(op: string, kind: Kind, args: readonly Value[]): Value | undefined {
    const [a, b, c] = args as [Value, Value, Value];
    if (op === 'select') {
      if (a.op === 'const') return a.imm ? b : c;
      if (b === c) return b;
      if (a.op === 'i32.eqz') return this.op('select', kind, [a.args[0]!, c, b]);
      if (kind === 'bool' && b.op === 'const' && c.op === 'const') return b.imm ? a : this.not(a);
      return undefined;
    }
    if (op === 'i32.eqz') {
      if (a.op === 'const') return this.pure('const', kind, [], a.imm ? 0 : 1);
      return a.op === 'i32.eqz' && a.args[0]!.kind === 'bool' ? a.args[0]! : undefined;
    }
    if (!(op in folded) || !b) return undefined;
    if (a.op === 'const' && b.op === 'const') {
      if (b.imm === 0 && (op === 'i32.div_u' || op === 'i32.rem_u')) return undefined;
      return this.pure('const', kind, [], folded[op]!(a.imm, b.imm));
    }
    if (a.op === 'const' && commutative.has(op)) return this.op(op, kind, [b, a]);
    return b.op === 'const' ? this.withConstant(op, kind, a, b) : undefined;
  }

  private withConstant(op: string, kind: Kind, a: Value, b: Value): Value | undefined {
    const n = b.imm;
    const inner = a.args[1]?.op === 'const' ? a.args[1].imm : undefined;
    switch (op) {
      case 'i32.add':
        if (n === 0) return a;
        return a.op === op && inner !== undefined ? this.op(op, kind, [a.args[0]!, this.i32(inner + n)]) : undefined;
      case 'i32.sub':
        return this.op('i32.add', kind, [a, this.i32(-n)]);
      case 'i32.mul':
        if (n === 0) return b;
        if (n === 1) return a;
        if (a.op === op && inner !== undefined) return this.op(op, kind, [a.args[0]!, this.i32(Math.imul(inner, n))]);
        return n > 0 && (n & (n - 1)) === 0 ? this.op('i32.shl', kind, [a, this.i32(31 - Math.clz32(n))]) : undefined;
      case 'i32.div_u':
        if (n === 1) return a;
        return (n & (n - 1)) === 0 && n ? this.op('i32.shr_u', kind, [a, this.i32(31 - Math.clz32(n))]) : undefined;
      case 'i32.rem_u':
        return (n & (n - 1)) === 0 && n ? this.op('i32.and', kind, [a, this.i32(n - 1)]) : undefined;
      case 'i32.and':
        if (n === 0) return b;
        return n === (kind === 'bool' ? 1 : -1) ? a : undefined;
      case 'i32.or':
        if (kind === 'bool' && n === 1) return b;
        return n === 0 ? a : undefined;
      case 'i32.shl':
      case 'i32.shr_u':
      case 'i32.shr_s':
      case 'i32.xor':
        return n === 0 ? a : undefined;
    }
    return undefined;
  }
}

function accessKey({ root, offset, strides, counts, width, arrayOffset }: Access): string {
  return `@${root.kind}${root.kind === 'binding' ? root.index : ''} ${offset} ${strides} ${counts} ${width} ${arrayOffset}`;
}
