// A program made ready for the sanitizer.
import type { CompiledKernel } from '../compile/kernel.js';
import type { Program } from '../program/program.js';
import type { Origin } from './finding.js';
import type { Parts } from './parts.js';
import { PARAMETERS, type ProgramText, writeProgram } from './text.js';
import { watchProgram } from './watch.js';

export interface WatchedKernel extends CompiledKernel, ProgramText {
  readonly parts: Parts;
  readonly origin: Origin;
  /** Names of the bindings' variables. */
  readonly names: readonly string[];
  readonly workgroupBytes: number;
  readonly invocations: number;
  readonly subgroupSize: number;
  /** The text as a function of {@link PARAMETERS}. */
  readonly make: (...given: readonly unknown[]) => unknown;
}

export interface KernelOptions {
  readonly subgroupSize: number;
  /** The text of the shader module, and its label. */
  readonly code: string;
  readonly label: string;
}

/** @throws Error (`internal: …`) for what the front end should have refused; EvalError where a page forbids `unsafe-eval` */
export function watchedKernel(
  program: Program,
  parts: Parts,
  { subgroupSize, code, label }: KernelOptions,
): WatchedKernel {
  const watched = watchProgram(program, parts);
  const { bindings, names, workgroupBytes, frameWords } = watched;
  const text = writeProgram(watched, subgroupSize);
  const { workgroupSize } = program.entry;
  const invocations = workgroupSize.reduce((product, size) => product * size, 1);
  return {
    ...text,
    // Nothing here is WebAssembly.
    wasm: new Uint8Array(),
    mode: 'scalar',
    parts,
    workgroupSize,
    bindings,
    names,
    scratchBytes: workgroupBytes + 4 * frameWords * invocations,
    origin: { lines: code.split('\n'), shader: label, entryPoint: program.entry.function.name },
    workgroupBytes,
    invocations,
    subgroupSize,
    make: new Function(...PARAMETERS, text.body) as WatchedKernel['make'],
  };
}
