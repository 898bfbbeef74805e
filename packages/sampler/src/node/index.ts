/** What needs Node's file system. */
import { StoreError } from '@paris/files';
import { replaceFile } from '@paris/files/node';
import type { RgbImage } from '../images/image.js';
import { encodePng } from '../images/png.js';
import { encodeMadePng } from '../metadata/metadata.js';

export { downloadsPath } from '../pipeline/downloads.node.js';

/** What a picture's file says. */
export interface SavePngOptions {
  /**
   * Whether the file says how the picture was made, as web UIs read it (`parameters`), and that a model made it (IPTC's mark in
   * XMP). Pictures that `generate` did not draw say nothing. Default true.
   */
  readonly metadata?: boolean;
}

/**
 * Writes a picture as a PNG file. The folder must be there; a file of that name is replaced, or that a link of that name
 * leads to.
 * @throws StoreError if the file cannot be written
 */
export async function savePng(path: string, image: RgbImage, options: SavePngOptions = {}): Promise<void> {
  const bytes = options.metadata === false ? encodePng(image) : encodeMadePng(image);
  await replaceFile(path, bytes).catch((cause: NodeJS.ErrnoException) => {
    if (cause instanceof StoreError) throw cause;
    const hint = cause.code === 'ENOENT' ? 'Make its folder first' : 'Check the folder and the disk';
    throw new StoreError('savePng', `${path} cannot be written (${cause.code}). ${hint}.`, { cause });
  });
}
