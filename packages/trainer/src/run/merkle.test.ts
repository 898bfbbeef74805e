import { describe, expect, it } from 'vitest';
import { merklePath, merkleRoot, rootByPath } from './merkle.js';

const entry = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const entries = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(entry);

describe('merkle tree', () => {
  // The vectors that implementations of RFC 6962 share (google/certificate-transparency).
  it.each([
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('has the root of RFC 6962 for %i entries', async (count, root) => {
    expect(await merkleRoot(entries.slice(0, count))).toBe(root);
  });

  it('shows each entry of lists of 1 to 8 without the others', async () => {
    for (let count = 1; count <= 8; count++) {
      const list = entries.slice(0, count);
      const root = await merkleRoot(list);
      for (let index = 0; index < count; index++) {
        const path = await merklePath(list, index);
        expect(path.length).toBeLessThanOrEqual(3);
        expect(await rootByPath(list[index]!, { index, count, path })).toBe(root);
        expect(await rootByPath(entry('ff'), { index, count, path })).not.toBe(root);
        expect(await rootByPath(list[index]!, { index: index + 1, count, path })).not.toBe(root);
        expect(await rootByPath(list[index]!, { index, count, path: [...path, root] })).toBeUndefined();
      }
    }
  });

  it('has no root for no entry', async () => {
    await expect(merkleRoot([])).rejects.toThrow(RangeError);
  });
});
