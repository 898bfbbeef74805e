// What a data folder says of what `prepare` encoded: latents by a codec, captions by a text encoder, and classes by number.
import { fromHalf, toHalf } from '@paris/files';
import type { LabelSet } from '@paris/model';
import { limits } from '@paris/model/transformer';
import { CheckpointError } from '@paris/tensor';
import * as z from 'zod/mini';
import type { ColumnFormat } from './formats.js';

/** The part of a model that encoded something: what was learned from it can be drawn with this part and no other. */
export interface PartRecord {
  /** Its name in config.json. */
  readonly architecture: string;
  /** SHA-256 over its config, its weights and its further files, see `partHash`. */
  readonly sha256: string;
}

/** Latents, scaled as experts see them: the column `latents`, f16 [channels, height, width]. */
export interface LatentFormat {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Edge length of the pictures that were encoded. */
  readonly pictureSize: number;
  readonly codec: PartRecord;
}

/** Features of captions: the column `text`, f16 [length, width], and with a mask `text_mask`, u8 [length]. */
export interface TextFormat {
  /** Tokens a caption: L. */
  readonly length: number;
  /** Numbers a token: D. */
  readonly width: number;
  /** Whether there is a mask: 1 where there is a token, 0 for padding. */
  readonly masked: boolean;
  readonly encoder: PartRecord;
  /** Features of the empty caption, which guidance needs: f16 [length, width], little-endian, in base64. */
  readonly unconditional: string;
  /** Its mask, where there is one. */
  readonly unconditionalMask?: readonly number[] | undefined;
}

/** The parts of a format that `prepare` adds on request. */
export interface Encodings {
  latents?: LatentFormat | undefined;
  text?: TextFormat | undefined;
  /** Classes: the column `label`, u32 []. */
  classes?: LabelSet | undefined;
}

/** Features of one caption: f32 [length, width], and u8 [length] where there is a mask. */
export interface OneCaption {
  readonly text: Float32Array;
  readonly textMask?: Uint8Array | undefined;
}

/** The fields of a {@link TextFormat} that say what the empty caption is. */
export function encodeUnconditional({
  text,
  textMask,
}: OneCaption): Pick<TextFormat, 'unconditional' | 'unconditionalMask'> {
  const bytes = new DataView(new ArrayBuffer(2 * text.length));
  for (const [i, value] of text.entries()) bytes.setUint16(2 * i, toHalf(value), true);
  const codes = Array.from(new Uint8Array(bytes.buffer), (byte) => String.fromCharCode(byte));
  return { unconditional: btoa(codes.join('')), ...(textMask && { unconditionalMask: [...textMask] }) };
}

/** @throws CheckpointError if it is not of the format's size */
export function decodeUnconditional({ unconditional, unconditionalMask, length, width }: TextFormat): OneCaption {
  const codes = decodeBase64(unconditional);
  const masked = unconditionalMask === undefined || unconditionalMask.length === length;
  if (codes?.length !== 2 * length * width || !masked) {
    throw new CheckpointError('data', `text.unconditional is not f16 [${length}, ${width}] in base64. Prepare again.`);
  }
  const text = Float32Array.from({ length: length * width }, (_, i) => {
    return fromHalf(codes.charCodeAt(2 * i) | (codes.charCodeAt(2 * i + 1) << 8));
  });
  return { text, textMask: unconditionalMask && Uint8Array.from(unconditionalMask) };
}

function decodeBase64(text: string): string | undefined {
  try {
    return atob(text);
  } catch {
    return undefined;
  }
}

/** The columns of what is encoded. */
export function encodedColumns({ latents, text, classes }: Encodings): { [name: string]: ColumnFormat } {
  return {
    ...(latents && { latents: { dtype: 'f16', shape: [latents.channels, latents.height, latents.width] } }),
    ...(text && { text: { dtype: 'f16', shape: [text.length, text.width] } }),
    ...(text?.masked && { text_mask: { dtype: 'u8', shape: [text.length] } }),
    ...(classes && { label: { dtype: 'u32', shape: [] } }),
  };
}

/** Those of a format, and nothing else of it. */
export function encodingsOf({ latents, text, classes }: Encodings): Encodings {
  return { ...(latents && { latents }), ...(text && { text }), ...(classes && { classes }) };
}

const edge = z.int().check(z.gte(1), z.lte(limits.pixels));
const part: z.ZodMiniType<PartRecord> = z.object({
  architecture: z.string(),
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
});

/** The fields of {@link Encodings}, for an object schema. */
export const encodingFields: { readonly [name in keyof Encodings]-?: z.ZodMiniType<Encodings[name]> } = {
  latents: z.optional(z.object({ channels: edge, height: edge, width: edge, pictureSize: edge, codec: part })),
  text: z.optional(
    z.object({
      length: z.int().check(z.gte(1), z.lte(limits.tokens)),
      width: z.int().check(z.gte(1), z.lte(limits.width)),
      masked: z.boolean(),
      encoder: part,
      unconditional: z.string(),
      unconditionalMask: z.optional(z.array(z.int().check(z.gte(0), z.lte(1)))),
    }),
  ),
  classes: z.optional(
    z.object({
      classes: z.int().check(z.gte(1), z.lt(limits.rows)),
      names: z.optional(z.array(z.string()).check(z.maxLength(limits.rows))),
    }),
  ),
};
