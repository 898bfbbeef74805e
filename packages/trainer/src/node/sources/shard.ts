// A part of a source's pictures, for one of several machines.
import { sha256 } from '@paris/files';
import { ValueError } from '@paris/tensor';
import type { EncodedSource } from './encoded-source.js';

/** Part `index` of `count`, from 1 on. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

const encoder = new TextEncoder();

/**
 * The pictures of one part. A picture's part depends on its name alone, so that parts agree without knowing of each other and
 * adding pictures moves none.
 * @throws ValueError for a part that there is not
 */
export function shardOf(source: EncodedSource, { index, count }: Shard): EncodedSource {
  if (!(Number.isInteger(index) && Number.isInteger(count) && index >= 1 && index <= count)) {
    throw new ValueError('prepare', `there is no part ${index} of ${count}. Parts are counted from 1.`);
  }
  async function* pictures() {
    for await (const picture of source.pictures) {
      const digest = await sha256(encoder.encode(picture.file));
      if (Number.parseInt(digest.slice(0, 12), 16) % count === index - 1) yield picture;
    }
  }
  return { pictures: pictures() };
}
