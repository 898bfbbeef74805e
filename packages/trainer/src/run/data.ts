// data.json of a run: what its pictures were like, so that runs can be put together without the pictures.
import type { FileSource } from '@paris/files';
import { encodeJson, readJson } from '@paris/files';
import * as z from 'zod/mini';
import { type Encodings, encodingFields, encodingsOf } from '../data/encodings.js';
import type { DataFormat, DataItem } from '../data/formats.js';

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

/** The licence of a picture that says none. */
export const NOT_STATED = 'not stated';

export const RUN_DATA_FILE = 'data.json';

export function encodeRunData(manifest: DataFormat & { partition: string; items: readonly DataItem[] }): Uint8Array {
  const { size, channels, normalization, partition, items } = manifest;
  const licences = tally(items.map((item) => item.licence ?? NOT_STATED));
  const sources = tally(items.flatMap((item) => item.source ?? []));
  const format = { version: 1, size, channels, normalization, partition } as const;
  return encodeJson({ ...format, licences, sources, ...encodingsOf(manifest) } satisfies RunData);
}

export async function readRunData(store: FileSource): Promise<RunData> {
  return readJson(store, RUN_DATA_FILE, schema);
}

/** How often each value occurs, by value. */
export function tally(values: readonly string[]): { [value: string]: number } {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
