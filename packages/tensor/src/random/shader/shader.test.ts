import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { bareDevice, mapOnDevice } from '../../testing/map-on-device.js';
import { hostBits, hostNormal, hostNormalPair, hostUniform } from '../host.js';
import { key } from '../key.js';
import { bitsAt, bitsBlock, foldInKey, splitKey, uniformAt } from './draws.js';
import { minusTwoLog, normalAt, normalPair, rootParts, turn } from './normal.js';

let device: GPUDevice | undefined;
beforeAll(async () => {
  device = (await bareDevice())?.device;
});
afterAll(() => device?.destroy());

async function words(context: TestContext, count: number, expression: string, externals: Record<string, object>) {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  return mapOnDevice(device!, count, expression, externals);
}
async function floats(context: TestContext, count: number, expression: string, externals: Record<string, object>) {
  return new Float32Array((await words(context, count, `bitcast<u32>(${expression})`, externals)).buffer);
}
const k = key(0x1_2345_6789_abcd);
const wgslKey = `vec2u(${k.words[0]}u, ${k.words[1]}u)`;

describe('the generator on the device is the one on the host', () => {
  it('bits: equal, one at a time and in blocks', async (context) => {
    const expected = hostBits(k, 5000);
    expect(await words(context, 5000, `bitsAt(${wgslKey}, i)`, { bitsAt })).toEqual(expected);
    expect(await words(context, 5000, `bitsBlock(${wgslKey}, i / 4)[i % 4]`, { bitsBlock })).toEqual(expected);
  });

  it('uniforms: equal to the last bit', async (context) => {
    const expected = hostUniform(k, 5000);
    expect(await floats(context, 5000, `uniformAt(${wgslKey}, i)`, { uniformAt })).toEqual(expected);
  });

  it('derived keys: equal', async (context) => {
    const folded = await words(context, 200, `foldInKey(${wgslKey}, i / 2)[i % 2]`, { foldInKey });
    const split = await words(context, 200, `splitKey(${wgslKey}, i / 2)[i % 2]`, { splitKey });
    const expected = k.split(100);
    for (let i = 0; i < 100; i++) {
      expect([...folded.slice(2 * i, 2 * i + 2)]).toEqual(k.foldIn(i).words);
      expect([...split.slice(2 * i, 2 * i + 2)]).toEqual(expected[i]!.words);
    }
  });

  it('normals: within 1e-6', async (context) => {
    const size = 100_000;
    const expected = hostNormal(k, size);
    const one = await floats(context, size, `normalAt(${wgslKey}, i)`, { normalAt });
    expect(worst(one, (i) => expected[i]!)).toBeLessThan(1e-6);
  });
});

describe('its parts against double precision', () => {
  // Steps of a prime reach all of [0, 2³²); the first 4096 values of u₁ and the last are the tails and the centre.
  const scatter = (i: number) => Math.imul(i, 2654435761) >>> 0;
  const count = 200_000;

  it('normals in the far tails, at every angle', async (context) => {
    const z = await floats(context, count, 'normalPair((i & 4095u) << 8u, i * 2654435761u).x', { normalPair });
    expect(worst(z, (i) => hostNormalPair((i & 4095) << 8, scatter(i))[0])).toBeLessThan(7e-7);
    expect(z.reduce((most, value) => Math.max(most, value), 0)).toBeGreaterThan(5.5);
  });

  it('the radius', async (context) => {
    const log = await floats(context, count, 'minusTwoLog(i * 2654435761u)', { minusTwoLog });
    const want = (i: number) => -2 * Math.log(((scatter(i) >>> 8) + 1) / 2 ** 24);
    expect(worst(log, want, (value) => 1 / Math.max(value, 1e-12))).toBeLessThan(1.2e-7); // relative: 2 ulp
    const root = 'rootParts(minusTwoLog(i * 2654435761u))';
    const high = await floats(context, count, `${root}.x`, { minusTwoLog, rootParts });
    const low = await floats(context, count, `${root}.y`, { minusTwoLog, rootParts });
    expect(worst(high, (i) => Math.sqrt(want(i)) - low[i]!)).toBeLessThan(2e-7);
    const [one] = await floats(context, 1, 'rootParts(minusTwoLog(0xffffffffu)).x', { minusTwoLog, rootParts });
    expect(one).toBe(0); // u₁ = 1
  });

  it('the direction', async (context) => {
    const angle = (i: number) => 2 * Math.PI * ((scatter(i) >>> 8) / 2 ** 24);
    const cos = await floats(context, count, 'turn(i * 2654435761u).x', { turn });
    const sin = await floats(context, count, 'turn(i * 2654435761u).y', { turn });
    expect(worst(cos, (i) => Math.cos(angle(i)))).toBeLessThan(1e-7);
    expect(worst(sin, (i) => Math.sin(angle(i)))).toBeLessThan(1e-7);
  });
});

function worst(got: Float32Array, want: (i: number) => number, weight: (value: number) => number = () => 1): number {
  let most = 0;
  for (let i = 0; i < got.length; i++) {
    most = Math.max(most, Math.abs(got[i]! - want(i)) * weight(want(i))); // stays NaN if one is
  }
  return most;
}
