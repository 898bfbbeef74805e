// Classes → conditions, for models that take them. Loaded when the first picture of such a model is asked for.
import type { Condition, LabelSet } from '@paris/model';
import { classNumber, unknownClass } from '@paris/model/classes';
import type { Device } from '@paris/tensor';
import type { GenerateOptions } from './options.js';

/** Throws a ValueError with a sentence: handed over, so that this chunk shares nothing with the page's first. */
type Refuse = (what: string) => never;

/**
 * What each picture is to show, as texts.
 * @throws ValueError for options that do not fit the model, or each other
 */
export function subjectsOf(options: GenerateOptions, set: LabelSet | undefined, refuse: Refuse): string[] {
  const { label, labels, count = 1, prompt, prompts } = options;
  if (!set) refuse('a label is given, and this model takes no classes. Give a prompt');
  if ((prompt ?? prompts) !== undefined) refuse('a prompt is given, and this model takes classes. Give a label');
  if (label !== undefined && labels !== undefined) refuse('both label and labels are given. Give one of them');
  if (labels?.length === 0) refuse('labels is an empty list. Give a label at least, or leave labels out');
  if (!(Number.isInteger(count) && count > 0)) refuse(`count is ${count}. Give a whole number from 1 on`);
  return (labels ?? [label ?? '']).flatMap((each) => new Array<string>(count).fill(textOf(each, set)));
}

/** A label as text. Zeros in front keep a number from being the name of another class. */
function textOf(label: number | string, { names = [] }: LabelSet): string {
  let text = String(label);
  const named = () => names.indexOf(text);
  if (typeof label === 'number') while (named() >= 0 && named() !== label) text = `0${text}`;
  return text;
}

/**
 * A condition of kind 'label' with a row for each class, and the unconditional one.
 * @param labels - numbers or names; '' is "anything"
 * @param negatives - what each is guided away from: a class, or '' for "anything"; left out: no unconditional
 * @throws ValueError for a number or a name that is no class
 */
export function encodeLabels(
  device: Device,
  set: LabelSet,
  labels: readonly string[],
  negatives: readonly string[] | undefined,
  refuse: Refuse,
): { condition: Condition; unconditional?: Condition } {
  const encode = (option: string, each: readonly string[]): Condition => {
    const numbers = Uint32Array.from(
      each,
      (label) => classNumber(set, label) ?? refuse(`${option}: ${unknownClass(set, label)}`),
    );
    return { kind: 'label', label: device.tensor(numbers, { shape: [numbers.length], dtype: 'u32' }) };
  };
  const condition = encode('label', labels);
  return negatives === undefined ? { condition } : { condition, unconditional: encode('negativePrompt', negatives) };
}
