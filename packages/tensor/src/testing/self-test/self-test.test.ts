// The kernels that a GPU is given, on the CPU device in disguise, against those of the CPU; and kernels with planted faults.
import { afterEach, expect, it } from 'vitest';
import type { Device } from '../../device/device.js';
import { openDevice } from '../../device/open.js';
import { disguisedGpu, type disguises } from '../sanitized.testing.js';
import { kernelFamilies } from './families.js';
import { type FamilyResult, selfTest } from './self-test.js';

const devices: Device[] = [];
const gpus: GPUDevice[] = [];
afterEach(async () => {
  for (const device of devices.splice(0)) await device.close();
  for (const gpu of gpus.splice(0)) gpu.destroy();
});

/** @param rewrite - changes the text of each shader */
async function open(disguise: keyof typeof disguises, rewrite?: (code: string) => string): Promise<Device> {
  const gpu = await disguisedGpu(disguise, 4);
  gpus.push(gpu);
  if (rewrite) {
    const create = gpu.createShaderModule.bind(gpu);
    gpu.createShaderModule = (descriptor) => create({ ...descriptor, code: rewrite(descriptor.code) });
  }
  const device = await openDevice({ device: gpu });
  devices.push(device);
  return device;
}

it('finds every family right on kernels that are right', async () => {
  const device = await open('gpu');
  const seen: FamilyResult[] = [];
  const report = await selfTest(device, { onResult: (result) => seen.push(result) });
  expect(report.families.filter(({ ok }) => !ok)).toEqual([]);
  expect(report).toMatchObject({ format: 'paris-self-test', ok: true, device: { adapter: 'a GPU', software: false } });
  expect(report.families).toEqual(seen);
  expect(seen.map(({ name }) => name)).toEqual(kernelFamilies.map(({ name }) => name));
  expect(seen.every(({ compared }) => compared > 20)).toBe(true);
  // The GPU's tiles were in it, each of the three, and other kernels than the CPU has.
  const kernels = seen.flatMap(({ kernel }) => kernel ?? []);
  for (const side of [32, 64, 128]) expect(kernels.join()).toContain(`"blockRows":${side}`);
  expect(kernels.join()).toContain('"stagedRows":16');
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

it('names the family whose kernel is wrong, the element, and both numbers', async () => {
  // Workgroup tiles that leave out the first slice of k.
  const device = await open('gpu', (code) => code.replace('for (var k_0 = 0u;', 'for (var k_0 = 16u;'));
  const families = kernelFamilies.filter(
    ({ name }) => name.startsWith('product 35') || name === 'views and concatenation',
  );
  const report = await selfTest(device, { families });
  expect(report.ok).toBe(false);
  const [views, product] = report.families;
  expect(views).toMatchObject({ ok: true, largestError: 0 });
  expect(product).toMatchObject({ ok: false, bound: expect.any(Number), compared: 35 * 67 + 35 * 19 + 19 * 67 });
  expect(product!.largestError).toBeGreaterThan(product!.bound);
  expect(product!.worst).toMatch(/^(ab|da|db), element \d+: -?[\d.e-]+, on the CPU -?[\d.e-]+$/);
});

it('goes on after a family that does not run, or gives NaN', async () => {
  const device = await open('gpu');
  const [first] = kernelFamilies;
  const nan = (value: number) => (of: Device) => ({ x: of.tensor([1, of === device ? value : 2]).add(0) });
  const families = [
    {
      ...first!,
      name: 'throws',
      results: () => {
        throw new Error('no such kernel');
      },
    },
    { ...first!, name: 'NaN', results: nan(Number.NaN) },
    { ...first!, name: 'lacks', lacks: () => 'it has none' },
    { ...first!, name: 'right', results: nan(2) },
    { ...first!, name: 'empty', results: () => ({}) },
  ];
  const { families: results, ok } = await selfTest(device, { families });
  expect(ok).toBe(false);
  expect(results.map(({ name, ok, largestError }) => [name, ok, largestError])).toEqual([
    ['throws', false, null],
    ['NaN', false, null],
    ['lacks', true, null],
    ['right', true, 0],
    ['empty', false, 0],
  ]);
  expect(results[0]!.worst).toBe('no such kernel');
  expect(results[1]!.worst).toBe('x, element 1: NaN, on the CPU 2');
  expect(results[2]!.skipped).toBe('it has none');
});
