import { expect, it } from 'vitest';
import { classNames, classNumber, unknownClass } from './classes.js';

const fish = { classes: 3, names: ['tench, Tinca tinca', 'goldfish', 'shark'] };

it('classes have their names, or their numbers', () => {
  expect(classNames(fish)).toEqual(['tench, Tinca tinca', 'goldfish', 'shark']);
  expect(classNames({ classes: 3 })).toEqual(['0', '1', '2']);
});

it('a class is found by its number and by each of its names', () => {
  const numbers = ['0', ' 2 ', 'Tench', 'tinca TINCA', 'goldfish', 'tench, Tinca tinca', ''].map((label) =>
    classNumber(fish, label),
  );
  expect(numbers).toEqual([0, 2, 0, 0, 1, 0, 3]);
  for (const none of ['3', '-1', '1.5', 'whale', 'tench, ', ' ']) {
    expect(classNumber(fish, none)).toBeUndefined();
  }
  expect(classNumber({ classes: 3 }, 'shark')).toBeUndefined();
  expect(classNumber({ classes: 1, names: ['one', 'more than there are'] }, 'more than there are')).toBeUndefined();
});

it('a name that is listed comes before a number and before the same name in another case', () => {
  const digits = { classes: 3, names: ['1', '2', '3'] };
  expect(['1', '2', ' 3 ', '0', '02', '4'].map((label) => classNumber(digits, label))).toEqual([
    0,
    1,
    2,
    0,
    2,
    undefined,
  ]);
  expect(classNumber({ classes: 2, names: ['US', 'us'] }, 'us')).toBe(1);
  expect(classNumber({ classes: 1, names: ['one', '0'] }, '0')).toBe(0);
});

it('what is no class is said with what is one', () => {
  expect(unknownClass(fish, 'whale')).toBe(
    'there is no class "whale". Give a number from 0 to 2, or one of its names, such as "tench, Tinca tinca"',
  );
  expect(unknownClass({ classes: 3 }, '9')).toBe('there is no class "9". Give a number from 0 to 2');
});
