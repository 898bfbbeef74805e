// The frozen parts of a model, and what its experts are asked with: all must have learned from the same ones.
import type { FileSource } from '@paris/files';
import type { PartRecord } from '../data/encodings.js';
import { assertSamePart, partRecord } from '../encode/parts.js';
import { RunError } from '../errors.js';
import { type ConditionKind, conditionOfRun } from '../train/conditions.js';
import type { AssembleOptions } from './assemble.js';
import type { FinishedRun } from './belonging.js';

/** Where the parts that were given are. */
export function partPlaces({ codec, text }: AssembleOptions): { what: string; store: FileSource; path: string }[] {
  return [codec && { what: 'the codec', ...codec }, text && { what: 'the text encoder', ...text }].flatMap((part) =>
    part ? [{ what: part.what, store: part.store, path: part.folder }] : [],
  );
}

/**
 * The part that the data was encoded with.
 * @throws RunError if it is needed and not given, or given and not needed; DataError if it is another one
 */
export async function neededPart(
  which: 'codec' | 'text',
  wanted: PartRecord | undefined,
  { parts, ...given }: AssembleOptions,
): Promise<PartRecord | undefined> {
  const folder = given[which];
  const [learned, name] = which === 'codec' ? ['latents', 'codec'] : ['features of captions', 'text encoder'];
  if (!wanted && !folder) return undefined;
  if (!wanted) throw new RunError('assemble', `the experts learned no ${learned}. Leave --${which} out.`);
  if (!folder) {
    const what = `the experts learned ${learned}, and the model needs the ${name} that made them`;
    throw new RunError('assemble', `${what}. Give the folder that prepare had: --${which} FOLDER.`);
  }
  const record = await partRecord(folder, which, parts);
  assertSamePart('assemble', which, record, wanted);
  return record;
}

/**
 * What the experts are asked with.
 * @throws RunError if two of them, or an expert and the router, learned different kinds of conditions: a picture has one
 */
export function assertSameConditions(experts: readonly FinishedRun[], router: FinishedRun | undefined): ConditionKind {
  const wanted = conditionOfRun(experts[0]!.record);
  for (const run of router ? [...experts, router] : experts) {
    const kind = conditionOfRun(run.record);
    if (kind === wanted || (run === router && kind === 'none')) continue;
    const what = `${run.name} learned a condition of kind '${kind}', ${experts[0]!.name} of kind '${wanted}'`;
    throw new RunError('assemble', `${what}: one prompt cannot be both. Train them with one --condition.`);
  }
  return wanted;
}
