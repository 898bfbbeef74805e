// Where pictures come from: a folder, an archive, a camera. Whatever gives pictures one after another can be prepared.
import type { DataItem } from '../data/formats.js';

/** A picture in the form in which it is stored: u8 [3, size, size], RGB. */
export interface SourcePicture {
  readonly item: DataItem;
  readonly pixels: Uint8Array;
}

/** A picture that could not be used, and why. */
export interface SkippedPicture {
  readonly file: string;
  readonly reason: string;
}

/** Pictures in the order in which they are stored: the same source gives the same data folder, byte for byte. */
export type PictureSource = AsyncIterable<SourcePicture | SkippedPicture>;
