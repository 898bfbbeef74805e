// What is read of a file is what its hash was of, whatever happened to the file since.
import { memoryStore, sha256 } from '@paris/files';
import { expect, it } from 'vitest';
import { BlockSums } from './checked-file.js';

const size = 3 * 4096 + 17; // three blocks and the beginning of one, which ends inside a word
const whole = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) % 251);

async function checked() {
  const store = memoryStore();
  await store.write('file', whole);
  const sums = new BlockSums(size);
  expect(await sums.pass(store, 'file')).toBe(await sha256(whole));
  const file = sums.checked(store, 'file', () => new Error('changed'));
  const change = async (how: (bytes: Uint8Array) => void) => {
    const bytes = whole.slice();
    how(bytes);
    await store.write('file', bytes);
  };
  return { store, file, change };
}

it.each([
  [0, size],
  [0, 1],
  [4095, 2],
  [4096, 4096],
  [5000, 3001],
  [size - 1, 1],
  [8192, 0],
])('gives the bytes from %d on, %d of them, on a buffer of their own', async (offset, length) => {
  const { file } = await checked();
  const bytes = await file.read('file', { offset, length });
  expect(bytes).toEqual(whole.slice(offset, offset + length));
  expect(bytes.byteOffset).toBe(0);
});

it('sees any byte that changed in a block that is read, and does not mind others', async () => {
  const { file, change } = await checked();
  for (let at = 0; at < size; at += 97) {
    await change((bytes) => {
      bytes[at]! ^= 128;
    });
    const [own, other] = [Math.floor(at / 4096), (Math.floor(at / 4096) + 1) % 4];
    await expect(file.read('file', { offset: 4096 * own + 5, length: 1 })).rejects.toThrow('changed');
    expect(await file.read('file', { offset: 4096 * other + 5, length: 1 })).toHaveLength(1);
  }
});

it('sees changes that a sum of words would not: two equal ones, and two words that changed places', async () => {
  const { file, change } = await checked();
  const changes: ((bytes: Uint8Array) => void)[] = [
    (bytes) => {
      for (const at of [103, 107]) bytes[at]! ^= 128; // the highest bits of neighbours
    },
    (bytes) => bytes.copyWithin(200, 204, 208) && bytes.set(whole.subarray(200, 204), 204),
    (bytes) => bytes.copyWithin(0, 4096, 8192), // a whole block of the same file
    (bytes) => bytes.fill(0, 0, 4096),
  ];
  for (const how of changes) {
    await change(how);
    await expect(file.read('file', { offset: 100, length: 8 })).rejects.toThrow('changed');
  }
});

it('is the same file again when its bytes are', async () => {
  const { file, change } = await checked();
  await change((bytes) => bytes.fill(7));
  await expect(file.read('file')).rejects.toThrow('changed');
  await change(() => undefined);
  expect(await file.read('file')).toEqual(whole);
});
