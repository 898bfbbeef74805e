// WGSL expressions as scalars: each becomes the list of its scalars, in order.
import type { Expression, Reference } from '../program/program.js';
import type { ScalarKind, Type } from '../program/types.js';
import { alignOf, sizeOf } from '../program/types.js';
import { builtin } from './builtins.js';
import type { Binding, Context } from './context.js';
import { convert, fromBits, toBits } from './convert.js';
import type { Value } from './ir.js';
import { branch, call } from './lower.js';
import { binary, matrixProduct, unary } from './operators.js';
import { countOf, elementAt, elementOf, kindOf, type MemoryPlace, type Place, partAt, scalarsOf } from './places.js';

/** The place of a reference; indices are evaluated, once. */
export function place(c: Context, reference: Reference): Place {
  const found = placeOf(c, reference);
  if (!c.watched || found.kind !== 'memory') return found;
  const name = reference.kind === 'variable' ? reference.variable.name : (found.source?.name ?? '');
  return { ...found, source: { name, at: reference.at } };
}

function placeOf(c: Context, reference: Reference): Place {
  switch (reference.kind) {
    case 'variable':
      return c.binding(reference.variable) as Place;
    case 'member':
      return partAt(place(c, reference.base), reference.index);
    case 'element': {
      const base = place(c, reference.base);
      const index = evaluate(c, reference.index)[0]!;
      if (base.kind === 'cells') c.watchIndex(index, countOf(base.type)!, { name: 'a vector', at: reference.at });
      return elementAt(indexable(c, base, index), index);
    }
    case 'dereference':
      return pointer(c, reference.pointer);
  }
}

/** Only vectors in cells can be indexed dynamically; nothing else in cells ever is (dynamic.ts). */
function indexable(c: Context, base: Place, index: Value): Place {
  if (base.kind === 'memory' || base.type.kind === 'vector' || index.op === 'const') return base;
  const copy = c.allocate(base, true);
  c.store(copy, c.load(base));
  return copy;
}

function pointer(c: Context, e: Expression): Place {
  return e.kind === 'addressOf'
    ? place(c, e.reference)
    : (c.binding((e as Extract<Expression, { kind: 'value' }>).variable) as Place);
}

/** The scalar type of a scalar or vector. */
export function scalarOf(type: Type): ScalarKind {
  return (type as { scalar: ScalarKind }).scalar;
}

export function evaluate(c: Context, e: Expression): readonly Value[] {
  return lowerings[e.kind](c, e as never);
}

