import { expect, it } from 'vitest';
import { ValueError } from '../errors.js';
import { hostUniform } from './host.js';
import { Key, key } from './key.js';

const words = (k: Key) => k.words.join(' ');

it('makes a key of a seed, low word first', () => {
  expect(key(7).words).toEqual([7, 0]);
  expect(key(2 ** 32 + 5).words).toEqual([5, 1]);
  expect(key(Number.MAX_SAFE_INTEGER).words).toEqual([0xffffffff, 0x1fffff]);
});

it('derives keys that are pinned: a change would change every run', () => {
  expect(words(key(0).foldIn(0))).toMatchInlineSnapshot(`"768504805 323543615"`);
  expect(words(key(7).foldIn(2 ** 40 + 3))).toMatchInlineSnapshot(`"113769932 3752062267"`);
  expect(key(7).split(2).map(words)).toMatchInlineSnapshot(`
    [
      "911216622 3377014597",
      "153884223 2889471669",
    ]
  `);
});

it('derives distinct keys by index, by way, and by parent', () => {
  const seen = new Set<string>();
  for (const parent of [key(0), key(1), key(0).foldIn(1)]) {
    seen.add(words(parent));
    for (const child of parent.split(50)) seen.add(words(child));
    for (let i = 0; i < 50; i++) seen.add(words(parent.foldIn(i)));
  }
  expect(seen.size).toBe(3 * 101 - 1); // key(0).foldIn(1) was counted twice
});

it('the i-th of split does not depend on the count', () => {
  expect(key(3).split(8).slice(0, 3)).toEqual(key(3).split(3));
});

it('uniform() is element 0 of the uniform tensor', () => {
  for (let i = 0; i < 20; i++) expect(key(9).foldIn(i).uniform()).toBe(hostUniform(key(9).foldIn(i), 1)[0]);
});

it.each([-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])('refuses %d as a seed or an index', (value) => {
  expect(() => key(value)).toThrow(ValueError);
  expect(() => key(0).foldIn(value)).toThrow(/^\[foldIn\] expected an integer in \[0, 2⁵³\)/);
  expect(() => key(0).split(value)).toThrow(ValueError);
});

it('refuses words that are no u32', () => {
  expect(() => new Key([-1, 0])).toThrow(ValueError);
  expect(() => new Key([0, 2 ** 32])).toThrow(ValueError);
});
