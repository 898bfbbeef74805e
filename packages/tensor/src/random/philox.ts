// Philox 4×32-10: ten rounds turn a 128-bit counter and a 64-bit key into four random words. No state: word w of
// counter block b depends on nothing else, so any element of any tensor can be drawn alone, on any device.
// Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, §3.3 and Table 2.

/** The multipliers of one round and the Weyl constants that move the key between rounds. */
export const PHILOX = { m0: 0xd2511f53, m1: 0xcd9e8d57, w0: 0x9e3779b9, w1: 0xbb67ae85, rounds: 10 } as const;

/** Four unsigned 32-bit words. */
export type Words4 = [number, number, number, number];

/** Philox 4×32-10 of a counter under a key; all words are unsigned 32-bit numbers. */
export function philox4x32(counter: Readonly<Words4>, key: readonly [number, number]): Words4 {
  let [x0, x1, x2, x3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < PHILOX.rounds; round++) {
    const high0 = multiplyHigh(PHILOX.m0, x0);
    const low0 = Math.imul(PHILOX.m0, x0);
    const high1 = multiplyHigh(PHILOX.m1, x2);
    const low1 = Math.imul(PHILOX.m1, x2);
    [x0, x1, x2, x3] = [high1 ^ x1 ^ k0, low1, high0 ^ x3 ^ k1, low0];
    k0 = (k0 + PHILOX.w0) | 0;
    k1 = (k1 + PHILOX.w1) | 0;
  }
  return [x0 >>> 0, x1 >>> 0, x2 >>> 0, x3 >>> 0];
}

/** The upper 32 bits of a 64-bit product, through 16-bit parts: JavaScript's doubles hold no 64-bit integer. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh] = [a & 0xffff, a >>> 16];
  const [bLow, bHigh] = [b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // at most 2³² − 1: fits
  return (aHigh * bHigh + (middle >>> 16) + ((aLow * bHigh + (middle & 0xffff)) >>> 16)) | 0;
}
