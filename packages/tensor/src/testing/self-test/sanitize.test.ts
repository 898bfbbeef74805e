// Every family of kernels under the sanitizer, as each kind of adapter is given it: no race, no index out of bounds, nothing
// read before it is written, no dependence on the order of invocations; and right results.
import { thorough } from '@paris/test-tools/thorough';
import { expect, it } from 'vitest';
import { disguises, sanitizedDevice } from '../sanitized.testing.js';
import { kernelFamilies } from './families.js';
import { selfTest } from './self-test.js';

const families = kernelFamilies.filter(({ large }) => !large);
/** Adapters differ in products and attention; wide heads take the sanitizer long. */
const chosen = families.filter(({ kernel, name }) => kernel && !name.includes('72'));

const software = [
  ['lavapipe', 8, chosen],
  ['swiftshader', 4, chosen],
  ['cpu', 4, chosen],
] as const;

it.each([['gpu', 32, families], ...(thorough ? software : software.slice(2))] as const)(
  'the kernels of %s, subgroups of %d',
  async (disguise, subgroupSize, families) => {
    const { device, gpu, findings } = await sanitizedDevice(disguise, subgroupSize);
    expect(device.info.software).toBe(disguises[disguise].isFallbackAdapter);
    const found: string[] = [];
    const report = await selfTest(device, {
      families,
      onResult: ({ name }) => found.push(...findings.splice(0).map(({ message }) => `${name}: ${message}`)),
    });
    await device.close();
    gpu.destroy();
    expect(found).toEqual([]);
    expect(report.families.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.families.reduce((sum, { compared }) => sum + compared, 0)).toBeGreaterThan(5_000);
  },
  600_000,
);
