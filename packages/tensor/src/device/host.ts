// Converts host data to the form of device memory, and back.

import { fromHalves, toHalf } from '@paris/files';
import { DTypeError, LimitError, ShapeError, ValueError } from '../errors.js';
import { checkDType, type DType, type HostArray } from '../graph/dtype.js';
import { checkShape, type Shape, showShape, sizeOf } from '../graph/shape.js';

type IntegerArray = Int8Array | Int16Array | Int32Array | Uint8Array | Uint8ClampedArray | Uint16Array | Uint32Array;
type TypedArray = Float32Array | Float64Array | IntegerArray;
/** A number, or lists of numbers in each other. */
export type NestedNumbers = number | readonly NestedNumbers[];
/** A number, nested lists of numbers, or a typed array. */
export type HostData = NestedNumbers | TypedArray;

/** Flat numbers, their shape and dtype. Integer arrays keep their kind; everything else is f32 unless said. */
export function hostDataOf(
  data: HostData,
  shape?: Shape,
  dtype?: DType,
): { numbers: ArrayLike<number>; shape: Shape; dtype: DType } {
  if (ArrayBuffer.isView(data)) {
    const numbers = data as TypedArray;
    const kind = dtype ?? (data instanceof Int32Array ? 'i32' : data instanceof Uint32Array ? 'u32' : 'f32');
    return { numbers, shape: requireSize(shape ?? [numbers.length], numbers.length), dtype: kind };
  }
  if (typeof data !== 'number' && !Array.isArray(data)) {
    const got = data === null ? 'null' : typeof data;
    throw new DTypeError('tensor', `data must be a number, a list or a typed array, got ${got}.`);
  }
  const found: number[] = [];
  for (let at: NestedNumbers = data; Array.isArray(at); at = at[0]) found.push(at.length);
  const numbers: number[] = [];
  fill(data, found, 0, numbers);
  return { numbers, shape: requireSize(shape ?? found, numbers.length), dtype: dtype ?? 'f32' };
}

function fill(data: NestedNumbers, shape: Shape, depth: number, into: number[]): void {
  if (typeof data === 'number') {
    if (depth !== shape.length) throw ragged(`a number where a list of ${shape[depth]} was expected`);
    into.push(data);
    return;
  }
  if (!Array.isArray(data)) throw new ValueError('tensor', `a list holds numbers, got ${typeof data}.`);
  if (data.length !== shape[depth]) {
    throw ragged(`${data.length} entries where ${shape[depth] ?? 'a number'} were expected`);
  }
  for (const item of data) fill(item, shape, depth + 1, into);
}

function ragged(how: string): ShapeError {
  return new ShapeError('tensor', `the list is ragged: ${how}. Make all lists of one depth equally long.`);
}

function requireSize(shape: Shape, size: number): Shape {
  checkShape('tensor', shape);
  if (sizeOf(shape) !== size) {
    const takes = `${showShape(shape)}, which takes ${sizeOf(shape)}`;
    throw new ShapeError('tensor', `${size} numbers do not fill ${takes}. Give another shape, or other data.`);
  }
  return shape;
}

/** Elements as bytes, a multiple of 4 of them. */
export function encodeElements(
  numbers: ArrayLike<number>,
  dtype: DType,
  device: { hasFeature(name: string): boolean },
): Uint8Array<ArrayBuffer> {
  const size = numbers.length;
  checkDType('tensor', dtype);
  if (dtype === 'f16') {
    if (!device.hasFeature('shader-f16')) {
      throw new LimitError('tensor', 'this adapter has no f16 (the feature shader-f16). Use f32.');
    }
    const halves = new Uint16Array(Math.ceil(size / 2) * 2);
    for (let i = 0; i < size; i++) halves[i] = toHalf(numbers[i]!);
    return bytesOf(halves);
  }
  if (dtype === 'f32') return bytesOf(numbers instanceof Float32Array ? numbers.slice() : Float32Array.from(numbers));
  if (dtype === 'bool') return bytesOf(Uint32Array.from(numbers, (x) => (x ? 1 : 0)));
  const Integers = dtype === 'i32' ? Int32Array : Uint32Array;
  if (numbers instanceof Integers) return bytesOf(numbers.slice());
  const integers = Integers.from(numbers);
  const wrong = integers.findIndex((integer, i) => integer !== numbers[i]);
  if (wrong === -1) return bytesOf(integers);
  throw new ValueError('tensor', `element ${wrong} is ${numbers[wrong]}, which is no ${dtype}. Round it, or use f32.`);
}

function bytesOf(array: Float32Array | Int32Array | Uint32Array | Uint16Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
}

/** The elements in the host's array for the dtype. */
export function decodeElements(bytes: ArrayBuffer, dtype: DType, size: number): HostArray {
  if (dtype === 'f16') return fromHalves(new Uint16Array(bytes, 0, size));
  const Kind = dtype === 'f32' ? Float32Array : dtype === 'i32' ? Int32Array : Uint32Array;
  return new Kind(bytes, 0, size);
}
