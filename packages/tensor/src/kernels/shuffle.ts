// How subgroups share what one of their lanes has read.
import { unroll } from './contract.js';

/** Products that go into a sum at once: the driver masks and stores each sum as often as it is assigned. */
export const STEP = 2;

/**
 * Adds to each of `count` sums STEP products: of `own` in the lanes `lane`, `lane` + 1, …, which a shuffle hands to all,
 * and of what every lane has read for the sum, `y0_j`, `y1_j`, ….
 */
export function addShuffled(own: string, lane: string, count: number, sum: (j: number) => string): string {
  const products = (j: number) => Array.from({ length: STEP }, (_, s) => `z${s} * y${s}_${j}`).join(' + ');
  return `{
${unroll(STEP, (s) => `let z${s} = subgroupShuffle(${own}, ${lane} + ${s}u);`)}
${unroll(count, (j) => `${sum(j)} += ${products(j)};`)}
}`;
}
