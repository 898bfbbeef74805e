// CLIP's tokenizer: @huggingface/tokenizers with the files that transformers writes. Its ids are those of transformers'
// CLIPTokenizer, which neither repairs a text (ftfy) nor undoes HTML entities as OpenAI's code does.
import { Tokenizer } from '@huggingface/tokenizers';
import { parseJson } from '@paris/files';
import type { Companions, HostTokens } from '@paris/model';
import { CheckpointError, ValueError } from '@paris/tensor';
import { tokenizerJson } from './vocabulary.js';

/** Files that a tokenizer is read from: tokenizer.json, or vocab.json and merges.txt. */
export const tokenizerFiles: readonly string[] = [
  'tokenizer.json',
  'vocab.json',
  'merges.txt',
  'tokenizer_config.json',
];

/** From prompts to ids. */
export interface ClipTokenizer {
  /** The ids of a prompt with its two marks, neither cut nor padded. */
  encode(prompt: string): number[];
  /** Prompts cut or padded to `length` ids each; of a cut one the last id is the end mark. */
  tokenize(prompts: readonly string[], length: number): HostTokens;
  /** Throws a ValueError unless the ids are those of a network with so many tokens and this end token (2: any). */
  requireVocabulary(tokens: number, endToken: number): void;
}

/**
 * CLIP's tokenizer from its files, by name: tokenizer.json, or vocab.json and merges.txt. A `pad_token` in
 * tokenizer_config.json pads, else the end mark does.
 * @throws CheckpointError if a file is missing or does not describe a tokenizer
 */
export function clipTokenizer(files: Companions): ClipTokenizer {
  const { tokenizer, largest } = open(files);
  // The library lower-cases a whole text, where a capital sigma at the end of a word becomes ς; transformers goes letter by letter.
  const encode = (prompt: string): number[] => {
    const { ids } = tokenizer.encode(prompt.replaceAll('Σ', 'σ'));
    if (ids.every(Number.isInteger)) return ids;
    throw new CheckpointError(
      'clip',
      'the vocabulary lacks a token of a prompt and the unknown one. Give that of CLIP.',
    );
  };
  const [start, end, ...rest] = encode('');
  if (start === undefined || end === undefined || rest.length > 0) {
    throw new CheckpointError('clip', 'the tokenizer does not put a mark at both ends of a prompt. Give that of CLIP.');
  }
  const pad = padToken(files, tokenizer) ?? end;
  return {
    encode,
    tokenize(prompts, length) {
      const ids = new Uint32Array(prompts.length * length).fill(pad);
      for (const [i, prompt] of prompts.entries()) {
        const found = encode(prompt);
        ids.set(found.slice(0, length), i * length);
        if (found.length > length) ids[(i + 1) * length - 1] = end;
      }
      return { ids, length };
    },
    requireVocabulary(tokens, endToken) {
      const fix = 'Give the tokenizer that the text encoder was trained with.';
      if (largest >= tokens) {
        const what = `the tokenizer has ids up to ${largest}, the text encoder ${tokens} tokens`;
        throw new ValueError('clip', `the tokenizer is of another vocabulary: ${what}. ${fix}`);
      }
      if (endToken !== 2 && end !== endToken) {
        const what = `its end mark is ${end}, the text encoder's eos_token_id ${endToken}`;
        throw new ValueError('clip', `the tokenizer is of another vocabulary: ${what}. ${fix}`);
      }
    },
  };
}

function open(files: Companions): { readonly tokenizer: Tokenizer; readonly largest: number } {
  const json = tokenizerJson(files);
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(json, {});
    tokenizer.encode('a b');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError('clip', `the files do not describe a tokenizer: ${why}.`, { cause });
  }
  let largest = 0;
  for (const id of tokenizer.get_vocab().values()) {
    if (!Number.isInteger(id) || id < 0) {
      throw new CheckpointError('clip', `the tokenizer has the id ${id}. Ids are whole numbers from 0 on.`);
    }
    largest = Math.max(largest, id);
  }
  return { tokenizer, largest };
}

/** The id of the `pad_token` of tokenizer_config.json, if it names one. */
function padToken(files: Companions, tokenizer: Tokenizer): number | undefined {
  const bytes = files['tokenizer_config.json'];
  const json = bytes && parseJson(bytes, { tag: 'clip', path: 'tokenizer_config.json' });
  const named = (json as { pad_token?: string | { content?: string } | null } | undefined)?.pad_token;
  const token = typeof named === 'object' ? named?.content : named;
  if (token === undefined) return undefined;
  const id = tokenizer.token_to_id(token);
  if (id !== undefined) return id;
  throw new CheckpointError('clip', `tokenizer_config.json pads with "${token}", which the vocabulary does not have.`);
}
