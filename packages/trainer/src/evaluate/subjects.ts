// What a model is asked to draw so that it can be compared with pictures of the data: their captions, their classes, or nothing.
import { type FileSource, readJson } from '@paris/files';
import { expertFolder, type ModelIndex, presentExperts, readModelIndex } from '@paris/model';
import * as z from 'zod/mini';
import type { DataItem } from '../data/formats.js';
import { type ConditionKind, kindInConfig } from '../train/conditions.js';

const configSchema = z.record(z.string(), z.json());

/** What a model is asked with, and under which name: `prompts`, or `labels` of a model that takes classes. */
export interface Subjects {
  readonly as: 'prompts' | 'labels';
  readonly texts: readonly string[];
  /** Whether there is anything to guide by. */
  readonly guided: boolean;
}

/** What the experts of a model folder take; those that do not say take words. @throws CheckpointError if the first has no config */
export async function modelTakes(
  model: FileSource,
  index: Pick<ModelIndex, 'clusters' | 'absent'>,
): Promise<ConditionKind> {
  const [first] = presentExperts(index);
  return kindInConfig(await readJson(model, `${expertFolder(first!)}/config.json`, configSchema), 'tokens');
}

/**
 * What a model is asked with for each item. A model that takes nothing is asked with empty prompts.
 * @throws CheckpointError if there is no model
 */
export async function subjectsOf(
  model: FileSource,
  items: readonly Pick<DataItem, 'caption' | 'category'>[],
): Promise<Subjects> {
  const kind = await modelTakes(model, await readModelIndex(model, 'the model'));
  if (kind === 'label') return { as: 'labels', texts: items.map(({ category = '' }) => category), guided: true };
  if (kind === 'none') return { as: 'prompts', texts: items.map(() => ''), guided: false };
  return { as: 'prompts', texts: items.map(({ caption }) => caption), guided: true };
}
