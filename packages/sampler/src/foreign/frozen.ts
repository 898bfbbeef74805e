// The frozen parts of a model in somebody else's form: its autoencoder and its text encoder.
import type { FileSource } from '@paris/files';
import { type Architecture, type Codec, identityCodec, limits, type TextEncoder } from '@paris/model';
import { CheckpointError } from '@paris/tensor';
import { type ForeignPart, foreignPart, inside, openWeights, readRecord, sameNames } from './part.js';

/** Pixel space. */
export function pixelCodec(): ForeignPart<Codec> {
  const config = { architecture: identityCodec.architecture };
  return foreignPart({ folder: 'codec', config, network: identityCodec.fromConfig(config) });
}

/** The autoencoder of a folder with diffusers' config.json. @throws CheckpointError if it is none that is known */
export async function codecOf(source: FileSource, at: string): Promise<ForeignPart<Codec>> {
  const where = inside(at, 'config.json');
  const json = await readRecord(source, where);
  if (!json) throw new CheckpointError('loadPipeline', `${where} is missing. An autoencoder needs it.`);
  const { autoencoderKL, oldAttentionLayout, tinyAutoencoder } = await import('@paris/encoders/autoencoder');
  const known: Readonly<Record<string, Architecture<Codec>>> = {
    AutoencoderKL: autoencoderKL,
    AutoencoderTiny: tinyAutoencoder,
  };
  const name = String(json._class_name);
  const architecture = Object.hasOwn(known, name) ? known[name]! : undefined;
  if (!architecture) {
    throw new CheckpointError(
      'loadPipeline',
      `${where} is that of ${JSON.stringify(name)}. Known: ${Object.keys(known).join(', ')}.`,
    );
  }
  const config = { ...json, architecture: architecture.architecture };
  const { checkpoint, path } = await openWeights(source, at);
  const isOld = checkpoint.entries.some((entry) => /\.attentions\.\d+\.query\.weight$/.test(entry.name));
  const layout = isOld ? oldAttentionLayout : sameNames(name);
  return foreignPart({
    folder: 'codec',
    config,
    network: architecture.fromConfig(config),
    weights: { checkpoint, layout, where: path },
  });
}

/** A text encoder, or why there is none to be read. */
export type ForeignText =
  | { readonly text: ForeignPart<TextEncoder> }
  | { readonly text: undefined; readonly why: string };

/** CLIP's text encoder in `text_encoder/`, with the tokenizer in `tokenizer/`. Others are for a promptEncoder. */
export async function textOf(source: FileSource): Promise<ForeignText> {
  const json = await readRecord(source, 'text_encoder/config.json');
  if (!json) return { text: undefined, why: 'there is no text_encoder/' };
  const name = Array.isArray(json.architectures) ? String(json.architectures[0]) : String(json.model_type);
  if (!/clip/i.test(name)) return { text: undefined, why: `${name} is not read: give a promptEncoder` };
  const { clip } = await import('@paris/encoders/clip');
  const companions: Record<string, Uint8Array> = {};
  for (const file of clip.companions ?? []) {
    if (await source.exists(`tokenizer/${file}`))
      companions[file] = await source.read(`tokenizer/${file}`, undefined, { maxBytes: limits.companionBytes });
  }
  const config = { ...json, architecture: clip.architecture };
  const network = clip.fromConfig(config, companions);
  const { checkpoint, path } = await openWeights(source, 'text_encoder');
  return {
    text: foreignPart({
      folder: 'text',
      config,
      network,
      companions,
      weights: { checkpoint, layout: sameNames('CLIP'), where: path },
    }),
  };
}
