// How many segments must be replayed, and what that buys: a forger who got a share of the segments by other means than training
// is caught if one of them is among those that are drawn.
import { ValueError } from '@paris/tensor';

/** What a verification is to buy: to catch a forgery of this fraction of the segments with this probability. */
export interface Wanted {
  /** In (0, 1). */
  confidence: number;
  /** In (0, 1]. */
  fraction: number;
}

/**
 * The least s ≥ 1 with 1 − (1 − f)^s ≥ confidence: enough for any number of segments.
 * @throws ValueError for numbers out of their range
 */
export function segmentsFor({ confidence, fraction }: Wanted): number {
  check('confidence', confidence, confidence > 0 && confidence < 1, 'between 0 and 1');
  check('fraction', fraction, fraction > 0 && fraction <= 1, 'above 0 and at most 1');
  // 0.75 of ½ is 2, whatever the logarithms' last bits. log1p takes in numbers that vanish beside 1.
  return Math.max(1, Math.ceil(Math.log1p(-confidence) / Math.log1p(-fraction) - 1e-9));
}

/**
 * The probability that at least one of `forged` segments among `segments` is one of `drawn` different ones (hypergeometric). With
 * few segments it is more than 1 − (1 − f)^s, which is that of drawing with replacement.
 */
export function oddsOf(segments: number, forged: number, drawn: number): number {
  let missed = 1;
  for (let i = 0; i < drawn; i++) missed *= Math.max(0, segments - forged - i) / (segments - i);
  return 1 - missed;
}

/** The forged segments that a fraction means: at least one. */
export function forgedOf(segments: number, fraction: number): number {
  return Math.max(1, Math.ceil(fraction * segments - 1e-9));
}

function check(name: string, value: number, holds: boolean, kind: string): void {
  if (!holds) throw new ValueError('verify', `${name} must be ${kind}, got ${value}.`);
}
