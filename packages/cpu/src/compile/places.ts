// Places: what a WGSL reference means. Either scalars that are values (cells, whose values the environment knows) or an
// address: a root, a constant offset, and indices with their strides and counts.
import type { ScalarKind, Type } from '../program/types.js';
import { columnStride, sizeOf } from '../program/types.js';
import type { Kind, Root, Source, Value, Width } from './ir.js';

/** One scalar of a variable that is not in memory. */
export interface Cell {
  readonly kind: Kind;
}

export interface CellPlace {
  readonly kind: 'cells';
  readonly type: Type;
  readonly cells: readonly Cell[];
  /** One of as many equal parts of the cells. */
  readonly pick?: Value;
}

export interface Term {
  readonly index: Value;
  readonly stride: number;
  readonly count: number | undefined;
}

export interface MemoryPlace {
  readonly kind: 'memory';
  readonly type: Type;
  readonly root: Root;
  readonly offset: number;
  readonly terms: readonly Term[];
  readonly constant: boolean;
  readonly arrayOffset?: number | undefined;
  readonly source?: Source | undefined;
}

export type Place = CellPlace | MemoryPlace;

/** What a composite type is made of. */
function parts(type: Type): readonly Type[] {
  if (type.kind === 'struct') return type.members.map((member) => member.type);
  return Array<Type>(countOf(type) ?? 1).fill(elementOf(type));
}

/** The type of one part of a composite type. Arrays of thousands are asked for each: no list is made. */
function partOf(type: Type, index: number): Type {
  return type.kind === 'struct' ? type.members[index]!.type : elementOf(type);
}

/** The type of an element of an array, matrix or vector. */
export function elementOf(type: Type): Type {
  switch (type.kind) {
    case 'vector':
      return { kind: 'scalar', scalar: type.scalar };
    case 'matrix':
      return { kind: 'vector', size: type.rows, scalar: type.scalar };
    case 'array':
      return type.element;
    default:
      throw new Error(`internal: ${type.kind} has no elements.`);
  }
}

/** Elements of an array, columns of a matrix, components of a vector; undefined where the binding decides. */
export function countOf(type: Type): number | undefined {
  switch (type.kind) {
    case 'vector':
      return type.size;
    case 'matrix':
      return type.columns;
    case 'array':
      return type.count;
    default:
      return 0;
  }
}

const scalarLists = new WeakMap<Type, readonly ScalarKind[]>();

/** The scalars of a type, in order. */
export function scalarsOf(type: Type): readonly ScalarKind[] {
  if (type.kind === 'scalar' || type.kind === 'atomic') return [type.scalar];
  let list = scalarLists.get(type);
  if (!list) {
    list = parts(type).flatMap((part) => scalarsOf(part));
    scalarLists.set(type, list);
  }
  return list;
}

export function kindOf(scalar: ScalarKind): Kind {
  return scalar === 'bool' ? 'bool' : scalar === 'f32' || scalar === 'f16' ? 'f32' : 'i32';
}

export function widthOf(scalar: ScalarKind): Width {
  return scalar === 'f32' || scalar === 'f16' ? scalar : 'i32';
}

/** Where part `index` of a type begins, in the units of a root. */
function partOffset(root: Root, type: Type, index: number): number {
  if (root.kind === 'frame') return scalarsBefore(type, index);
  switch (type.kind) {
    case 'array':
      return index * type.stride;
    case 'struct':
      return type.members[index]!.offset;
    case 'matrix':
      return index * columnStride(type);
    default:
      return index * sizeOf(elementOf(type));
  }
}

/** How many scalars of a type come before part `index`. */
function scalarsBefore(type: Type, index: number): number {
  if (type.kind !== 'struct') return index * scalarsOf(elementOf(type)).length;
  return type.members.slice(0, index).reduce((sum, member) => sum + scalarsOf(member.type).length, 0);
}

/** The scalars of a type with their offsets, in the units of a root. */
export function leavesOf(
  root: Root,
  type: Type,
  offset = 0,
): { readonly offset: number; readonly scalar: ScalarKind }[] {
  if (type.kind === 'scalar' || type.kind === 'atomic') return [{ offset, scalar: type.scalar }];
  return parts(type).flatMap((part, i) => leavesOf(root, part, offset + partOffset(root, type, i)));
}

/** A member of a structure, or an element at a constant index. */
export function partAt(place: Place, index: number): Place {
  const type = partOf(place.type, index);
  if (place.kind === 'memory')
    return { ...place, type, offset: place.offset + partOffset(place.root, place.type, index) };
  const before = scalarsBefore(place.type, index);
  return { kind: 'cells', type, cells: place.cells.slice(before, before + scalarsOf(type).length) };
}

/** An element of an array, a column of a matrix, a component of a vector. */
export function elementAt(place: Place, index: Value): Place {
  const count = countOf(place.type);
  const constant = index.op === 'const' ? index.imm : undefined;
  if (constant !== undefined && count !== undefined && constant >= 0 && constant < count)
    return partAt(place, constant);
  const type = elementOf(place.type);
  if (place.kind === 'cells') return { ...place, type, pick: index };
  const term = { index, stride: partOffset(place.root, place.type, 1), count };
  const arrayOffset = count === undefined ? place.offset : place.arrayOffset;
  return { ...place, type, terms: [...place.terms, term], arrayOffset };
}
