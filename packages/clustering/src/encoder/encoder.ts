// Encoders compute the features by which pictures are clustered. A partition works with any encoder; one is built in.

/** Pictures as they are in a prepared data folder: planar RGB bytes. */
export interface ImageBatch {
  /** [N, 3, size, size] */
  readonly pixels: Uint8Array;
  readonly count: number;
  /** Width and height in pixels. */
  readonly size: number;
}

/** Pictures of one size that are read a batch at a time, so that all of them need not fit into memory. */
export interface ImageStream {
  readonly count: number;
  /** Width and height in pixels. */
  readonly size: number;
  /** From the first picture on, at each call. */
  batches(): AsyncIterable<ImageBatch>;
}

/** What a manifest may hold to make the same encoder again. */
export type EncoderParameters = { readonly [name: string]: number | string | boolean };

/**
 * Turns pictures into feature vectors. `name` and `parameters` are written into the partition manifest and must
 * identify the encoder: with them and the centroids, anyone can assign a new picture.
 */
export interface Encoder {
  readonly name: string;
  /** The length of one feature vector, D. */
  readonly dimensions: number;
  readonly parameters: EncoderParameters;
  /** Row-major features [N, D]. Each row depends on its own picture only. */
  encode(images: ImageBatch): Float32Array | Promise<Float32Array>;
}
