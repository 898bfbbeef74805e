import { expect, it } from 'vitest';
import { KnownKernels } from './known-kernels.js';

const kernelOf = (bytes: number) => ({
  kernel: {
    wasm: new Uint8Array(bytes),
    workgroupSize: [1, 1, 1],
    bindings: [],
    scratchBytes: 0,
    mode: 'lanes',
  } as const,
  workgroupBytes: 0,
});

it('calls a text sound if it was said so, not since it has kernels: those with warnings have some', () => {
  const known = new KnownKernels();
  known.addKernel('a', 'main', kernelOf(1));
  expect(known.isSound('a')).toBe(false);
  known.addSound('a');
  expect([known.isSound('a'), known.kernel('a', 'main') !== undefined]).toEqual([true, true]);
});

it('forgets the texts used longest ago, with their kernels, where they are too many bytes', () => {
  const known = new KnownKernels(undefined, 100);
  const has = (text: string) => known.kernel(text, 'main') !== undefined;
  known.addKernel('a', 'main', kernelOf(30));
  known.addKernel('b', 'main', kernelOf(30));
  expect(known.kernel('a', 'main')).toBeDefined(); // 35 bytes, and used last
  known.addKernel('c', 'main', kernelOf(30));
  expect(['a', 'b', 'c'].map(has)).toEqual([true, false, true]);
  known.addSound('d');
  known.addKernel('d', 'main', kernelOf(90)); // by itself
  expect(['a', 'c', 'd'].map(has)).toEqual([false, false, true]);
  known.addKernel('e', 'main', kernelOf(1000)); // more than all: kept until the next one comes
  expect(known.kernel('e', 'main')).toBeDefined();
  known.addSound('f');
  expect(known.kernel('e', 'main')).toBeUndefined();
});
