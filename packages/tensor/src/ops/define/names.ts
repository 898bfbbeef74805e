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

/**
 * WGSL's keywords and reserved words, which no variable has as its name: https://www.w3.org/TR/WGSL/#reserved-words. A plain text,
 * so that pages that define no op of their own are without it.
 */
export const wgslWords =
  'alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop override requires return struct switch true var while NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl implements import inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null nullptr of operator package packoffset partial pass patch pixelfragment precise precision premerge priv protected pub public readonly ref regardless register reinterpret_cast require resource restrict self set shared sizeof smooth snorm static static_assert static_cast std subroutine super target template this thread_local throw trait try type typedef typeid typename typeof union unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield';

/** Where names are those of variables in somebody's WGSL. */
export function requireVariables(op: string, names: readonly string[]): void {
  const word = names.find((name) => wgslWords.split(' ').includes(name));
  if (word !== undefined) throw new ValueError(op, `WGSL keeps the word ${word} for itself. Rename the input.`);
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
