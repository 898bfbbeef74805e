import { describe, expect, it } from 'vitest';
import { ModuleBuilder } from '../../wasm/module.js';
import { mathFunction } from './math.js';

const count = 4096;

/** A function over arrays: x at 0, y behind it, results behind those. */
function overArrays(name: string): (x: Float32Array, y?: Float32Array) => Float32Array {
  const module = new ModuleBuilder({ initial: 4, maximum: 4, shared: false });
  const fn = mathFunction(module, name);
  const run = module.function([], [], 'run');
  const i = run.local('i32');
  const again = run.begin('loop');
  run.get(i);
  for (let k = 0; k < fn.parameters.length; k++) run.get(i).memory('v128.load', k * count * 4);
  run.call(fn).memory('v128.store', 2 * count * 4);
  run
    .get(i)
    .i32(16)
    .op('i32.add')
    .tee(i)
    .i32(count * 4)
    .op('i32.lt_u')
    .brIf(again)
    .end();
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { env: { memory } });
  return (x, y) => {
    new Float32Array(memory.buffer).set(x);
    if (y) new Float32Array(memory.buffer, count * 4).set(y);
    (instance.exports.run as () => void)();
    return new Float32Array(memory.buffer, 2 * count * 4, x.length).slice();
  };
}

/** One unit in the last place of f32 at x. */
function ulp(x: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(x) || 2 ** -126)));
  return 2 ** (exponent - 23);
}

/** Numbers of every exponent in a range of them, with random mantissas from a small generator. */
function spread(from: number, to: number, signed: boolean): Float32Array {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => {
    const magnitude = 2 ** (from + Math.floor(random() * (to - from))) * (1 + random());
    return signed && random() < 0.5 ? -magnitude : magnitude;
  });
}

/** Worst error in units of the last place, of results that are finite in f32. */
function worst(results: Float32Array, exact: (i: number) => number): number {
  let most = 0;
  results.forEach((result, i) => {
    const value = exact(i);
    if (!Number.isFinite(Math.fround(value)) || Math.abs(value) >= 2 ** 128) {
      if (!Object.is(result, Math.fround(value))) most = Infinity;
      return;
    }
    most = Math.max(most, Math.abs(result - value) / ulp(value));
  });
  return most;
}

describe('functions of one number, against float64', () => {
  const table: [name: keyof Math & string, from: number, to: number, signed: boolean, ulps: number][] = [
    ['exp', -30, 6, true, 2],
    ['log', -149, 127, false, 2],
    ['log2', -149, 127, false, 3],
    ['sin', -60, 6, true, 2],
    ['cos', -60, 6, true, 2],
    ['tan', -60, 6, true, 4],
    ['sin', 6, 27, true, 2],
    ['cos', 6, 27, true, 2],
    ['tanh', -60, 6, true, 3],
    ['sinh', -60, 6, true, 4],
    ['cosh', -60, 6, true, 4],
    ['asin', -60, -1, true, 3],
    ['asin', -1, 0, true, 3],
    ['acos', -60, -1, true, 3],
    ['acos', -1, 0, true, 3],
    ['atan', -60, 60, true, 3],
    ['asinh', -60, 60, true, 4],
    ['acosh', 0, 60, false, 4],
    ['atanh', -60, -1, true, 4],
    ['atanh', -1, 0, true, 4],
  ];
  it.each(table)('%s for exponents from %i to %i', (name, from, to, signed, ulps) => {
    const x = spread(from, to, signed);
    const exact = Math[name] as (x: number) => number;
    const error = worst(overArrays(name)(x), (i) => exact(x[i]!));
    expect(error).toBeLessThanOrEqual(ulps);
  });

  it('exp2: whole powers are exact, subnormal ones too', () => {
    const x = Float32Array.from({ length: 280 }, (_, i) => i - 150);
    const results = overArrays('exp2')(x);
    expect([...results]).toEqual([...x].map((n) => Math.fround(2 ** n)));
    const y = spread(-30, 7, true);
    expect(worst(overArrays('exp2')(y), (i) => 2 ** y[i]!)).toBeLessThanOrEqual(2);
  });
});

