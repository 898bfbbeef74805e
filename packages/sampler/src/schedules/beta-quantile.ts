import { hostExp, hostLog, hostSin } from '@paris/tensor';

/**
 * The x below which a Beta(a, b) variable lies with probability p, to about 1e-14. Bisection on the regularized incomplete beta
 * function, which the continued fraction of Numerical Recipes §6.4 gives.
 */
export function betaQuantile(p: number, a: number, b: number): number {
  if (p <= 0) return 0;
  if (p >= 1) return 1;
  let [low, high] = [0, 1];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a, b) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function incompleteBeta(x: number, a: number, b: number): number {
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  if (x === 0) return 0;
  const front = hostExp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * hostLog(x) + b * hostLog(1 - x));
  return (front * continuedFraction(x, a, b)) / a;
}

/** Lentz's method. */
function continuedFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let [c, d] = [1, 1 / away(1 - ((a + b) * x) / (a + 1))];
  let result = d;
  for (let m = 1; m < 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      change = d * c;
      result *= change;
    }
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return result;
}

/** ln Γ(x) by Lanczos' approximation (g = 7, n = 9), to about 1e-15. */
function logGamma(x: number): number {
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  if (x < 0.5) return hostLog(Math.PI / hostSin(Math.PI * x)) - logGamma(1 - x);
  const sum = coefficients.reduce((all, factor, i) => all + factor / (x + i), 0.9999999999998099);
  const t = x + 6.5;
  return 0.5 * hostLog(2 * Math.PI) + (x - 0.5) * hostLog(t) - t + hostLog(sum);
}
