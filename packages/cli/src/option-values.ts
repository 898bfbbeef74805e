// What options take, as text from the command line: numbers within bounds, seeds, bytes, names of policies.
import { parseRoutingPolicy } from '@paris/router/options';
import { InvalidArgumentError } from 'commander';
import { sentence } from './failure.js';

/** A number within bounds. */
export function number(bounds: {
  min?: number;
  /** It is more than that. */
  above?: number;
  max?: number;
  whole?: boolean;
}): (text: string) => number {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, whole = false } = bounds;
  const { above = Number.NEGATIVE_INFINITY } = bounds;
  return (text) => {
    const value = Number(text);
    const kind = whole ? 'a whole number' : 'a number';
    if (text.trim() === '' || !Number.isFinite(value) || (whole && !Number.isInteger(value))) {
      throw new InvalidArgumentError(`It is not ${kind}.`);
    }
    if (value <= above) throw new InvalidArgumentError(`It must be ${kind} above ${above}.`);
    if (value < min) throw new InvalidArgumentError(`It must be ${kind} from ${min} on.`);
    if (value > max) throw new InvalidArgumentError(`It must be ${kind} up to ${max}.`);
    return value;
  };
}

/** A text with something in it. */
export function some(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

/** What a function of the library makes of the text. */
export function parsed<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(sentence(error));
    }
  };
}

/** Whole numbers from `min` on, as far as they are exact. */
export const whole = (min: number): ((text: string) => number) =>
  number({ min, max: Number.MAX_SAFE_INTEGER, whole: true });

/** Bytes, with a unit: `2GB`, `1.5GiB`, `800MB`. */
export function bytes(text: string): number {
  const [, number, prefix = '', binary] = /^(\d+(?:\.\d+)?) ?(?:([kMGT])(i)?)?B$/i.exec(text) ?? [];
  const power = ' kmgt'.indexOf(prefix.toLowerCase() || ' ');
  const count = Math.floor(Number(number) * (binary ? 1024 : 1000) ** power);
  if (count > 0 && Number.isSafeInteger(count)) return count;
  throw new InvalidArgumentError('Write a number of bytes with its unit: 2GB, 1.5GiB, 800MB.');
}

/** A seed, the same for all commands: what `key()` of `@paris/tensor` takes. */
export const seed: (text: string) => number = whole(0);

/** The name of a routing policy. */
export const policyName: (text: string) => string = parsed((text) => {
  parseRoutingPolicy(text);
  return text;
});