describe('edges', () => {
  const edges: [string, number, number][] = [
    ['exp', 0, 1],
    ['exp', -Infinity, 0],
    ['exp', Infinity, Infinity],
    ['exp', 88.8, Infinity],
    ['exp', NaN, NaN],
    ['log', 0, -Infinity],
    ['log', -0, -Infinity],
    ['log', -1, NaN],
    ['log', Infinity, Infinity],
    ['log', 1, 0],
    ['log2', 8, 3],
    ['log2', 2 ** -149, -149],
    ['sin', Infinity, NaN],
    ['sin', -0, -0],
    ['cos', 0, 1],
    ['tanh', Infinity, 1],
    ['tanh', -Infinity, -1],
    ['tanh', -0, -0],
    ['tanh', NaN, NaN],
    ['sinh', -Infinity, -Infinity],
    ['cosh', -Infinity, Infinity],
    ['asin', 1.5, NaN],
    ['asin', 1, Math.fround(Math.PI / 2)],
    ['acos', 1, 0],
    ['acos', -1, Math.fround(Math.PI)],
    ['atan', -Infinity, Math.fround(-Math.PI / 2)],
    ['acosh', 0.5, NaN],
    ['acosh', 1, 0],
    ['acosh', Infinity, Infinity],
    ['asinh', -Infinity, -Infinity],
    ['asinh', -0, -0],
    ['atanh', 1, Infinity],
    ['atanh', -1, -Infinity],
    ['atanh', 2, NaN],
  ];
  it.each(edges)('%s(%d) is %d', (name, x, value) => {
    expect(overArrays(name)(new Float32Array([x]))[0]).toBe(value);
  });
});

describe('functions of two numbers', () => {
  it('pow over all exponents', () => {
    const x = spread(-20, 20, false);
    const y = spread(-6, 3, true);
    expect(worst(overArrays('pow')(x, y), (i) => x[i]! ** y[i]!)).toBeLessThanOrEqual(1);
  });

  const powers: [number, number, number][] = [
    [-2, 9, -512],
    [-2, 8, 256],
    [-2, 0.5, NaN],
    [-2, -1, -0.5],
    [0, 3, 0],
    [-0, 3, -0],
    [0, 0, 1],
    [0, -1, Infinity],
    [-0, -1, -Infinity],
    [Infinity, 2, Infinity],
    [Infinity, -2, 0],
    [-Infinity, 3, -Infinity],
    [1, Infinity, 1],
    [NaN, 0, 1],
    [NaN, 1, NaN],
    [2, NaN, NaN],
    [2, 127, 2 ** 127],
    [2, 128, Infinity],
    [2, -149, 2 ** -149],
  ];
  it.each(powers)('pow(%d, %d) is %d', (x, y, value) => {
    expect(overArrays('pow')(new Float32Array([x]), new Float32Array([y]))[0]).toBe(value);
  });

  it('atan2 in all quadrants, on the axes, and at infinity', () => {
    const ends = [0, -0, 1, -1, 1e-30, -1e30, Infinity, -Infinity];
    const pairs = ends.flatMap((y) => ends.map((x) => [y, x] as const));
    const y = Float32Array.from(pairs, ([first]) => first);
    const x = Float32Array.from(pairs, ([, second]) => second);
    const results = overArrays('atan2')(y, x);
    results.forEach((result, i) => {
      const exact = Math.atan2(y[i]!, x[i]!);
      expect(Math.abs(result - exact), `atan2(${y[i]}, ${x[i]})`).toBeLessThanOrEqual(3 * ulp(exact));
      expect(Object.is(Math.sign(result), Math.sign(Math.fround(exact)))).toBe(true);
    });
  });
});
