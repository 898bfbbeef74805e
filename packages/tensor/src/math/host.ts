// exp, log, powers, sin, cos and atan for numbers that the host hands to a device. They use +, −, ·, / and √ alone, which
// IEEE 754 rounds alike everywhere: an engine's own differ from another's in their last bits. Each is within 4 units in the
// last place where the result is normal.

/** ln 2 in two parts, of which the first has few enough bits that its small multiples are exact (fdlibm). */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** π/2 in three such parts (fdlibm). */
const HALF_PI = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;
const BIG = 2 ** 64;

/** x · 2^k, in steps that are exact. */
function scaled(x: number, k: number): number {
  let result = x;
  for (; k >= 64; k -= 64) result *= BIG;
  for (; k <= -64; k += 64) result /= BIG;
  for (; k > 0; k--) result *= 2;
  for (; k < 0; k++) result /= 2;
  return result;
}

/** e^r for |r| ≤ 0.35: 17 terms of its series. */
function series(r: number): number {
  let sum = 1;
  for (let n = 16; n >= 1; n--) sum = 1 + (r * sum) / n;
  return sum;
}

/** e^x. */
export function hostExp(x: number): number {
  if (x > 709.79) return Number.POSITIVE_INFINITY;
  if (x < -745.2) return 0;
  if (Number.isNaN(x)) return x;
  const k = Math.round(x / Math.LN2);
  return scaled(series(x - k * LN2_HIGH - k * LN2_LOW), k);
}

/** z/3 + z²/5 + …, for |z| ≤ 0.04: of s = √z, what atanh s is above s, or of s = √−z, what atan s is, in units of s. */
function aboveLine(z: number): number {
  let sum = 0;
  for (let n = 25; n >= 3; n -= 2) sum = z * (1 / n + sum);
  return sum;
}

/** The natural logarithm. */
export function hostLog(x: number): number {
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return x === 0 ? Number.NEGATIVE_INFINITY : x > 0 ? x : Number.NaN;
  let m = x;
  let k = 0;
  for (; m >= BIG; k += 64) m /= BIG;
  for (; m * BIG < 1; k -= 64) m *= BIG;
  for (; m >= Math.SQRT2; k++) m /= 2;
  for (; m < Math.SQRT1_2; k--) m *= 2;
  const s = (m - 1) / (m + 1);
  return k * LN2_HIGH + (2 * s + (2 * s * aboveLine(s * s) + k * LN2_LOW));
}

/** a^b for a ≥ 0. */
export function hostPow(a: number, b: number): number {
  if (b === 1) return a;
  return b === 0 ? 1 : hostExp(b * hostLog(a));
}

/** x − x³/3! + …, or 1 − x²/2! + … with `first` 0. */
function wave(x: number, first: 0 | 1): number {
  const z = x * x;
  let sum = 1;
  for (let n = 20 + first; n > first; n -= 2) sum = 1 - (z * sum) / (n * (n - 1));
  return first ? x * sum : sum;
}

/** The sine of x and so many quarter turns, from the quarter turn nearest to x and what is left, at most an eighth turn. */
function sine(x: number, turns: 0 | 1): number {
  const n = Math.round(x / (Math.PI / 2));
  const rest = x - n * HALF_PI[0] - n * HALF_PI[1] - n * HALF_PI[2];
  const quarter = (((n + turns) % 4) + 4) % 4;
  const value = wave(rest, quarter % 2 === 0 ? 1 : 0);
  return quarter < 2 ? value : -value;
}

/** sin x, for |x| ≤ 10⁶. */
export function hostSin(x: number): number {
  return sine(x, 0);
}

/** cos x, for |x| ≤ 10⁶. */
export function hostCos(x: number): number {
  return sine(x, 1);
}

/** The angle of the slope x, in [−π/2, π/2]. */
export function hostAtan(x: number): number {
  if (x < 0) return -hostAtan(-x);
  if (x > 1) return Math.PI / 2 - hostAtan(1 / x);
  // Half the angle, twice.
  const half = x / (1 + Math.sqrt(1 + x * x));
  const quarter = half / (1 + Math.sqrt(1 + half * half));
  return 4 * (quarter + quarter * aboveLine(-quarter * quarter));
}
