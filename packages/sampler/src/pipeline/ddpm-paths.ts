// The noise of models that were trained by steps: a chunk of its own.
import { ddpmPathByName, type NoisePath } from '@paris/model';

/** The paths of these names, each once; a name that says none is left out, for the error that lists the known ones. */
export function ddpmPaths(names: readonly string[]): NoisePath[] {
  return [...new Set(names)].flatMap((name) => ddpmPathByName(name) ?? []);
}
