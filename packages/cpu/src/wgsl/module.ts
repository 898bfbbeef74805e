// The front end's two doors: a text becomes a module with its messages, as createShaderModule needs it; a module becomes the
// program of one entry point with its overrides set, as createComputePipeline needs it.
import type { Program } from '../program/program.js';

/** As in GPUCompilationMessage: lines and columns from 1, offset and length in UTF-16 code units. */
export interface Message {
  readonly type: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly offset: number;
  readonly length: number;
}

/** Why a module has no such program: an unknown entry point, an override without a value, a workgroup size of zero. */
export class ProgramError extends Error {}

/** A module of which all that does not depend on overrides is checked. */
export interface Module {
  /** Errors and warnings, in the order of the text. With an error there are no programs. */
  readonly messages: readonly Message[];
  /** Names of the compute entry points. */
  readonly entryPoints: readonly string[];
  /**
   * The program of an entry point.
   * @param entryPoint - its name; may be left out where there is only one
   * @param constants - values of overrides, by name or by numeric `@id`
   * @throws ProgramError
   */
  program(entryPoint?: string, constants?: Readonly<Record<string, number>>): Program;
}
