// Types as the checker sees them: the program's, and abstract numbers. https://www.w3.org/TR/WGSL/#types
import {
  type AddressSpace,
  type ArrayType,
  type AtomicType,
  alignOf,
  type MatrixType,
  type PointerType,
  type ScalarKind,
  type StructMember,
  type StructType,
  showType,
  sizeOf,
  type Type,
  type VectorType,
  type VoidType,
} from '../program/types.js';

export type Scalar = ScalarKind | 'AbstractInt' | 'AbstractFloat';

export interface AnyScalar {
  readonly kind: 'scalar';
  readonly scalar: Scalar;
}
export interface AnyVector extends Omit<VectorType, 'scalar'> {
  readonly scalar: Scalar;
}
export interface AnyMatrix extends Omit<MatrixType, 'scalar'> {
  readonly scalar: Scalar;
}
export interface AnyArray extends Omit<ArrayType, 'element'> {
  readonly element: AnyType;
  /** What makes an array whose length an override decides one of its kind: the name or expression. */
  readonly pending?: unknown;
}
export interface AnyMember extends Omit<StructMember, 'type'> {
  readonly type: AnyType;
}
export interface AnyStruct extends Omit<StructType, 'members'> {
  readonly members: readonly AnyMember[];
}
export interface AnyPointer extends Omit<PointerType, 'target'> {
  readonly target: AnyType;
}
export type AnyType = AnyScalar | AnyVector | AnyMatrix | AnyArray | AnyStruct | AnyPointer | AtomicType | VoidType;

const SCALARS = ['bool', 'i32', 'u32', 'f32', 'f16', 'AbstractInt', 'AbstractFloat'] as const;
const scalars = Object.fromEntries(SCALARS.map((scalar) => [scalar, { kind: 'scalar', scalar }])) as unknown as Record<
  Scalar,
  AnyScalar
>;

export const scalarType = (scalar: Scalar): AnyScalar => scalars[scalar];
export const vectorType = (size: number, scalar: Scalar): AnyVector => ({
  kind: 'vector',
  size: size as 2 | 3 | 4,
  scalar,
});
export const matrixType = (columns: number, rows: number, scalar: Scalar): AnyMatrix => ({
  kind: 'matrix',
  columns: columns as 2 | 3 | 4,
  rows: rows as 2 | 3 | 4,
  scalar,
});
export const BOOL: AnyScalar = scalarType('bool');
export const I32: AnyScalar = scalarType('i32');
export const U32: AnyScalar = scalarType('u32');
export const VOID: VoidType = { kind: 'void' };

/** An array of a concrete or abstract element type. */
export function arrayType(element: AnyType, count: number | undefined, pending?: unknown): AnyArray {
  const stride = isAbstract(element) ? 8 : roundUp(sizeOf(element as Type), alignOf(element as Type));
  return { kind: 'array', element, count, stride, ...(pending !== undefined && { pending }) };
}

export const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

/** A scalar, or a vector of a size. */
export const shaped = (size: number, scalar: Scalar): AnyScalar | AnyVector =>
  size === 1 ? scalarType(scalar) : vectorType(size, scalar);

/** The element type of a scalar, vector or matrix. */
export function scalarOf(type: AnyType): Scalar | undefined {
  return type.kind === 'scalar' || type.kind === 'vector' || type.kind === 'matrix' ? type.scalar : undefined;
}

/** Components of a scalar or vector. */
export function widthOf(type: AnyType): number {
  return type.kind === 'vector' ? type.size : 1;
}

/** The type with its scalars exchanged. */
export function withScalar(type: AnyType, scalar: Scalar): AnyType {
  if (type.kind === 'scalar') return scalarType(scalar);
  if (type.kind === 'vector' || type.kind === 'matrix') return { ...type, scalar } as AnyType;
  if (type.kind === 'array') return arrayType(withScalar(type.element, scalar), type.count);
  return type;
}

export const isFloat = (scalar: Scalar | undefined): boolean =>
  scalar === 'f32' || scalar === 'f16' || scalar === 'AbstractFloat';
export const sizeInBits = (scalar: Scalar): number => (scalar === 'f16' ? 16 : 32);
export const isInteger = (scalar: Scalar | undefined): boolean =>
  scalar === 'i32' || scalar === 'u32' || scalar === 'AbstractInt';

export function isAbstract(type: AnyType): boolean {
  switch (type.kind) {
    case 'scalar':
    case 'vector':
    case 'matrix':
      return type.scalar === 'AbstractInt' || type.scalar === 'AbstractFloat';
    case 'array':
      return isAbstract(type.element);
    case 'struct':
      return type.name.endsWith('abstract');
    default:
      return false;
  }
}

export function sameType(a: AnyType, b: AnyType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'scalar':
    case 'atomic':
      return a.scalar === (b as AnyScalar).scalar;
    case 'vector':
      return a.size === (b as AnyVector).size && a.scalar === (b as AnyVector).scalar;
    case 'matrix': {
      const c = b as AnyMatrix;
      return a.columns === c.columns && a.rows === c.rows && a.scalar === c.scalar;
    }
    case 'array': {
      const c = b as AnyArray;
      return a.count === c.count && a.pending === c.pending && sameType(a.element, c.element);
    }
    case 'pointer': {
      const c = b as AnyPointer;
      return a.space === c.space && a.access === c.access && sameType(a.target, c.target);
    }
    case 'struct':
      return a.name.startsWith('__') && a.name === (b as AnyStruct).name;
    default:
      return true;
  }
}

