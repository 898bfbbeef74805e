// WGSL's types, as far as a compute shader without textures can have them, with their layout in memory.
// https://www.w3.org/TR/WGSL/#types and https://www.w3.org/TR/WGSL/#memory-layouts

export type ScalarKind = 'f32' | 'f16' | 'i32' | 'u32' | 'bool';

/** Where a variable is. `handle` (textures, samplers) does not exist here. */
export type AddressSpace = 'function' | 'private' | 'workgroup' | 'storage' | 'uniform';

export type AccessMode = 'read' | 'write' | 'read_write';

export interface ScalarType {
  readonly kind: 'scalar';
  readonly scalar: ScalarKind;
}

export interface VectorType {
  readonly kind: 'vector';
  readonly size: 2 | 3 | 4;
  readonly scalar: ScalarKind;
}

/** Column-major: `columns` vectors of `rows` elements, each column aligned as a vector is. */
export interface MatrixType {
  readonly kind: 'matrix';
  readonly columns: 2 | 3 | 4;
  readonly rows: 2 | 3 | 4;
  readonly scalar: 'f32' | 'f16';
}

export interface AtomicType {
  readonly kind: 'atomic';
  readonly scalar: 'i32' | 'u32';
}

export interface ArrayType {
  readonly kind: 'array';
  readonly element: Type;
  /** Undefined for an array that is as long as its binding allows. */
  readonly count: number | undefined;
  /** Bytes from one element to the next. */
  readonly stride: number;
}

export interface StructMember {
  readonly name: string;
  readonly type: Type;
  /** Bytes from the start of the structure. */
  readonly offset: number;
}

export interface StructType {
  readonly kind: 'struct';
  readonly name: string;
  readonly members: readonly StructMember[];
  /** Bytes, rounded up to the alignment. Of a structure that ends in a runtime-sized array: with one element of it. */
  readonly size: number;
  readonly align: number;
}

/** Never in memory: pointers are resolved when a program is compiled. */
export interface PointerType {
  readonly kind: 'pointer';
  readonly space: AddressSpace;
  readonly access: AccessMode;
  readonly target: Type;
}

/** What a function returns that returns nothing. */
export interface VoidType {
  readonly kind: 'void';
}

export type Type = ScalarType | VectorType | MatrixType | AtomicType | ArrayType | StructType | PointerType | VoidType;

/** Bytes of a value in memory; of a runtime-sized array those of one element. `bool` takes 4 (it is never host-shareable). */
export function sizeOf(type: Type): number {
  switch (type.kind) {
    case 'scalar':
      return type.scalar === 'f16' ? 2 : 4;
    case 'vector':
      return type.size * (type.scalar === 'f16' ? 2 : 4);
    case 'matrix':
      return type.columns * columnStride(type);
    case 'atomic':
      return 4;
    case 'array':
      return (type.count ?? 1) * type.stride;
    case 'struct':
      return type.size;
    default:
      throw new Error(`internal: a ${type.kind} has no size.`);
  }
}

/** Alignment in bytes. */
export function alignOf(type: Type): number {
  switch (type.kind) {
    case 'vector':
      return (type.size === 2 ? 2 : 4) * (type.scalar === 'f16' ? 2 : 4);
    case 'matrix':
      return columnStride(type);
    case 'array':
      return alignOf(type.element);
    case 'struct':
      return type.align;
    default:
      return sizeOf(type);
  }
}

/** Bytes from one column of a matrix to the next. */
export function columnStride({ rows, scalar }: MatrixType): number {
  return (rows === 2 ? 2 : 4) * (scalar === 'f16' ? 2 : 4);
}

/** `vec3<f32>`, as messages name it. */
export function showType(type: Type): string {
  switch (type.kind) {
    case 'scalar':
      return type.scalar;
    case 'vector':
      return `vec${type.size}<${type.scalar}>`;
    case 'matrix':
      return `mat${type.columns}x${type.rows}<${type.scalar}>`;
    case 'atomic':
      return `atomic<${type.scalar}>`;
    case 'array':
      return `array<${showType(type.element)}${type.count === undefined ? '' : `, ${type.count}`}>`;
    case 'struct':
      return type.name;
    case 'pointer':
      return `ptr<${type.space}, ${showType(type.target)}${type.space === 'storage' ? `, ${type.access}` : ''}>`;
    default:
      return 'void';
  }
}
