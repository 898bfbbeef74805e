import { describe, expect, it } from 'vitest';
import { ddpmPath, ddpmPathByName } from './ddpm.js';
import { logSnr } from './path.js';
import { noisePath } from './paths.js';

/** ᾱ of each step, by a plain product. */
function products(betas: 'linear' | 'scaled-linear', first: number, last: number): number[] {
  const [a, b] = betas === 'linear' ? [first, last] : [Math.sqrt(first), Math.sqrt(last)];
  let product = 1;
  return Array.from({ length: 1000 }, (_, i) => {
    const beta = a + ((b - a) * i) / 999;
    product *= 1 - (betas === 'linear' ? beta : beta * beta);
    return product;
  });
}

describe.each([
  ['linear', 0.0001, 0.02, 4.0358e-5], // what DDPM's linear betas leave at the end: a known number
  ['scaled-linear', 0.00085, 0.012, 0.0046599],
] as const)('the path of %s betas', (betas, first, last, end) => {
  const path = ddpmPath({ betas });
  const expected = products(betas, first, last);

  it('has the noise of each step at its time, and none at 0', () => {
    expect(path.alpha(1) ** 2).toBeCloseTo(end, 6);
    for (const i of [1, 2, 17, 500, 998, 999]) {
      expect(path.alpha(i / 999)).toBeCloseTo(Math.sqrt(expected[i]!), 10);
      expect(path.sigma(i / 999)).toBeCloseTo(Math.sqrt(1 - expected[i]!), 10);
    }
    expect([path.alpha(0), path.sigma(0), logSnr(path, 0)]).toEqual([1, 0, Number.POSITIVE_INFINITY]);
  });

  it('keeps α² + σ² = 1, and has derivatives that agree with central differences', () => {
    const h = 1e-7;
    for (const t of [0.0002, 0.0007, 0.0105, 0.2002, 0.5002, 0.7702, 0.9994]) {
      expect(path.alpha(t) ** 2 + path.sigma(t) ** 2).toBeCloseTo(1, 12);
      expect(path.alphaPrime(t)).toBeCloseTo((path.alpha(t + h) - path.alpha(t - h)) / (2 * h), 5);
      expect(path.sigmaPrime(t)).toBeCloseTo((path.sigma(t + h) - path.sigma(t - h)) / (2 * h), 5);
    }
    expect(path.sigmaPrime(0)).toBeCloseTo(path.sigma(1e-9) / 1e-9, 3);
    expect(path.alphaPrime(0)).toBe(0);
    expect(Number.isFinite(path.alphaPrime(1)) && Number.isFinite(path.sigmaPrime(1))).toBe(true);
  });

  it('inverts its log-SNR, and takes what is beyond its ends to the ends', () => {
    for (const t of [1e-6, 0.0005, 1 / 999, 0.01, 0.3, 0.5, 500 / 999, 0.9999]) {
      expect(path.timeAtLogSnr(logSnr(path, t))).toBeCloseTo(t, 12);
    }
    expect(path.timeAtLogSnr(Number.POSITIVE_INFINITY)).toBe(0);
    expect(path.timeAtLogSnr(Number.NEGATIVE_INFINITY)).toBe(1);
    expect(path.timeAtLogSnr(logSnr(path, 1) - 1)).toBe(1);
  });

  it('is interpolated in log-SNR between steps', () => {
    const middle = (logSnr(path, 500 / 999) + logSnr(path, 501 / 999)) / 2;
    expect(logSnr(path, 500.5 / 999)).toBeCloseTo(middle, 10);
  });

  it('is found again by its name', () => {
    expect(path.name).toBe(`ddpm-${betas}`);
    expect(ddpmPathByName(path.name)!.alpha(0.5)).toBe(path.alpha(0.5));
  });
});

