// What sample pictures show while an expert trains: prompts, features of captions, classes, or nothing.
import { encodeCaptions, promptWords, type Vocabulary } from '@paris/model';
import { classNumber } from '@paris/model/classes';
import { ValueError } from '@paris/tensor';
import type { DataColumns } from '../data/columns.js';
import type { ClusterManifest, DataItem } from '../data/formats.js';
import type { Items } from '../data/items.js';
import { gatherRows, type Rows, spread } from '../data/rows.js';
import { captionEncoder } from '../encode/captions.js';
import { assertSamePart } from '../encode/parts.js';
import { type ConditionSource, conditionBatch } from './conditions.js';
import type { HostBatch } from './recipe.js';
import type { SampleOptions } from './samples.js';

/** Prompts, and the tensors of their condition and of "anything", a row for each. */
export interface PromptBatches {
  readonly prompts: readonly string[];
  readonly given: HostBatch['tensors'];
  readonly none: HostBatch['tensors'];
}

/** Whose prompts they are. */
export interface Prompted {
  readonly manifest: ClusterManifest;
  readonly rows: Rows;
  readonly items: Items;
  readonly condition: ConditionSource;
}

/** Sample pictures where nothing says how many. */
const usual = 4;

/**
 * @throws ValueError for prompts that the expert does not know, or that nothing encodes; DataError for a text encoder that is not
 *   the data's
 */
export async function promptBatches(
  options: Pick<SampleOptions, 'prompts' | 'text'>,
  of: Prompted,
): Promise<PromptBatches> {
  const { prompts, columns } = await subjects(options, of);
  const tensors = (dropped: boolean) =>
    conditionBatch(of.condition, copied(columns), { dropped: prompts.map(() => dropped) });
  return { prompts, given: tensors(false), none: tensors(true) };
}

/** Texts, and the columns that a condition is made of. */
interface Subjects {
  readonly prompts: readonly string[];
  readonly columns: DataColumns;
}

async function subjects({ prompts, text }: Pick<SampleOptions, 'prompts' | 'text'>, of: Prompted): Promise<Subjects> {
  const { manifest, items, condition } = of;
  const { vocabulary, maxTokens } = manifest;
  switch (condition.kind) {
    case 'tokens': {
      if (prompts) assertKnown(prompts, { version: 1, words: vocabulary, maxTokens });
      const texts = prompts ?? (await someOf(items, captionOf)).map(([caption]) => caption);
      return { prompts: texts, columns: { tokens: encodeCaptions(texts, vocabulary, maxTokens) } };
    }
    case 'embeddings':
      return prompts ? encoded(prompts, text, of) : ofRows(await someOf(items, captionOf), of);
    case 'label':
      return prompts ? classes(prompts, manifest) : ofRows(await someOf(items, ({ category = '' }) => category), of);
    default: {
      if (prompts?.some((prompt) => prompt !== '')) {
        throw new ValueError('train', 'this expert learns pictures alone, without prompts. Leave samples.prompts out.');
      }
      return { prompts: prompts ?? new Array<string>(usual).fill(''), columns: {} };
    }
  }
}

/** @throws ValueError for a prompt of which no word is known: what is drawn had nothing to do with it */
function assertKnown(prompts: readonly string[], vocabulary: Vocabulary): void {
  const strange = prompts.find((prompt) => prompt.trim() !== '' && promptWords(prompt, vocabulary).known.length === 0);
  if (strange === undefined) return;
  const what = `the expert knows no word of the sample prompt ${JSON.stringify(strange)}`;
  throw new ValueError('train', `${what}. Give words of the captions that it learns from.`);
}

async function encoded(prompts: readonly string[], text: SampleOptions['text'], of: Prompted): Promise<Subjects> {
  if (!text) {
    const what = 'prompts of an expert that learns features of captions are encoded first';
    throw new ValueError('train', `${what}. Give the text encoder (--text), or leave the prompts out.`);
  }
  assertSamePart('train', 'text', text.record, of.manifest.text!.encoder);
  const encoder = await captionEncoder(text, prompts.length);
  const features = await encoder.encode(prompts);
  encoder.dispose();
  return { prompts, columns: { text: features.text, ...(features.textMask && { text_mask: features.textMask }) } };
}

function classes(prompts: readonly string[], { classes: set }: ClusterManifest): Subjects {
  const label = Uint32Array.from(prompts, (prompt) => {
    const found = classNumber(set!, prompt);
    if (found !== undefined) return found;
    const named = set!.names ? `, or a name such as ${JSON.stringify(set!.names[0])}` : '';
    const what = `there is no class ${JSON.stringify(prompt)}`;
    throw new ValueError('train', `${what}. Give a number from 0 to ${set!.classes - 1}${named}.`);
  });
  return { prompts, columns: { label } };
}

/** What the data itself has in these rows. */
async function ofRows(some: readonly (readonly [string, number])[], { rows, manifest }: Prompted): Promise<Subjects> {
  const columns = await gatherRows(
    rows,
    manifest,
    some.map(([, row]) => row),
  );
  return { prompts: some.map(([text]) => text), columns };
}

/** Texts spread evenly over the folder, each once, with the row of its first picture. */
async function someOf(items: Items, textOf: (item: DataItem) => string): Promise<[text: string, row: number][]> {
  const first = new Map<string, number>();
  let row = 0;
  for await (const item of items) {
    const text = textOf(item);
    if (!first.has(text)) first.set(text, row);
    row++;
  }
  return spread([...first], usual);
}

const captionOf = ({ caption }: DataItem) => caption;

/** Conditions replace rows in place. */
function copied(columns: DataColumns): DataColumns {
  return Object.fromEntries(Object.entries(columns).map(([name, data]) => [name, data.slice()]));
}