/** ConversionRank of scalars; undefined where there is no automatic conversion. */
export function rankOf(from: Scalar, to: Scalar): number | undefined {
  if (from === to) return 0;
  const order: readonly Scalar[] =
    from === 'AbstractFloat'
      ? ['f32', 'f16']
      : from === 'AbstractInt'
        ? ['i32', 'u32', 'AbstractFloat', 'f32', 'f16']
        : [];
  const rank = order.indexOf(to);
  return rank < 0 ? undefined : rank + 1;
}

/** Whether an automatic conversion leads from one type to another. */
export function converts(from: AnyType, to: AnyType): boolean {
  if (sameType(from, to)) return true;
  if (!isAbstract(from) || from.kind !== to.kind) return false;
  switch (from.kind) {
    case 'scalar':
      return rankOf(from.scalar, (to as AnyScalar).scalar) !== undefined;
    case 'vector':
    case 'matrix': {
      const scalar = scalarOf(to)!;
      return rankOf(from.scalar, scalar) !== undefined && sameType(withScalar(from, scalar), to);
    }
    case 'array':
      return from.count === (to as AnyArray).count && converts(from.element, (to as AnyArray).element);
    case 'struct': {
      const { name } = to as AnyStruct;
      return name.startsWith('__') && name.replace(/f32$|f16$/, 'abstract') === from.name;
    }
    default:
      return false;
  }
}

/** What an abstract type becomes where nothing asks for another. */
export function concrete(type: AnyType): AnyType {
  if (!isAbstract(type)) return type;
  if (type.kind === 'array') return arrayType(concrete(type.element), type.count);
  if (type.kind === 'struct') {
    const members = type.members.map((member) => ({ ...member, type: concrete(member.type) }));
    return layOut(type.name.replace('abstract', 'f32'), members);
  }
  return withScalar(type, scalarOf(type) === 'AbstractInt' ? 'i32' : 'f32');
}

export interface MemberSource {
  readonly name: string;
  readonly type: AnyType;
  readonly align?: number;
  readonly size?: number;
}

/** A structure with its members' offsets. https://www.w3.org/TR/WGSL/#structure-member-layout */
export function layOut(name: string, sources: readonly MemberSource[]): AnyStruct {
  const abstract = sources.some(({ type }) => isAbstract(type));
  const members: AnyMember[] = [];
  let end = 0;
  let align = 1;
  for (const source of sources) {
    const own = source.align ?? (abstract ? 8 : alignOf(source.type as Type));
    const offset = roundUp(end, own);
    end = offset + (source.size ?? (abstract ? 8 : sizeOf(source.type as Type)));
    align = Math.max(align, own);
    members.push({ name: source.name, type: source.type, offset });
  }
  return { kind: 'struct', name, members, size: roundUp(end, align), align };
}

/** Whether every part of a type satisfies a condition. */
export function everyPart(type: AnyType, holds: (part: AnyType) => boolean): boolean {
  if (!holds(type)) return false;
  if (type.kind === 'array') return everyPart(type.element, holds);
  return type.kind !== 'struct' || type.members.every((member) => everyPart(member.type, holds));
}

/** https://www.w3.org/TR/WGSL/#constructible-types */
export const isConstructible = (type: AnyType): boolean =>
  everyPart(type, (part) =>
    part.kind === 'array'
      ? part.count !== undefined && part.pending === undefined
      : part.kind !== 'atomic' && part.kind !== 'pointer' && part.kind !== 'void',
  );

/** https://www.w3.org/TR/WGSL/#host-shareable-types */
export const isHostShareable = (type: AnyType): boolean =>
  everyPart(type, (part) => part.kind !== 'pointer' && part.kind !== 'void' && scalarOf(part) !== 'bool');

/** Whether some part is an atomic. */
export const hasAtomic = (type: AnyType): boolean => !everyPart(type, (part) => part.kind !== 'atomic');

/** Whether its size is known when the pipeline is: no part is a runtime-sized array. */
export const isFixed = (type: AnyType): boolean =>
  everyPart(type, (part) => part.kind !== 'array' || part.count !== undefined);

/** How deep composites nest in it. */
export function depthOf(type: AnyType): number {
  switch (type.kind) {
    case 'vector':
      return 1;
    case 'matrix':
      return 2;
    case 'array':
      return 1 + depthOf(type.element);
    case 'struct':
      return 1 + Math.max(0, ...type.members.map((member) => depthOf(member.type)));
    default:
      return 0;
  }
}

/** A type as messages name it. */
export function show(type: AnyType): string {
  if (type.kind === 'array' && type.pending !== undefined) return `array<${show(type.element)}, …>`;
  if (type.kind === 'array' && isAbstract(type)) return `array<${show(type.element)}, ${type.count}>`;
  return showType(type as Type);
}

/** Where a variable can be, and how it is accessed there by default. */
export const SPACES: Readonly<Record<AddressSpace, 'read' | 'read_write'>> = {
  function: 'read_write',
  private: 'read_write',
  workgroup: 'read_write',
  uniform: 'read',
  storage: 'read',
};
