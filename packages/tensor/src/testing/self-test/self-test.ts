// Compares what a device computes with what @paris/cpu computes, which has the same bits on every machine.
import type { Device } from '../../device/device.js';
import type { DeviceInfo } from '../../device/info.js';
import { openDevice } from '../../device/open.js';
import { isFloat } from '../../graph/dtype.js';
import type { Tensor } from '../../tensor.js';
import { type KernelFamily, kernelFamilies } from './families.js';

/** What came of one family of kernels. */
export interface FamilyResult {
  readonly name: string;
  readonly ok: boolean;
  /** How many numbers were compared. */
  readonly compared: number;
  /** The largest |difference| / (1 + |expected|); null where one is NaN and the other is not, or nothing was compared. */
  readonly largestError: number | null;
  readonly bound: number;
  /** Where the largest error is, or the error that ended the family. */
  readonly worst?: string;
  /** Why it was left out. */
  readonly skipped?: string;
  /** Which kernel of several the adapter was given. */
  readonly kernel?: string;
}

/** A report to attach to an issue. */
export interface SelfTestReport {
  readonly format: 'paris-self-test';
  readonly ok: boolean;
  readonly device: DeviceInfo;
  /** What runs the program: a browser's or runtime's name. */
  readonly runtime: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly families: readonly FamilyResult[];
}

/** What is tested, and who hears of it. */
export interface SelfTestOptions {
  /** Default: all. */
  readonly families?: readonly KernelFamily[];
  /** Called after each family. */
  readonly onResult?: (result: FamilyResult) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs each family of kernels, with the kernels that this device's adapter is given, and compares the results with those of
 * the CPU device. A family that fails, in whatever way, is a result like any other; the next one is tried.
 *
 * @example
 * const report = await selfTest(device, { onResult: ({ name, ok }) => console.log(ok ? 'ok' : 'FAILED', name) });
 */
export async function selfTest(device: Device, options: SelfTestOptions = {}): Promise<SelfTestReport> {
  const { families = kernelFamilies, onResult, signal } = options;
  const reference = await openDevice({ require: 'cpu' });
  const results: FamilyResult[] = [];
  try {
    for (const family of families) {
      signal?.throwIfAborted();
      const result = await compareFamily(family, device, reference);
      results.push(result);
      onResult?.(result);
    }
  } finally {
    await reference.close();
  }
  return {
    format: 'paris-self-test',
    ok: results.every(({ ok }) => ok),
    device: device.info,
    runtime: (globalThis.navigator as Navigator | undefined)?.userAgent ?? 'unknown',
    limits: limitsOf(device),
    families: results,
  };
}

async function compareFamily(family: KernelFamily, device: Device, reference: Device): Promise<FamilyResult> {
  const { name, bound } = family;
  const kernel = family.kernel?.(device);
  const about = { name, bound, ...(kernel !== undefined && { kernel }) };
  const skipped = family.lacks?.(device);
  if (skipped) return { ...about, ok: true, compared: 0, largestError: null, skipped };
  try {
    const [actual, expected] = [family.results(device), family.results(reference)];
    await Promise.all([device.run(actual), reference.run(expected)]);
    const found = new Largest(bound);
    for (const [part, tensor] of Object.entries(actual)) await found.compare(part, tensor, expected[part]!);
    return { ...about, ...found.result() };
  } catch (error) {
    const worst = error instanceof Error ? error.message : String(error);
    return { ...about, ok: false, compared: 0, largestError: null, worst };
  }
}

/** The element that is furthest off, for its bound. */
class Largest {
  private compared = 0;
  private error = 0;
  private worst: string | undefined;
  private ok = true;

  constructor(private readonly bound: number) {}

  async compare(part: string, actual: Tensor, expected: Tensor): Promise<void> {
    const [a, e] = [await actual.read(), await expected.read()];
    if (a.length !== e.length) throw new Error(`${part} has ${a.length} elements, not ${e.length}.`);
    const bound = isFloat(actual.dtype) ? this.bound : 0;
    this.compared += a.length;
    for (let i = 0; i < a.length; i++) {
      const [x, y] = [Number(a[i]), Number(e[i])];
      if (Object.is(x, y) || x === y) continue;
      const error = Math.abs(x - y) / (1 + Math.abs(y));
      if (!(error <= bound)) this.ok = false;
      // NaN is larger than any error.
      if (Number.isNaN(this.error) || error <= this.error) continue;
      this.error = error;
      this.worst = `${part}, element ${i}: ${x}, on the CPU ${y}`;
    }
  }

  result(): Pick<FamilyResult, 'ok' | 'compared' | 'largestError' | 'worst'> {
    const { ok, compared, error, worst } = this;
    const largestError = Number.isFinite(error) ? error : null;
    return { ok: ok && compared > 0, compared, largestError, ...(worst !== undefined && { worst }) };
  }
}

/** The adapter's limits on compute: its object has them on its prototype. */
function limitsOf({ gpu }: Device): Record<string, number> {
  const names = [
    'maxBufferSize',
    'maxStorageBufferBindingSize',
    'maxStorageBuffersPerShaderStage',
    'maxComputeWorkgroupStorageSize',
    'maxComputeInvocationsPerWorkgroup',
    'maxComputeWorkgroupSizeX',
    'maxComputeWorkgroupsPerDimension',
  ] as const;
  return Object.fromEntries(names.map((name) => [name, gpu.limits[name]]));
}
