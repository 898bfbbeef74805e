/** The classes of a model that takes classes in place of prompts: their names and numbers. An entry of its own, which few pages load. */
import type { LabelSet } from './labels.js';

/** A name for each class, in the order of their numbers; where the model lists none, the number. */
export function classNames({ classes, names }: LabelSet): readonly string[] {
  return names ?? Array.from({ length: classes }, (_, i) => String(i));
}

/**
 * The number of a class, of data and of prompts alike.
 * @param label - all its names as they are listed, which come before numbers, since names may be digits; its number; or one of its
 *   names or all, in any case. '' is "anything"
 * @returns the number of classes for "anything"; undefined if there is no such class
 */
export function classNumber({ classes, names = [] }: LabelSet, label: string): number | undefined {
  if (label === '') return classes;
  const listed = names.indexOf(label.trim());
  if (listed >= 0 && listed < classes) return listed;
  const wanted = label.trim().toLowerCase();
  if (/^\d+$/.test(wanted) && Number(wanted) < classes) return Number(wanted);
  const isNamed = (all: string) => [all, ...all.split(',')].some((name) => name.trim().toLowerCase() === wanted);
  const found = names.findIndex(isNamed);
  return found >= 0 && found < classes ? found : undefined;
}

/** What to say of a label that is no class, without the full stop at the end. */
export function unknownClass({ classes, names }: LabelSet, label: string): string {
  const named = names ? `, or one of its names, such as ${JSON.stringify(names[0])}` : '';
  return `there is no class ${JSON.stringify(label)}. Give a number from 0 to ${classes - 1}${named}`;
}
