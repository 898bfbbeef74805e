// What the experts of a model folder are asked with, as its card says it.
import type { FileSource } from '@paris/files';
import type { ModelIndex } from '@paris/model';
import { modelTakes } from '../evaluate/subjects.js';
import type { ConditionKind } from '../train/conditions.js';

/**
 * What the experts of a model take: words only if it has a list of them. Undefined where nothing says it.
 * @throws CheckpointError if the config of its first expert is missing or no JSON
 */
export async function readCardCondition(
  model: FileSource,
  index: Pick<ModelIndex, 'clusters' | 'absent'>,
): Promise<ConditionKind | undefined> {
  const kind = await modelTakes(model, index);
  return kind !== 'tokens' || (await model.exists('text/vocabulary.json')) ? kind : undefined;
}
