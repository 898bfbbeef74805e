// paris doctor --self-test: a line a family, a report, and an exit code.
import { type Device, openDevice } from '@paris/tensor';
import { kernelFamilies, type SelfTestReport } from '@paris/tensor/testing';
import { afterEach, expect, it, vi } from 'vitest';
import { testAdapter } from './commands/doctor.js';
import { createReporter } from './reporter.js';
import { paris } from './testing/paris.js';

afterEach(() => vi.restoreAllMocks());

/** Views, which are right, and a family that gives this number on one device. */
const families = (wrong: Device, value: number) => [
  kernelFamilies.find(({ name }) => name === 'views and concatenation')!,
  {
    name: 'planted',
    bound: 1e-5,
    results: (device: Device) => ({ x: device.tensor([1, device === wrong ? value : 2]).add(0) }),
  },
];

/** The last line with `--json`. */
interface Printed {
  readonly type: string;
  readonly result: SelfTestReport;
}

async function run(json: boolean, value: number) {
  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(line));
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => printed.push(String(line)) > 0);
  const device = await openDevice({ require: 'cpu' });
  const context = { device, reporter: createReporter(json), signal: new AbortController().signal };
  const code = await testAdapter(context, json, families(device, value));
  await device.close();
  return { code, printed };
}

it('prints a line a family and ends with 0 where all are right', async () => {
  const { code, printed } = await run(false, 2);
  expect(code).toBe(0);
  expect(printed.slice(0, 2)).toEqual([
    'ok      views and concatenation, largest error 0.0e+0 of 0.0e+0',
    'ok      planted, largest error 0.0e+0 of 1.0e-5',
  ]);
  expect(printed[2]).toMatch(/^All 2 families of kernels agree with the CPU on Paris on WebAssembly/);
});

it('ends with 1 and says what is wrong', async () => {
  const { code, printed } = await run(false, 5);
  expect(code).toBe(1);
  expect(printed[1]).toBe('FAILED  planted, largest error 1.0e+0 of 1.0e-5: x, element 1: 5, on the CPU 2');
  expect(printed[2]).toMatch(/^1 of 2 families of kernels are wrong on .*--self-test --json/);
});

it('prints a report as JSON', async () => {
  const { code, printed } = await run(true, 5);
  expect(code).toBe(1);
  expect(printed).toHaveLength(1);
  const { type, result: report } = JSON.parse(printed[0]!) as Printed;
  expect(type).toBe('result');
  expect(report).toMatchObject({
    format: 'paris-self-test',
    ok: false,
    device: { vendor: 'paris' },
  });
  expect(report.families.map(({ name, ok }) => [name, ok])).toEqual([
    ['views and concatenation', true],
    ['planted', false],
  ]);
});

it('paris doctor --self-test runs every family', async () => {
  const { code, stdout, stderr } = await paris(['doctor', '--self-test', '--json', '--adapter', 'cpu']);
  expect(code, stderr + stdout).toBe(0);
  const { result: report } = JSON.parse(stdout.trim().split('\n').at(-1)!) as Printed;
  expect(report.ok).toBe(true);
  expect(report.families.map(({ name }) => name)).toEqual(kernelFamilies.map(({ name }) => name));
});
