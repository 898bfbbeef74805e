// Against the engine's own functions, which are accurate but not the same everywhere; and bits that are.
import { describe, expect, it } from 'vitest';
import { hostAtan, hostCos, hostExp, hostLog, hostPow, hostSin } from './host.js';

const magnitudes = Array.from({ length: 600 }, (_, i) => 1.7 ** (i - 300) * (1 + i / 1000));
const both = magnitudes.flatMap((x) => [x, -x]);
/** How far apart, in units of the last place of the second. */
const ulps = (a: number, b: number) => (a === b ? 0 : Math.abs(a - b) / 2 ** (Math.floor(Math.log2(Math.abs(b))) - 52));

describe('within 4 units in the last place of the engine', () => {
  it.each([
    ['exp', hostExp, Math.exp, [...both, 709.7, -708].filter((x) => x > -708)],
    ['log', hostLog, Math.log, [...magnitudes, 1, 5e-324, Number.MAX_VALUE]],
    ['atan', hostAtan, Math.atan, both.filter((x) => Math.abs(x) > 1e-300)],
    ['sin', hostSin, Math.sin, both.filter((x) => Math.abs(x) < 1e6 && Math.abs(x) > 1e-300)],
    ['cos', hostCos, Math.cos, both.filter((x) => Math.abs(x) < 1e6)],
  ] as const)('%s', (_, ours, theirs, values) => {
    expect(values.length).toBeGreaterThan(300);
    for (const x of values) expect(ulps(ours(x), theirs(x)), String(x)).toBeLessThanOrEqual(4);
  });
});

it('raises to powers', () => {
  // The logarithm's error times the exponent: a unit in the last place for each unit of b · ln a.
  for (const [a, b] of [
    [0.002, 1 / 7],
    [80, 1 / 7],
    [2.5, 7],
    [0.3, 0.5],
    [1, 9],
  ] as const)
    expect(ulps(hostPow(a, b), a ** b)).toBeLessThanOrEqual(4 + 4 * Math.abs(b * Math.log(a)));
  expect([hostPow(0, 2), hostPow(0.3, 1), hostPow(0.3, 0), hostPow(0, 0)]).toEqual([0, 0.3, 1, 1]);
});

it('has the limits of each', () => {
  expect([hostExp(1000), hostExp(-1000), hostExp(0), hostExp(Number.NaN)]).toEqual([Infinity, 0, 1, NaN]);
  expect([hostExp(-Infinity), hostExp(Infinity)]).toEqual([0, Infinity]);
  expect([hostLog(0), hostLog(-1), hostLog(Infinity), hostLog(1), hostLog(NaN)]).toEqual([
    -Infinity,
    NaN,
    Infinity,
    0,
    NaN,
  ]);
  expect([hostSin(0), hostCos(0), hostAtan(0), hostAtan(Infinity), hostAtan(-Infinity)]).toEqual([
    0,
    1,
    0,
    Math.PI / 2,
    -Math.PI / 2,
  ]);
});

it('gives the same bits on every engine', () => {
  const values = Float64Array.of(
    hostExp(0.3),
    hostLog(10_000),
    hostPow(80, 1 / 7),
    hostSin(1),
    hostCos(1),
    hostAtan(0.7),
  );
  const bits = [...new BigUint64Array(values.buffer)].map((word) => word.toString(16));
  expect(bits).toEqual([
    '3ff599058c8c1a96',
    '40226bb1bbb55516',
    '3ffdec054fe78580',
    '3feaed548f090cee',
    '3fe14a280fb5068c',
    '3fe38b112d7bd4ad',
  ]);
});
