import { expect, it } from 'vitest';
import { hostBits, hostNormal, hostNormalPair, hostUniform } from './host.js';
import { key } from './key.js';
import { philox4x32 } from './philox.js';

it('takes word i mod 4 of counter block ⌊i / 4⌋, whatever the size', () => {
  const k = key(5);
  const bits = hostBits(k, 11);
  for (let i = 0; i < 11; i++) expect(bits[i]).toBe(philox4x32([i >> 2, 0, 0, 0], k.words)[i % 4]);
  expect(hostBits(k, 6)).toEqual(bits.slice(0, 6));
  expect(hostNormal(k, 7)).toEqual(hostNormal(k, 100).slice(0, 7));
  expect(hostNormal(k, 0)).toHaveLength(0);
});

it('uniforms are the upper 24 bits', () => {
  const bits = hostBits(key(1), 1000);
  hostUniform(key(1), 1000).forEach((u, i) => {
    expect(u * 2 ** 24).toBe(bits[i]! >>> 8);
  });
});

it('agrees with the library functions of the engine to 1e-14', () => {
  const edges = [0, 255, 256, 0xffffffff, 0x80000000, 0x5a8279ff, 0xb504f300, ...hostBits(key(2), 2000)];
  let worst = 0;
  edges.forEach((bits0, i) => {
    const bits1 = edges[edges.length - 1 - i]!;
    const radius = Math.sqrt(-2 * Math.log(((bits0 >>> 8) + 1) / 2 ** 24));
    const angle = 2 * Math.PI * ((bits1 >>> 8) / 2 ** 24);
    const [x, y] = hostNormalPair(bits0, bits1);
    worst = Math.max(worst, Math.abs(x - radius * Math.cos(angle)), Math.abs(y - radius * Math.sin(angle)));
  });
  expect(worst).toBeLessThan(1e-14);
});

it('normals have the moments and the distribution of a standard normal', () => {
  const size = 200_000;
  const z = hostNormal(key(11), size);
  const moment = (power: number) => z.reduce((sum, value) => sum + value ** power, 0) / size;
  // Standard errors: 1/√n, √(2/n), √(15/n), √(96/n): 0.0022, 0.0032, 0.0087, 0.022. Bounds are 4 of them.
  expect(Math.abs(moment(1))).toBeLessThan(0.009);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(0.013);
  expect(Math.abs(moment(3))).toBeLessThan(0.035);
  expect(Math.abs(moment(4) - 3)).toBeLessThan(0.09);
  // Neighbours, the two of a pair among them, are uncorrelated.
  let correlation = 0;
  for (let i = 1; i < size; i++) correlation += z[i]! * z[i - 1]!;
  expect(Math.abs(correlation / size)).toBeLessThan(0.009);
  // The distribution function at a few points, within 4 binomial standard errors (0.0045 at most).
  for (const [x, p] of [
    [-1.6449, 0.05],
    [-0.6745, 0.25],
    [0, 0.5],
    [1.2816, 0.9],
    [2.3263, 0.99],
  ] as const) {
    expect(Math.abs(z.filter((value) => value < x).length / size - p)).toBeLessThan(0.0045);
  }
});

it('gives the same bytes in every engine: pinned', () => {
  expect([...new Uint32Array(hostNormal(key(2024), 6).slice().buffer)]).toMatchInlineSnapshot(`
    [
      3186586190,
      1065317271,
      1042028694,
      1035267722,
      3215687412,
      1058153646,
    ]
  `);
});
