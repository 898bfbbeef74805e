// For tests of crashes: a store whose process dies, or whose disk is full, at one of its changes.
import type { FileStore } from '@paris/files';

/** What happens at a change that is not made. */
export type End = (method: 'write' | 'append' | 'remove' | 'move') => Promise<void>;

export const dies: End = async () => {
  throw new Error('killed');
};

/**
 * Files that can be changed `touches` times; after that it is as `end` says, for good: no write, rename or removal happens. A
 * write is whole or not there, as every store promises; a line that is appended may be torn. Locks are those of a process that
 * died, which are taken over.
 */
export function dyingStore(files: FileStore, touches: number, end: End = dies): FileStore {
  let left = touches;
  const touch = (method: Parameters<End>[0], change: () => Promise<void>) => (left-- > 0 ? change() : end(method));
  return {
    ...files,
    write: (path, bytes) => touch('write', () => files.write(path, bytes)),
    remove: (path) => touch('remove', () => files.remove(path)),
    move: (from, to) => touch('move', () => files.move(from, to)),
    append: async (path, text) => {
      if (left === 0) await files.append(path, text.slice(0, 9));
      await touch('append', () => files.append(path, text));
    },
    lock: async () => ({ release: async () => {} }),
  };
}
