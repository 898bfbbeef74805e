import { ShapeError } from '../errors.js';

/** Sizes of the axes, outermost first; [] is a single number. */
export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function checkShape(op: string, shape: Shape): void {
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 0) {
      throw new ShapeError(op, `a shape holds whole numbers from 0 up, got ${showShape(shape)}.`);
    }
  }
}

/** NumPy broadcasting: shapes are aligned at their ends, and a size of 1 stretches. */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[a.length - rank + axis] ?? 1;
    const y = b[b.length - rank + axis] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      const both = `${showShape(a)} and ${showShape(b)}`;
      throw new ShapeError(op, `${both} do not broadcast (${x} against ${y}). Reshape one.`);
    }
    return x === 1 ? y : x;
  });
}

/** An axis counted from the front; negative axes count from the end. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const fix = rank === 0 ? 'Reshape it to [1]' : `Use ${-rank} to ${rank - 1}`;
    throw new ShapeError(op, `axis ${axis} does not exist in a tensor of rank ${rank}. ${fix}.`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the front, in the order given. */
export function listedAxes(op: string, axes: number | readonly number[], rank: number): number[] {
  const list = typeof axes === 'number' ? [axes] : axes;
  if (!Array.isArray(list))
    throw new ShapeError(op, `axes must be a number or a list, got ${typeof list}. Options follow them.`);
  return list.map((axis) => normalizeAxis(op, axis, rank));
}

/** Sorted, distinct axes counted from the front; all of them when none are given. */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = listedAxes(op, axes, rank);
  if (new Set(list).size !== list.length) throw new ShapeError(op, `an axis is named twice in [${list.join(', ')}].`);
  return list.sort((a, b) => a - b);
}
