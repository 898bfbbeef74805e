// What the definitions of ops from outside share.
import { ValueError } from '../../errors.js';

/** An op, as `checkOp` takes it. */
export interface OpHandle {
  readonly name: string;
}

/** One T for each name. */
export type Named<Names extends readonly string[], T> = { readonly [K in Names[number]]: T };

export function named<Names extends readonly string[], T>(names: Names, values: readonly T[]): Named<Names, T> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Named<Names, T>;
}

/** Names must be variables of WGSL, and not those of results. */
export function requireNames(op: string, names: readonly string[]): void {
  for (const [i, name] of names.entries()) {
    if (name === 'output' || name === 'cotangent' || names.indexOf(name) < i) {
      throw new ValueError(op, `two things would be called ${name}. Rename the input.`);
    }
    if (!/^[a-z]\w*$/i.test(name)) {
      throw new ValueError(op, `no variable of WGSL can be called ${name}. Rename the input.`);
    }
  }
}
