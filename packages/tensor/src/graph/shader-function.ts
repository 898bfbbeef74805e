import type { ComputeType } from './dtype.js';

/** A function of WGSL, with all that it calls. */
export interface ShaderFunction {
  /**
   * Declarations of module scope, each after those that it uses, the function itself last. A kernel declares equal texts
   * once, and renames where two functions give one name to different texts.
   */
  readonly declarations: readonly string[];
}

/** A typed function of elements (see shader/fn.ts): one body for all dtypes of its op. */
export interface ElementKernel {
  /** It for operands that are computed in one type and a result that is computed in another. */
  compile(name: string, operands: number, type: ComputeType, result: ComputeType): ShaderFunction;
}

const declared = /\b(?:fn|struct|const|alias|override|var(?:\s*<[^>]*>)?)\s+(\w+)/;

/** The name that a declaration gives. */
export function declaredName(declaration: string): string {
  const name = declared.exec(declaration)?.[1];
  if (name === undefined) throw new Error(`internal: this declares nothing: ${declaration}`);
  return name;
}

/** A declaration with other names in it. */
export function withNames(declaration: string, names: ReadonlyMap<string, string>): string {
  return declaration.replace(/(?<![\w.])[A-Za-z_]\w*/g, (name) => names.get(name) ?? name);
}
