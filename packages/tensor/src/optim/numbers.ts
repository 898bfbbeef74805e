// What the numbers in options must be, checked where they enter: a NaN that they make shows only steps later.
import { ValueError } from '../errors.js';

/** A condition on a number, with what to give instead. */
export interface NumberRule {
  holds(x: number): boolean;
  readonly wanted: string;
}

export const belowOne: NumberRule = { holds: (x) => x >= 0 && x < 1, wanted: 'a number from 0 to below 1' };
export const share: NumberRule = { holds: (x) => x >= 0 && x <= 1, wanted: 'a number from 0 to 1' };
export const fromZero: NumberRule = {
  holds: (x) => x >= 0 && x < Number.POSITIVE_INFINITY,
  wanted: 'a number from 0 on',
};
export const aboveZero: NumberRule = {
  holds: (x) => x > 0 && x < Number.POSITIVE_INFINITY,
  wanted: 'a number above 0',
};
export const positive: NumberRule = { holds: (x) => x > 0, wanted: 'a number above 0' };
export const wholeFromOne: NumberRule = {
  holds: (x) => Number.isSafeInteger(x) && x >= 1,
  wanted: 'a whole number from 1 on',
};
export const wholeFromZero: NumberRule = {
  holds: (x) => Number.isSafeInteger(x) && x >= 0,
  wanted: 'a whole number from 0 on',
};
export const finite: NumberRule = { holds: Number.isFinite, wanted: 'a finite number' };

/** @throws ValueError, with the name of the first number that does not keep to the rule */
export function requireNumbers(tag: string, numbers: Readonly<Record<string, number>>, rule: NumberRule): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (typeof value === 'number' && rule.holds(value)) continue;
    throw new ValueError(tag, `${name} is ${value}. Give ${rule.wanted}.`);
  }
}
