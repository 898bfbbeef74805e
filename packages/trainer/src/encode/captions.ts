// Captions → features, many at once: what `prepare --text` keeps.
import { type Condition, disposeCondition, promptEncoderOf, type TextEncoder } from '@paris/model';
import { encodeUnconditional, type TextFormat } from '../data/encodings.js';
import { DataError } from '../errors.js';
import type { LoadedPart } from './parts.js';

/** Features of captions. */
export interface CaptionFeatures {
  /** f32 [count, L, D] */
  readonly text: Float32Array;
  /** u8 [count, L]: 1 where there is a token; where the encoder has a mask. */
  readonly textMask?: Uint8Array;
}

/** A text encoder that is ready for captions. */
export interface CaptionEncoder {
  readonly format: TextFormat;
  /** Of the empty caption, which guidance needs: one row. */
  readonly unconditional: CaptionFeatures;
  /** What a caption becomes does not depend on the others. */
  encode(captions: readonly string[]): Promise<CaptionFeatures>;
  /** Gives back what it keeps on the device; the weights stay. */
  dispose(): void;
}

/**
 * Features of captions by a text encoder with its weights.
 * @param batchSize - captions at once; fewer are filled up, so that there is one plan
 * @throws DataError for a text encoder whose words experts embed themselves
 */
export async function captionEncoder(
  { device, network, params, record }: LoadedPart<TextEncoder>,
  batchSize = 32,
): Promise<CaptionEncoder> {
  const encoder = promptEncoderOf(device, network, params);
  const read = async (captions: readonly string[], rows: number): Promise<{ shape: readonly number[] } & Rows> => {
    const condition = await encoder.encode(captions);
    try {
      return await featuresOf(condition, rows);
    } finally {
      disposeCondition(condition);
    }
  };
  const { shape, ...unconditional } = await read([''], 1);
  const [, length, width] = shape as [number, number, number];
  const masked = unconditional.textMask !== undefined;
  return {
    format: { length, width, masked, encoder: record, ...encodeUnconditional(unconditional) },
    unconditional,
    async encode(captions) {
      const distinct = [...new Set(captions)].filter((caption) => caption !== '');
      const found = new Map<string, CaptionFeatures>([['', unconditional]]);
      for (let from = 0; from < distinct.length; from += batchSize) {
        const own = distinct.slice(from, from + batchSize);
        const features = await read([...own, ...new Array<string>(batchSize - own.length).fill('')], own.length);
        for (const [i, caption] of own.entries()) found.set(caption, rowOf(features, i, length, width));
      }
      const text = new Float32Array(captions.length * length * width);
      const textMask = new Uint8Array(masked ? captions.length * length : 0);
      for (const [row, caption] of captions.entries()) {
        const features = found.get(caption)!;
        text.set(features.text, row * length * width);
        if (features.textMask) textMask.set(features.textMask, row * length);
      }
      return { text, ...(masked && { textMask }) };
    },
    dispose: () => encoder.dispose?.(),
  };
}

function rowOf({ text, textMask }: CaptionFeatures, row: number, length: number, width: number): CaptionFeatures {
  const size = length * width;
  return {
    text: text.subarray(row * size, (row + 1) * size),
    ...(textMask && { textMask: textMask.subarray(row * length, (row + 1) * length) }),
  };
}

type Rows = { text: Float32Array; textMask?: Uint8Array };

async function featuresOf(condition: Condition, rows: number): Promise<{ shape: readonly number[] } & Rows> {
  if (condition.kind !== 'embeddings') {
    const what = `the text encoder gives ${condition.kind === 'tokens' ? 'word ids' : 'classes'}, not features`;
    throw new DataError('prepare', `${what}: experts learn words without --text. Give an encoder such as CLIP.`);
  }
  const { tokens, mask } = condition;
  const [, length, width] = tokens.shape as [number, number, number];
  const text = ((await tokens.read()) as Float32Array).subarray(0, rows * length * width);
  if (!mask) return { shape: tokens.shape, text };
  const seen = Uint8Array.from((await mask.read()) as ArrayLike<number>, (value) => Number(value !== 0));
  return { shape: tokens.shape, text, textMask: seen.subarray(0, rows * length) };
}
