// Encoded pictures with what is said of them, wherever they come from: what every kind of source gives.
import type { SkippedPicture } from '../../prepare/picture-source.js';
import type { PictureWords } from './fields.js';

/** A picture before it is decoded. */
export interface EncodedPicture {
  /** Its name within its source, with `/` between folders: the record's id. */
  readonly file: string;
  /** The encoded bytes, or the path of a file of this machine. */
  readonly data: Uint8Array | string;
  /** A picture without a caption of its own is captioned by its name; an empty one is its own. */
  readonly words: PictureWords;
}

/** Encoded pictures, and what cannot be used. */
export interface EncodedSource {
  readonly pictures: AsyncIterable<EncodedPicture | SkippedPicture>;
  /** How many there are, if that is known before all are read. */
  readonly total?: number | undefined;
}

/** The pictures of several sources, one after the other. */
export function joined(sources: readonly EncodedSource[]): EncodedSource {
  if (sources.length === 1) return sources[0]!;
  async function* pictures() {
    for (const source of sources) yield* source.pictures;
  }
  const totals = sources.map(({ total }) => total ?? Number.NaN);
  const total = totals.reduce((sum, own) => sum + own, 0);
  return { pictures: pictures(), total: Number.isNaN(total) ? undefined : total };
}
