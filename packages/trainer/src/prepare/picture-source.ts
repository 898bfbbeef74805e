// Where pictures come from: a folder, an archive, a camera. Any async iterable of pictures can be prepared.
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

/** Pictures in any order; which one they are stored in is chosen in `preparePictures`. */
export type PictureSource = AsyncIterable<SourcePicture | SkippedPicture>;

/** A picture that was decoded just now; `key` says of what. */
export interface DecodedPicture extends SourcePicture {
  readonly key?: string | undefined;
}

/** A picture whose pixels are stored already, under a number. */
export interface StoredPicture {
  readonly item: DataItem;
  readonly row: number;
}

/** Pictures of which some may be stored already. */
export type PixelSource = AsyncIterable<DecodedPicture | StoredPicture | SkippedPicture>;
