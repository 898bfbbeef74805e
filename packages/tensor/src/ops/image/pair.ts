import { ValueError } from '../../errors.js';

/** For rows and columns, or one number for both. */
export type Pair = number | readonly [number, number];

/** @throws ValueError for anything but one or two whole numbers from `least` up */
export function pairOf(op: string, name: string, value: Pair, least: number): [number, number] {
  const both = typeof value === 'number' ? [value, value] : [...value];
  if (both.length !== 2 || both.some((n) => !Number.isInteger(n) || n < least)) {
    throw new ValueError(op, `the ${name} must be one or two whole numbers from ${least} up, got ${value}.`);
  }
  return both as [number, number];
}
