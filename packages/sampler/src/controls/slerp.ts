/**
 * The point `share` of the way from a to b on the great circle through both: noise between two noises has their length, which
 * a straight line's middle has not (arXiv 1609.04468). Nearly parallel ones are joined by a line.
 */
export function slerp(a: Float32Array, b: Float32Array, share: number): Float32Array {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  const cosine = Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb)));
  const angle = Math.acos(cosine);
  const sine = Math.sin(angle);
  const [p, q] =
    sine < 1e-6 ? [1 - share, share] : [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
  return a.map((value, i) => p * value + q * b[i]!);
}