/** ᾱ of each step of arXiv 2102.09672, eq. 17, whose betas are cut at 0.999. */
function cosineProducts(steps: number): number[] {
  const f = (t: number) => Math.cos(((t / steps + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  let product = 1;
  return Array.from({ length: steps }, (_, i) => {
    product *= 1 - Math.min(1 - f(i + 1) / f(i), 0.999);
    return product;
  });
}

/** √ᾱ moved and scaled to end at 0: arXiv 2305.08891, algorithm 1. */
function rescaled(all: number[]): number[] {
  const roots = all.map(Math.sqrt);
  const [first, last] = [roots[0]!, roots.at(-1)!];
  return roots.map((root) => (((root - last) * first) / (first - last)) ** 2);
}

describe.each([
  ['ddpm-cosine', { betas: 'cosine' }, cosineProducts(1000)],
  ['ddpm-cosine:50', { betas: 'cosine', steps: 50 }, cosineProducts(50)],
  [
    'ddpm-scaled-linear:zero-snr',
    { betas: 'scaled-linear', zeroSnr: true },
    rescaled(products('scaled-linear', 0.00085, 0.012)),
  ],
  [
    'ddpm-linear:0.0002:0.02:1000:zero-snr',
    { betas: 'linear', start: 0.0002, zeroSnr: true },
    rescaled(products('linear', 0.0002, 0.02)),
  ],
  ['ddpm-cosine:50:zero-snr', { betas: 'cosine', steps: 50, zeroSnr: true }, rescaled(cosineProducts(50))],
] as const)('%s', (name, options, expected) => {
  const path = ddpmPath(options);
  const last = expected.length - 1;

  it('has the noise of each step at its time', () => {
    for (let i = 1; i <= last; i++) {
      expect(path.alpha(i / last)).toBeCloseTo(Math.sqrt(expected[i]!), 10);
      expect(path.sigma(i / last)).toBeCloseTo(Math.sqrt(1 - expected[i]!), 10);
    }
    if (name.endsWith('zero-snr')) expect([path.alpha(1), path.sigma(1)]).toEqual([0, 1]);
  });

  it('has derivatives that agree with differences, up to both ends, and an inverse', () => {
    const h = 1e-7;
    for (const t of [0.0002, 0.3002, 0.7702, 1 - 0.3 / last, 1 - 0.01 / last]) {
      expect(path.alphaPrime(t) / last).toBeCloseTo((path.alpha(t + h) - path.alpha(t - h)) / (2 * h * last), 5);
      expect(path.sigmaPrime(t) / last).toBeCloseTo((path.sigma(t + h) - path.sigma(t - h)) / (2 * h * last), 5);
      expect(path.timeAtLogSnr(logSnr(path, t))).toBeCloseTo(t, 10);
    }
    expect(path.alphaPrime(1) / last).toBeCloseTo((path.alpha(1) - path.alpha(1 - h)) / (h * last), 5);
    expect(path.sigmaPrime(1) / last).toBeCloseTo((path.sigma(1) - path.sigma(1 - h)) / (h * last), 5);
    expect([path.timeAtLogSnr(Number.POSITIVE_INFINITY), path.timeAtLogSnr(Number.NEGATIVE_INFINITY)]).toEqual([0, 1]);
  });

  it('is found again by its name', () => {
    expect(path.name).toBe(name);
    expect(ddpmPathByName(name)!.sigma(0.37)).toBe(path.sigma(0.37));
  });
});

it('other numbers are in the name', () => {
  const path = ddpmPath({ betas: 'linear', start: 1e-7, end: 0.03, steps: 500 });
  expect(path.name).toBe('ddpm-linear:1e-7:0.03:500');
  expect(ddpmPathByName(path.name)!.sigma(0.3)).toBe(path.sigma(0.3));
  expect(ddpmPathByName('linear')).toBeUndefined();
  expect(ddpmPathByName('ddpm-linear:1:2')).toBeUndefined();
});

it.each([
  ['ddpm-linear:0.0001:0.02:1000', 'ddpm-linear'],
  ['ddpm-cosine:1000', 'ddpm-cosine'],
  ['ddpm-cosine:1000:zero-snr', 'ddpm-cosine:zero-snr'],
  ['ddpm-linear:1e-4:0.03:500', 'ddpm-linear:0.0001:0.03:500'],
])('%s is %s, and is found by its own name', (name, usual) => {
  const [path, same] = [ddpmPathByName(name)!, ddpmPathByName(usual)!];
  expect(noisePath(name, [path])).toBe(path);
  for (const t of [0, 0.0005, 0.4, 1]) {
    expect([path.alpha(t), path.sigma(t), path.alphaPrime(t)]).toEqual([
      same.alpha(t),
      same.sigma(t),
      same.alphaPrime(t),
    ]);
  }
});

it('refuses noise that cannot be', () => {
  for (const betas of ['sqrt', 'constructor']) {
    expect(() => ddpmPath({ betas: betas as 'linear' })).toThrow(
      `[ddpmPath] betas is "${betas}". Give "linear" or "scaled-linear" or "cosine".`,
    );
  }
  expect(() => ddpmPath({ betas: 'linear', end: 1 })).toThrow('[ddpmPath] betas run from 0.0001 to 1.');
  expect(() => ddpmPath({ betas: 'linear', start: 0.03 })).toThrow('betas run from 0.03 to 0.02');
  expect(() => ddpmPath({ betas: 'linear', steps: 1 })).toThrow('there are 1 steps');
  expect(() => ddpmPath({ betas: 'cosine', steps: 2, zeroSnr: true })).toThrow('Give a whole number from 3 to 10⁶');
  expect(ddpmPathByName('ddpm-cosine:0.1:0.2:9')).toBeUndefined();
  expect(() => ddpmPathByName('ddpm-linear:0.0001:0.02:1e12')).toThrow('there are 1000000000000 steps');
});
