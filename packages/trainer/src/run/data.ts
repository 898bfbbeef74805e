// data.json of a run: what its pictures were like, so that runs can be put together without the pictures.
import type { FileSource } from '@paris/files';
import { encodeJson, readJson } from '@paris/files';
import * as z from 'zod/mini';
import { type Encodings, encodingFields, encodingsOf } from '../data/encodings.js';
import type { DataFormat } from '../data/formats.js';
import { type Items, Tally } from '../data/items.js';

export interface RunData extends Pick<DataFormat, 'size' | 'channels' | 'normalization'>, Encodings {
  version: 1;
  /** SHA-256 of the partition's centroids. */
  partition: string;
  /** Pictures by licence. */
  licences: { [licence: string]: number };
  /** Pictures by source. */
  sources: { [source: string]: number };
}

const schema: z.ZodMiniType<RunData> = z.object({
  version: z.literal(1),
  size: z.int(),
  channels: z.int(),
  normalization: z.object({ scale: z.number(), offset: z.number() }),
  partition: z.string(),
  licences: z.record(z.string(), z.int()),
  sources: z.record(z.string(), z.int()),
  ...encodingFields,
});

/** The pictures of a run. */
export interface RunPictures {
  readonly manifest: DataFormat & { readonly partition: string };
  readonly items: Items;
}

/** The licence of a picture that says none. */
export const NOT_STATED = 'not stated';

export const RUN_DATA_FILE = 'data.json';

/** What data.json says of pictures. */
export async function encodeRunData({ manifest, items }: RunPictures): Promise<Uint8Array> {
  const { size, channels, normalization, partition } = manifest;
  const [licences, sources] = [new Tally(), new Tally()];
  for await (const { licence = NOT_STATED, source } of items) {
    licences.add(licence);
    sources.add(source);
  }
  const format = { version: 1, size, channels, normalization, partition } as const;
  const counted = { licences: licences.all(), sources: sources.all() };
  return encodeJson({ ...format, ...counted, ...encodingsOf(manifest) } satisfies RunData);
}

export async function readRunData(store: FileSource): Promise<RunData> {
  return readJson(store, RUN_DATA_FILE, schema);
}