const lowerings: { [K in Expression['kind']]: (c: Context, e: Extract<Expression, { kind: K }>) => readonly Value[] } =
  {
    literal(c, { type, value }) {
      const kind = kindOf(scalarOf(type));
      return [kind === 'bool' ? c.g.bool(!!value) : kind === 'f32' ? c.g.f32(Number(value)) : c.g.i32(Number(value))];
    },
    zero: (c, { type }) => c.zeros(type),
    load: (c, { reference }) => c.load(place(c, reference)),
    /** Only a phony assignment looks at a pointer without using it; its indices may have effects. */
    addressOf(c, { reference }) {
      place(c, reference);
      return [];
    },
    value: (c, { variable }) => c.binding(variable) as readonly Value[],
    extractMember(c, { base, index }) {
      const values = evaluate(c, base);
      const { members } = base.type as Extract<Type, { kind: 'struct' }>;
      const sizes = members.map((member) => scalarsOf(member.type).length);
      const start = sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
      return values.slice(start, start + sizes[index]!);
    },
    extract(c, { base, index, at }) {
      const values = evaluate(c, base);
      const which = evaluate(c, index)[0]!;
      c.watchIndex(which, countOf(base.type)!, { name: 'a value', at });
      return extract(c, base.type, values, which);
    },
    swizzle(c, { base, components }) {
      const values = evaluate(c, base);
      return components.map((component) => values[component]!);
    },
    unary: (c, { operator, operand }) =>
      evaluate(c, operand).map((value) => unary(c.g, operator, scalarOf(operand.type), value)),
    binary(c, { operator, left, right }) {
      const a = evaluate(c, left);
      const b = evaluate(c, right);
      const scalar = scalarOf(left.type);
      if (operator === 'matrix*') return matrixProduct(c.g, left.type, right.type, a, b);
      if (operator === 'matrix-scale') return a.map((value) => binary(c.g, '*', scalar, value, b[0]!));
      return a.map((value, i) => binary(c.g, operator, scalar, value, b[i]!));
    },
    logical(c, { operator, left, right }) {
      const a = evaluate(c, left)[0]!;
      const cell = { kind: 'bool' as const };
      c.environment.set(cell, a);
      const other = () => {
        // Evaluating may put another environment in place.
        const [value] = evaluate(c, right);
        c.environment.set(cell, value!);
      };
      // Where the right side has no effect, this becomes a select, which is `and` or `or`.
      if (operator === '&&') branch(c, a, other, () => {});
      else branch(c, a, () => {}, other);
      const value = c.environment.get(cell)!;
      c.environment.delete(cell);
      return [value];
    },
    splat(c, { type, value }) {
      const [scalar] = evaluate(c, value);
      return Array<Value>((type as Extract<Type, { kind: 'vector' }>).size).fill(scalar!);
    },
    construct: (c, { parts }) => parts.flatMap((part) => evaluate(c, part)),
    convert(c, { type, value }) {
      const from = scalarOf(value.type);
      return evaluate(c, value).map((scalar) => convert(c.g, from, scalarOf(type), scalar));
    },
    bitcast(c, { type, value }) {
      const words = toBits(c.g, scalarOf(value.type), evaluate(c, value));
      return fromBits(c.g, scalarOf(type), words);
    },
    builtin(c, { type, name, arguments: args }) {
      const values = args.map((arg) => evaluate(c, arg));
      return builtin(
        c.g,
        name,
        type,
        args.map((arg) => arg.type),
        values,
      );
    },
    arrayLength(c, { reference }) {
      const at = place(c, reference) as MemoryPlace;
      const { root, offset } = at;
      const { stride } = at.type as Extract<Type, { kind: 'array' }>;
      const size = c.g.op('binding_size', 'i32', [], root.kind === 'binding' ? root.index : 0);
      return [c.g.int('div_u', c.g.int('sub', size, offset), stride)];
    },
    atomic(c, { type, name, reference, arguments: args }) {
      const at = place(c, reference) as MemoryPlace;
      const [{ access, args: indices }] = c.accesses(at) as [ReturnType<Context['accesses']>[0]];
      const values = args.map((arg) => evaluate(c, arg)[0]!);
      const signed = scalarOf(reference.type) === 'i32';
      const op = name === 'atomicMin' || name === 'atomicMax' ? `${name} ${signed ? 's' : 'u'}` : name;
      const old = c.effect(op, 'i32', [...indices, ...values], access);
      if (name === 'atomicStore') return [];
      return type.kind === 'struct' ? [old, c.g.test('eq', old, values[0]!)] : [old];
    },
    call(c, e) {
      const args = e.arguments.map(
        (arg): Binding => (arg.type.kind === 'pointer' ? pointer(c, arg) : evaluate(c, arg)),
      );
      return call(c, e.function, args);
    },
  };

/** A part of a value. A dynamic index out of bounds gives one of the parts. */
function extract(c: Context, type: Type, values: readonly Value[], index: Value): readonly Value[] {
  const size = scalarsOf(elementOf(type)).length;
  const count = values.length / size;
  if (index.op === 'const') {
    const i = Math.min(index.imm >>> 0, count - 1);
    return values.slice(i * size, (i + 1) * size);
  }
  if (count > 8) {
    const copy = c.allocate({ type }, true);
    c.store(copy, values);
    return c.load(elementAt(copy, index));
  }
  return Array.from({ length: size }, (_, part) =>
    c.pick(
      Array.from({ length: count }, (_, i) => values[i * size + part]!),
      index,
    ),
  );
}

/** Bytes that a binding of a variable must have at least. */
export function minimumBytes(type: Type): number {
  return Math.ceil(sizeOf(type) / alignOf(type)) * alignOf(type);
}
