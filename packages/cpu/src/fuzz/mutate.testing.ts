// Mutations of a program's text.
import type { Random } from './random.testing.js';

const TOKEN = /\s+|0x[0-9a-f]+[ui]?|\d+(?:\.\d+)?[uif]?|\w+|&&|\|\||<<|>>|[<>=!+\-*/%&|^]=|\+\+|--|./g;
/** Tokens that are exchanged for each other: most programs stay valid. */
const CLASSES: readonly (readonly string[])[] = [
  ['+', '-', '*', '/', '%', '&', '|', '^'],
  ['<<', '>>'],
  ['<', '<=', '>', '>=', '==', '!='],
  ['&&', '||'],
  ['+=', '-=', '*=', '^=', '|=', '&=', '/=', '%='],
  ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'i', 'group', 'local', 'zero', 'izero', 'mine'],
  // Not of several components: Dawn has the language feature swizzle_assignment, which this device does not claim.
  ['x', 'y', 'z', 'w', 'r'],
  ['min', 'max', 'dot', 'step'],
  ['abs', 'sign', 'floor', 'round', 'trunc', 'ceil', 'fract', 'countOneBits', 'reverseBits', 'firstLeadingBit'],
  ['u32', 'i32', 'f32', 'bool', 'vec2u', 'vec3i', 'vec4f', 'vec3'],
  ['break', 'continue', 'return'],
  ['var', 'let', 'const'],
  ['any', 'all'],
];
const NUMBERS = [
  '0u',
  '1u',
  '31u',
  '32u',
  '0xffffffffu',
  '-1i',
  '2147483647i',
  '0.0f',
  '1.5f',
  '7',
  '3.5',
  '4294967296',
];

/** The program itself. */
export function unmarked(text: string): string {
  return text.replace(/[«»]/g, '');
}

/**
 * Changes a token or two between the marked parts, each for one of its class. The result ends, and stays within its
 * arrays, if it compiles.
 */
export function mutateTokens(text: string, random: Random): string {
  const parts = text.split(/(«[^»]*»)/).flatMap((part) => (part.startsWith('«') ? [part] : (part.match(TOKEN) ?? [])));
  const classOf = (token: string) => (/^\d/.test(token) ? NUMBERS : CLASSES.find((tokens) => tokens.includes(token)));
  const places = parts.flatMap((part, at) => (classOf(part) ? [at] : []));
  for (let n = random.below(2); n >= 0 && places.length > 0; n--) {
    const at = random.pick(places);
    parts[at] = random.pick(classOf(parts[at]!) ?? [parts[at]!]);
  }
  return unmarked(parts.join(''));
}

/** Removes, repeats or moves tokens anywhere. The result may be anything. */
export function mutateAnywhere(text: string, random: Random): string {
  const tokens = unmarked(text).match(TOKEN)!;
  for (let n = random.below(3); n >= 0; n--) {
    const [at, from] = [random.below(tokens.length), random.below(tokens.length)];
    tokens.splice(at, random.below(2), ...tokens.slice(from, from + random.below(2)));
  }
  return tokens.join('');
}
