// One device for a test file, opened before its first test; vitest only, so no part of @paris/tensor/testing.
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, type TestContext } from 'vitest';
import type { Device } from '../device/device.js';

/** Gives each test the file's device, or skips it with its reason where there is no adapter. */
export function useDevice(): (context: TestContext) => Device {
  let device: Device | undefined;
  beforeAll(async () => {
    const { openDevice } = await import('../device/open.js');
    device = await openDevice().catch(() => undefined);
  });
  afterAll(() => device?.close());
  return (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    return device!;
  };
}
