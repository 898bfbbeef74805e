import { ValueError } from './errors.js';

/**
 * Checks an option that is one of some names, for callers whose types nobody checks: another name would be taken for one of them.
 * @param tag - what was called
 * @param name - the option
 * @throws ValueError that lists the names
 */
export function checkName(tag: string, name: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  throw new ValueError(tag, `${name} is "${value}". Give ${known.map((each) => `"${each}"`).join(' or ')}.`);
}
