import { expect, it } from 'vitest';
import { longFunctions } from './long-functions.js';

const found = (text: string, most: number) =>
  longFunctions('a.ts', text, most).map(({ line, name, lines }) => `${line} ${name} ${lines}`);

const two = `
/** What it does. */
export function two(): void {
  first();

  // why
  /**
   * at length
   */
  second(); // here
}
`;

it('counts lines of code with the signature and the braces, without blank lines and comments', () => {
  expect(found(two, 3)).toEqual(['3 two 4']);
  expect(found(two, 4)).toEqual([]);
});

it('counts what a function holds for it, too, and finds functions of every kind', () => {
  const text = `
const table = {
  method() {
    return items.map((item) => {
      return item;
    });
  },
  *[Symbol.iterator]() {
    yield 1;
  },
};
const arrow = () => [
  1,
  2,
];
class Box {
  get size() {
    return 1;
  }
}`;
  expect(found(text, 2)).toEqual(['3 method 5', '4 a function 3', '8 [Symbol.iterator] 3', '12 arrow 4', '17 size 3']);
});

it('takes a function with the reason why it is long', () => {
  expect(found(`// long function: it is the text of a worker.\n${two.trimStart()}`, 3)).toEqual([]);
  expect(found(`// long function:\n${two.trimStart()}`, 3)).toEqual(['3 two 4']);
});
