// The two forms in which a CLIP tokenizer is kept: tokenizer.json, or a vocabulary and merges, from which one is made.
import { checkJson, parseJson, type Schema } from '@paris/files';
import type { Companions } from '@paris/model';
import { CheckpointError } from '@paris/tensor';
import * as z from 'zod/mini';

const ids = z.record(z.string(), z.int().check(z.nonnegative()));
const whole: Schema<object> = z.looseObject({
  model: z.looseObject({ type: z.optional(z.literal('BPE')), vocab: ids, merges: z.array(z.any()) }),
  added_tokens: z.optional(z.array(z.looseObject({ id: z.int().check(z.nonnegative()), content: z.string() }))),
});

const marks = ['<|startoftext|>', '<|endoftext|>'] as const;

/**
 * What tokenizer.json says, from it or from vocab.json and merges.txt.
 * @throws CheckpointError if they are missing, or have another form
 */
export function tokenizerJson(files: Companions): object {
  const origin = (path: string) => ({ tag: 'clip', path, fix: 'Give the tokenizer files of the CLIP model.' });
  const { 'tokenizer.json': json, 'vocab.json': vocab, 'merges.txt': merges } = files;
  if (json) return checkJson(parseJson(json, origin('tokenizer.json')), whole, origin('tokenizer.json'));
  if (!vocab || !merges) {
    throw new CheckpointError('clip', 'the tokenizer is missing: give tokenizer.json, or vocab.json and merges.txt.');
  }
  const checked = checkJson(parseJson(vocab, origin('vocab.json')), ids, origin('vocab.json'));
  return fromVocabulary(checked, mergeLines(merges));
}

/** The lines of merges.txt after `#version`, each two parts with a space between. */
function mergeLines(bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  const merges = lines.filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')));
  const broken = merges.findIndex((line) => !/^\S+ \S+$/.test(line));
  if (broken < 0) return merges;
  throw new CheckpointError('clip', `merges.txt is not what this version reads: ${JSON.stringify(merges[broken])}.`);
}

/** What transformers writes for a CLIPTokenizer of this vocabulary. */
function fromVocabulary(vocab: Readonly<Record<string, number>>, merges: readonly string[]): object {
  const [start, end] = marks.map((content) => {
    const id = vocab[content];
    if (id !== undefined) return { id, content };
    throw new CheckpointError('clip', `vocab.json lacks ${content}. Give the vocabulary of CLIP.`);
  }) as [Mark, Mark];
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const words = `'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+`;
  const Regex = `<\\|startoftext\\|>|<\\|endoftext\\|>|${words}`;
  return {
    added_tokens: [start, end].map((mark) => ({ ...mark, ...plain })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      ...{ cls: [start.content, start.id], sep: [end.content, end.id], trim_offsets: false, add_prefix_space: false },
    },
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      ...{ unk_token: end.content, continuing_subword_prefix: '', end_of_word_suffix: '</w>', vocab, merges },
    },
  };
}

interface Mark {
  readonly id: number;
  readonly content: string;
}
