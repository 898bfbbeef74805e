// Loops and kernels in two versions: the fast one is only taken where what it assumes is so.
import { describe, expect, it } from 'vitest';
import { execute } from './compile.testing.js';

const declarations = `@group(0) @binding(0) var<storage, read_write> out: array<f32>;
  @group(0) @binding(1) var<storage> a: array<f32>;
  @group(0) @binding(2) var<uniform> p: vec4u;
  @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3u) { let i = id.x;`;

/** Runs a body in both modes, on 24 invocations; fails if they differ. */
function both(body: string, p: readonly number[], count = 24, length = 40): number[] {
  const [scalar, lanes] = (['scalar', 'lanes'] as const).map((mode) => {
    const a = Float32Array.from({ length }, (_, k) => k + 1);
    const buffers = [new Float32Array(count), a, Uint32Array.from(p)];
    const [result] = execute(`${declarations} ${body} }`, { mode, groups: [3, 1, 1], buffers });
    return [...new Float32Array(result!)];
  });
  expect(lanes).toEqual(scalar);
  return lanes!;
}

describe('versions', () => {
  it('reads zeros beyond the end of a binding, whichever turn of a loop reaches it', () => {
    const body = 'var s = 0f; for (var k = 0u; k < p.x; k++) { s += a[i + k * p.y]; } out[i] = s;';
    for (const p of [
      [3, 5, 0, 0],
      [4, 5, 0, 0],
      [9, 7, 0, 0],
      [0, 1, 0, 0],
      [5, 0, 0, 0],
      // Indices that wrap at 2^32 come back to the beginning.
      [3, 0x80000000, 0, 0],
      [6, 0xffffffff, 0, 0],
    ]) {
      const expected = Array.from({ length: 24 }, (_, i) => {
        let sum = 0;
        for (let k = 0; k < p[0]!; k++) {
          const index = (i + Math.imul(k, p[1]!)) >>> 0;
          sum += index < 40 ? index + 1 : 0;
        }
        return sum;
      });
      expect(both(body, p)).toEqual(expected);
    }
  });

  it('counts with sign, down and in steps', () => {
    both('var s = 0f; for (var k = -3; k < i32(p.x); k += 2) { s += a[i32(i) + k]; } out[i] = s;', [9, 0, 0, 0]);
    both('var s = 0f; for (var k = i32(p.x); k >= 0; k--) { s += a[i32(i) + k]; } out[i] = s;', [30, 0, 0, 0]);
    both('var s = 0f; for (var k = p.y; k <= p.x; k += p.z) { s += a[k * 3u + i]; } out[i] = s;', [9, 2, 3, 0]);
  });

  it('clamps, divides and compares lanes that do not agree', () => {
    for (let n = 1; n < 30; n += 3) {
      both('out[i] = a[min(i, p.x)] + a[i / p.y] * 100f + a[i % p.y];', [n, n, 0, 0]);
      both('if (i < p.x) { out[i] = a[i] * 2f; } else { out[i] = -a[i * p.y]; }', [n, 1 + (n % 2), 0, 0]);
      both('for (var k = i; k < p.x; k += p.y) { out[k] = a[k] + 1f; }', [n, 24, 0, 0]);
    }
  });

  it('finds rows and columns of lanes, whether four of them stay in a row or not', () => {
    const every = (body: (row: number, column: number) => number, width: number) =>
      Array.from({ length: 24 }, (_, n) => body(Math.floor(n / width), n % width));
    for (const [width, left] of [
      [12, 4],
      [12, 8],
      [12, 6],
      [8, 4],
      [6, 4],
      [5, 4],
      [4, 1],
      [24, 13],
    ] as const) {
      const place = `let r = row / ${width}u; let c = row - r * ${width}u;`;
      const right = width - left;
      const first = `a[r * ${left}u + min(c, ${left - 1}u)]`;
      const second = `a[r * ${right}u + min(c - ${left}u, ${right - 1}u)]`;
      const joined = every((r, c) => (c < left ? r * left + c + 1 : -(r * right + c - left + 1)), width);
      for (const [start, step] of [
        ['i', '24u'],
        ['p.x * 4u + i', '24u'],
        ['p.x + i', 'p.y'],
      ] as const) {
        const loop = (value: string) =>
          both(`for (var row = ${start}; row < 24u; row += ${step}) { ${place} out[row] = ${value}; }`, [0, 24, 0, 0]);
        expect(loop(`select(-${second}, ${first}, c < ${left}u)`)).toEqual(joined);
        expect(loop(`select(0f, ${first}, c < ${left}u) - select(0f, ${second}, c >= ${left}u)`)).toEqual(joined);
      }
    }
  });

  it('counts from a multiple of four, and on by what is none', () => {
    for (const next of ['row += 6u', 'row += 8u', 'row = row * 3u + 2u', 'row = (row + 8u) / 2u * 2u + 1u']) {
      const body = `for (var row = i; row < 60u; ${next}) { out[i] += a[row / 12u * 3u + row % 12u] + f32(row < 20u); }`;
      both(body, [0, 0, 0, 0]);
    }
    // Sums whose paths are more than anyone can walk.
    both(`var a = i; for (var k = 0u; k < 3u; k++) { ${'a = a + a;'.repeat(50)} } out[i] = f32(a);`, [0, 0, 0, 0]);
  });

  it('keeps to the bounds of an array of the invocation', () => {
    const walk = 'for (var k = 0u; k < p.x; k++) { own[k + 2u] = a[k] + f32(i); own[k - p.y] += 1f; }';
    const sum = 'var s = 0f; for (var k = 0u; k < p.z; k++) { s = s * 2f + own[k + 3u] + own[k - 4u]; } out[i] = s;';
    for (const [turns, back, read] of [
      [5, 0, 5],
      [6, 1, 5],
      [7, 9, 12],
      [40, 3, 40],
      [0, 0, 0],
    ] as const) {
      both(`var own: array<f32, 8>; ${walk} ${sum}`, [turns, back, read, 0]);
    }
  });

  it('counts in each lane from a number of its own', () => {
    const body = 'for (var k = i; k < p.x; k += p.y) { out[k] = out[k] + a[k] * 2f + a[k + p.z] + a[3u * k]; }';
    for (const [end, step, ahead, count] of [
      [24, 24, 0, 24],
      [24, 8, 1, 24],
      [40, 24, 2, 40],
      // Beyond the end of what is written, of what is read, and bounds and steps that fall between lanes.
      [40, 24, 0, 27],
      [40, 24, 9, 40],
      [23, 24, 0, 24],
      [24, 25, 0, 24],
      [0, 24, 0, 24],
    ] as const) {
      both(body, [end, step, ahead, 0], count);
    }
  });

  it('stores nothing beyond the end of a binding', () => {
    for (const count of [1, 3, 4, 7, 22, 23]) both('out[i] = a[i];', [0, 0, 0, 0], count);
    both('for (var k = 0u; k < 5u; k++) { out[i * 1u + k * 4u] = a[k]; }', [0, 0, 0, 0], 21);
  });
});
