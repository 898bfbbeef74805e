import { expect, it } from 'vitest';
import { philox4x32, type Words4 } from './philox.js';

// Known answers: Random123, tests/kat_vectors, lines "philox4x32 10" (counter, key, expected). The second and third are
// all ones, and digits of π.
const vectors: [Words4, [number, number], Words4][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

it.each(vectors)('philox4x32 of %j under %j', (counter, key, expected) => {
  expect(philox4x32(counter, key)).toEqual(expected);
});

it('multiplies as 64-bit integers do', () => {
  // The same rounds with BigInt, on counters and keys with many carries.
  const mask = 0xffffffffn;
  const reference = (counter: Words4, key: [number, number]) => {
    let x = counter.map(BigInt);
    let [k0, k1] = key.map(BigInt) as [bigint, bigint];
    for (let round = 0; round < 10; round++) {
      const p0 = 0xd2511f53n * x[0]!;
      const p1 = 0xcd9e8d57n * x[2]!;
      x = [(p1 >> 32n) ^ x[1]! ^ k0, p1 & mask, (p0 >> 32n) ^ x[3]! ^ k1, p0 & mask];
      k0 = (k0 + 0x9e3779b9n) & mask;
      k1 = (k1 + 0xbb67ae85n) & mask;
    }
    return x.map(Number);
  };
  let words: Words4 = [1, 2, 3, 4];
  for (let i = 0; i < 300; i++) {
    const key: [number, number] = [words[3], 0xffffffff - i];
    const expected = reference(words, key);
    words = philox4x32(words, key);
    expect(words).toEqual(expected);
  }
});
