import { expect, it } from 'vitest';
import { compare, picksOf, referenceOf } from './reference.js';
import { ROWS } from './rows.js';

it('a result is refused for one wrong element, also where it is not a number', () => {
  const reference = { out: { size: 4, at: (i) => i }, loss: new Map([[0, 2]]) };
  const picks = { out: [0, 3], loss: [0] };
  expect(compare(reference, picks, { out: [0, 3], loss: [2] }, 1e-6)).toBe(0);
  for (const wrong of [3.1, Number.NaN, undefined]) {
    const check = () => compare(reference, picks, { out: [0, wrong], loss: [2] }, 1e-6);
    expect(check).toThrow(`wrong: out[3] is ${wrong}, must be 3`);
  }
});

it('the two sets of inputs have other answers, and all of a row is looked at', () => {
  const isLong = ({ work, tokens, m }) => work === 'attention' || m > 256 || tokens === 1024;
  // A fresh row is one repetition of a process.
  const rows = ROWS.filter((row) => !row.fresh && !isLong(row));
  for (const row of rows) {
    const expected = referenceOf(row);
    const [first, second] = row.varies.length > 0 ? [expected(0, 0), expected(1, 0)] : [expected(0, 0), expected(0, 1)];
    for (const [name, indices] of Object.entries(picksOf(first, 8))) {
      const at = (output, index) => (output instanceof Map ? output.get(index) : output.at(index));
      const isSame = (index) => at(first[name], index) === at(second[name], index);
      // GELU of what is far below 0 is 0 whatever the inputs are, once in a thousand elements.
      expect(indices.filter((index) => isSame(index) && at(first[name], index) !== 0)).toEqual([]);
      expect(indices.filter(isSame).length).toBeLessThan(indices.length / 2);
    }
  }
});
