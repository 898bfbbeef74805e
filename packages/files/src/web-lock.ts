// A lock of the Web Locks API as a `FileLock`: it holds between the tabs of an origin, and ends with the page.
import { FileLockedError } from './errors.js';
import type { FileLock } from './stores/store.js';

/** What is used of `navigator.locks`; types for it are not everywhere. */
export interface WebLocks {
  request(name: string, how: { ifAvailable: true }, run: (lock: unknown) => Promise<void>): Promise<void>;
}

/** @throws FileLockedError with this message if somebody has it */
export function webLock(locks: WebLocks, name: string, refusal: string): Promise<FileLock> {
  return new Promise((resolve, reject) => {
    const held = locks.request(name, { ifAvailable: true }, async (lock) => {
      if (!lock) throw new FileLockedError('store', refusal);
      await new Promise<void>((free) => {
        const release = async () => {
          free();
          await held;
        };
        resolve({ release });
      });
    });
    held.catch(reject);
  });
}
