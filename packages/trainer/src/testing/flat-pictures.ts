// Pictures of one colour each, as files.
import { join } from 'node:path';
import sharp from 'sharp';

/** Writes 0.png to 11.png of `edge` × `edge` pixels into a folder. */
export async function writeFlatPictures(folder: string, edge: number): Promise<void> {
  for (let i = 0; i < 12; i++) {
    const background = { r: 20 * i, g: i % 2 ? 200 : 30, b: 90 };
    await sharp({ create: { width: edge, height: edge, channels: 3, background } }).toFile(join(folder, `${i}.png`));
  }
}
