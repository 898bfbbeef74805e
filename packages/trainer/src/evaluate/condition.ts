// Whether pictures show what their captions ask for, by a classifier that was trained on the real ones.
import { ridgeClassifier } from '@paris/clustering';
import type { Key } from '@paris/tensor';
import { categoriesOf } from '../data/items.js';
import { mean } from '../mean.js';
import { bootstrapMean, type Interval } from './intervals.js';
import type { RealPictures } from './real-pictures.js';

/** How often a classifier of real pictures names the category that was asked for. */
export interface ConditionAccuracy {
  /** Categories of the training pictures. */
  categories: number;
  /** Of drawn pictures, with the 95 % bootstrap interval over them. */
  drawn: number;
  interval: Interval;
  /** Of the held-out pictures themselves: no model can be expected to do better. */
  heldOut: number;
  /** Share of the largest category among what was drawn: what always naming it would score. */
  majority: number;
}

/**
 * A ridge classifier of the categories, trained on the features of the training pictures. Undefined where they have fewer
 * than two categories, or a picture has none.
 * @param drawn - features of drawn pictures, [M, D]
 * @param rows - the held-out picture whose caption each of them was drawn for, [M]
 */
export async function conditionAccuracy(
  { encoder, train, test, learned, heldOut }: RealPictures,
  drawn: Float32Array,
  rows: readonly number[],
  key: Key,
): Promise<ConditionAccuracy | undefined> {
  const [labels, wanted] = [await categoriesOf(train.items), await categoriesOf(test.items)];
  const categories = new Set(labels).size;
  if (categories < 2 || labels.includes(undefined) || wanted.includes(undefined)) return undefined;
  const classifier = ridgeClassifier(learned, labels as string[], encoder.dimensions);
  const right = (features: Float32Array, answers: readonly (string | undefined)[]) =>
    Array.from(classifier.classify(features), (k, i) => (classifier.classes[k] === answers[i] ? 1 : 0));
  const asked = rows.map((row) => wanted[row]);
  const ofDrawn = right(drawn, asked);
  const counts = classifier.classes.map((name) => asked.filter((category) => category === name).length);
  return {
    categories,
    drawn: mean(ofDrawn),
    interval: bootstrapMean(ofDrawn, key),
    heldOut: mean(right(heldOut, wanted)),
    majority: Math.max(...counts) / asked.length,
  };
}
