// What archives are called in the names of their pictures.
import { stemOf } from '../list-images.js';

/** Archives that are read together. */
export class ArchiveNames {
  readonly #places: (readonly string[])[] = [];

  /**
   * @param place - a path or an address
   * @returns its name without the extension, once all are added: as many of the last parts of its path as tell it from the others,
   *   most often the last alone. `train/0000.parquet` beside `test/0000.parquet` is `train/0000`.
   */
  add(place: string): () => string {
    const own = place.replace(/^([a-z]\w*:\/\/[^?#]*)[?#].*$/i, '$1').split(/[\\/]+/);
    this.#places.push(own);
    return () => {
      const last = (parts: readonly string[], count: number) => parts.slice(-count).join('/');
      const isAlone = (count: number) =>
        this.#places.every((parts) => parts.join('/') === own.join('/') || last(parts, count) !== last(own, count));
      const count = own.findIndex((_, i) => isAlone(i + 1)) + 1;
      return stemOf(last(own, Math.max(1, count)));
    };
  }
}
