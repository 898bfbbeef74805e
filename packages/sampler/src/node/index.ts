/** What needs Node's file system. */
import { writeFile } from 'node:fs/promises';
import type { RgbImage } from '../images/image.js';
import { encodePng } from '../images/png.js';

/** Writes a picture as a PNG file. */
export async function savePng(path: string, image: RgbImage): Promise<void> {
  await writeFile(path, encodePng(image));
}
