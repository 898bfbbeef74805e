// Classes by number: of a list that was given, or of the categories that pictures have.
import { byCodeUnit } from '@paris/files';
import type { LabelSet } from '@paris/model';
import { limits } from '@paris/model/transformer';
import { DataError } from '../errors.js';

/**
 * The classes of pictures by their categories. Whole numbers are class numbers themselves, and there are as many classes as the
 * largest says; other categories are numbered in the order of their names, by code unit.
 * @throws DataError if there is none, or more than a table can have
 */
export function classesOf(categories: Iterable<string>): LabelSet {
  const names = [...new Set(categories)].sort(byCodeUnit);
  if (names.length === 0)
    throw new DataError('prepare', 'no picture has a class. Name the column: --columns category=NAME.');
  const numbers = names.every((name) => wholeNumber.test(name)) ? names.map(Number) : undefined;
  const classes = numbers ? numbers.reduce((most, number) => Math.max(most, number), 0) + 1 : names.length;
  if (classes < limits.rows) return { classes, ...(!numbers && { names }) };
  throw new DataError(
    'prepare',
    `there are ${classes} classes, and a table holds ${limits.rows - 1}. Number them from 0.`,
  );
}

const wholeNumber = /^\d{1,9}$/;
