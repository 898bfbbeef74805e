// What the pictures of a batch are to show: words, features of captions, classes, or nothing.
import { type Condition, conditionOfTensors, type LabelSet } from '@paris/model';
import { type FloatDType, ValueError } from '@paris/tensor';
import type { BatchDraw } from '../data/batches.js';
import { columnOf, type DataColumns } from '../data/columns.js';
import { decodeUnconditional } from '../data/encodings.js';
import type { DataFormat } from '../data/formats.js';
import { DataError } from '../errors.js';
import { type Json, objectOf, type RunRecord } from '../run/record.js';
import { type ConditionName, conditionNames } from './condition-names.js';
import type { Batch, HostTensor } from './recipe.js';

/** The same as configs and conditions name it. */
export type ConditionKind = Condition['kind'] | 'none';

const kinds: Readonly<Record<ConditionName, ConditionKind>> = {
  words: 'tokens',
  text: 'embeddings',
  label: 'label',
  none: 'none',
};

/** What the data of a training offers to a config: the numbers that a condition is made of. */
export interface ConditionSizes {
  /** Words, padding and the unknown one among them. */
  readonly vocabulary: number;
  readonly maxTokens: number;
  /** Features of captions: tokens a caption, numbers a token. */
  readonly text?: { readonly length: number; readonly width: number } | undefined;
  readonly classes?: LabelSet | undefined;
}

/** @throws ValueError for a name that is none */
export function conditionKind(name: ConditionName): ConditionKind {
  if (Object.hasOwn(kinds, name)) return kinds[name];
  throw new ValueError('train', `there is no condition "${name}". Known: ${conditionNames.join(', ')}.`);
}

/** The richest that was prepared: features of captions, else classes, else words. */
export function defaultCondition({ text, classes }: ConditionSizes): ConditionName {
  if (text) return 'text';
  return classes ? 'label' : 'words';
}

/** What a network's config says that it takes; `fallback` where it does not say. */
export function kindInConfig(config: { readonly [name: string]: Json }, fallback: ConditionKind): ConditionKind {
  const condition = config.condition as { kind?: unknown } | null | undefined;
  return Object.values(kinds).find((kind) => kind === condition?.kind) ?? fallback;
}

/** @throws DataError if the data was prepared without what a condition of this kind is made of */
export function assertOffers(kind: ConditionKind, { text, classes }: ConditionSizes): void {
  const [what, how] = kind === 'embeddings' ? ['features of captions', '--text'] : ['class labels', '--labels'];
  if (!(kind === 'embeddings' && !text) && !(kind === 'label' && !classes)) return;
  throw new DataError('train', `the data has no ${what}. Prepare it with ${how}, or choose another --condition.`);
}

/** Where the tensors of a batch's condition come from, see {@link conditionSource}. */
export interface ConditionSource {
  readonly kind: ConditionKind;
  readonly format: DataFormat;
  /** What stands for "anything" in a batch's tensors, by their names. */
  readonly nothing: { readonly [name: string]: Uint8Array | Uint32Array | Float32Array };
}

/** @throws DataError if the data was prepared without what a condition of this kind is made of */
export function conditionSource(kind: ConditionKind, format: DataFormat): ConditionSource {
  assertOffers(kind, sizesOf(format));
  const { text, classes, maxTokens } = format;
  if (kind === 'tokens') return { kind, format, nothing: { ids: new Uint32Array(maxTokens) } };
  if (kind === 'label') return { kind, format, nothing: { label: Uint32Array.of(classes!.classes) } };
  if (kind === 'none') return { kind, format, nothing: {} };
  const empty = decodeUnconditional(text!);
  return { kind, format, nothing: { tokens: empty.text, ...(empty.textMask && { mask: empty.textMask }) } };
}

/** What a data folder offers to configs. */
export function sizesOf({ vocabulary, maxTokens, text, classes }: DataFormat): ConditionSizes {
  return {
    ...{ vocabulary: vocabulary.length, maxTokens },
    ...(text && { text: { length: text.length, width: text.width } }),
    ...(classes && { classes }),
  };
}

/**
 * The condition's tensors of a batch: `ids` u32 [B, L]; `tokens` f32 [B, L, D] and perhaps `mask` bool [B, L]; `label` u32 [B]; or
 * none. Where the draw drops a picture's condition there is "anything" (arXiv 2207.12598, Algorithm 1): no words, the features of
 * the empty caption, the class after the last.
 */
export function conditionBatch(
  { kind, format, nothing }: ConditionSource,
  columns: DataColumns,
  { dropped }: Pick<BatchDraw, 'dropped'>,
): { [name: string]: HostTensor } {
  const tensors: { [name: string]: HostTensor } = {};
  for (const { name, column, dtype, shape } of parts(kind, format)) {
    const data = columnOf(columns, column, dtype);
    for (const [row, isDropped] of dropped.entries()) {
      if (isDropped) data.set(nothing[name]!, row * nothing[name]!.length);
    }
    tensors[name] = { data, shape: [dropped.length, ...shape] };
  }
  return tensors;
}

/** Which columns a condition is made of. */
function parts(kind: ConditionKind, { maxTokens, text }: DataFormat): Part[] {
  if (kind === 'tokens') return [{ name: 'ids', column: 'tokens', dtype: 'u32', shape: [maxTokens] }];
  if (kind === 'label') return [{ name: 'label', column: 'label', dtype: 'u32', shape: [] }];
  if (kind === 'none') return [];
  const { length, width, masked } = text!;
  return [
    { name: 'tokens', column: 'text', dtype: 'f16', shape: [length, width] },
    ...(masked ? [{ name: 'mask', column: 'text_mask', dtype: 'u8', shape: [length] } as const] : []),
  ];
}

interface Part {
  readonly name: string;
  readonly column: string;
  readonly dtype: 'u8' | 'u32' | 'f16';
  readonly shape: readonly number[];
}

/** Traced: the condition of a batch, its features in `dtype`; undefined where it has none. */
export function conditionOf({ ids, tokens, mask, label }: Batch, dtype: FloatDType = 'f32'): Condition | undefined {
  const features = tokens?.cast(dtype);
  const tensors = {
    ...(ids && { ids }),
    ...(features && { tokens: features }),
    ...(label && { label }),
    ...(mask && { mask }),
  };
  return Object.keys(tensors).length > 0 ? conditionOfTensors(tensors) : undefined;
}

/** What a run's network takes. A router that does not say takes what comes. */
export function conditionOfRun({ kind, options }: Pick<RunRecord, 'kind' | 'options'>): ConditionKind {
  const fallback = kind === 'router' ? 'none' : 'tokens';
  return (options.condition as ConditionKind | undefined) ?? kindInConfig(objectOf(options.config) ?? {}, fallback);
}
