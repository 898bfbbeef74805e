// The toy data and one device for a test file; vitest only.
import { type FileStore, memoryStore } from '@paris/files';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { writeToyData } from './toy.js';

/** Toy data and a device, opened before the file's first test. Without an adapter its tests are skipped with that reason. */
export function useToy(): { readonly data: FileStore; readonly device: Device } {
  const data = memoryStore();
  let device: Device | undefined;
  beforeAll(async () => {
    await writeToyData(data);
    device = await openDevice().catch(() => undefined);
  });
  beforeEach((context) => requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter'));
  afterAll(() => device?.close());
  return {
    data,
    get device() {
      return device!;
    },
  };
}
