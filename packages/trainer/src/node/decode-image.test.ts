import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from './decode-image.js';
import { decodePictures } from './sources/decode-ahead.js';

const pixelsOf = async (file: Uint8Array, size = 4, background?: string) => {
  const decoded = await decodeImage(file, { size, ...(background && { background }) });
  if ('reason' in decoded) throw new Error(decoded.reason);
  return decoded.pixels;
};
const plane = (pixels: Uint8Array, c: number) => [
  ...pixels.subarray((c * pixels.length) / 3, ((c + 1) * pixels.length) / 3),
];
const solid = (r: number, g: number, b: number, alpha = 1, side = 8) =>
  sharp({ create: { width: side, height: side, channels: 4, background: { r, g, b, alpha } } });

describe('decodeImage', () => {
  it('puts channels first', async () => {
    const pixels = await pixelsOf(await solid(10, 20, 30).png().toBuffer());
    expect(plane(pixels, 0)).toEqual(Array(16).fill(10));
    expect(plane(pixels, 1)).toEqual(Array(16).fill(20));
    expect(plane(pixels, 2)).toEqual(Array(16).fill(30));
  });

  it('composites transparency on white, or on what is asked for', async () => {
    const half = await solid(255, 0, 0, 0.5).png().toBuffer();
    const white = await pixelsOf(half);
    expect(white[0]).toBe(255);
    expect(Math.abs(white[16]! - 127)).toBeLessThanOrEqual(1);
    const black = await pixelsOf(half, 4, '#000000');
    expect(black[16]).toBe(0);
    expect(Math.abs(black[0]! - 128)).toBeLessThanOrEqual(1);
  });

  it.each(['jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)('reads %s', async (format) => {
    const pixels = await pixelsOf(await solid(200, 100, 50, 1, 16).toFormat(format).toBuffer());
    for (const [c, value] of [200, 100, 50].entries()) expect(Math.abs(plane(pixels, c)[5]! - value)).toBeLessThan(6);
  });

  it('makes three channels of grey, 8 bits of 16, and sRGB of CMYK', async () => {
    const grey = await pixelsOf(await solid(90, 90, 90).flatten().greyscale().png().toBuffer());
    expect(new Set(grey).size).toBe(1);
    expect(Math.abs(grey[0]! - 90)).toBeLessThanOrEqual(1);
    const deep = await solid(90, 60, 30).flatten().toColourspace('rgb16').png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe('ushort');
    const deep8 = await pixelsOf(deep);
    expect([0, 1, 2].map((c) => plane(deep8, c)[0])).toEqual([90, 60, 30]);
    const cmyk = await solid(200, 30, 30).flatten().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    const rgb = await pixelsOf(cmyk);
    expect(plane(rgb, 0)[0]!).toBeGreaterThan(plane(rgb, 1)[0]! + 80);
  });

  it('takes the first frame of an animation', async () => {
    const frame = (v: number) => solid(v, v, v).flatten().raw().toBuffer();
    const strip = Buffer.concat([await frame(250), await frame(5)]);
    const gif = await sharp(strip, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } })
      .gif()
      .toBuffer();
    expect((await sharp(gif, { animated: true }).metadata()).pages).toBe(2);
    expect((await pixelsOf(gif))[0]).toBeGreaterThan(240);
  });

  it('turns the picture as the camera held it', async () => {
    const left = Buffer.alloc(8 * 8 * 3);
    for (let i = 0; i < 64; i++) left[i * 3] = i % 8 < 4 ? 255 : 0; // red on the left half
    const turned = await sharp(left, { raw: { width: 8, height: 8, channels: 3 } })
      .withMetadata({ orientation: 6 }) // 90° clockwise: left becomes top
      .png()
      .toBuffer();
    const red = plane(await pixelsOf(turned, 8), 0);
    expect(red[8 * 0 + 7]).toBeGreaterThan(200);
    expect(red[8 * 7 + 0]).toBeLessThan(50);
  });

  it('names what is wrong with a broken, a truncated and an empty file', async () => {
    const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251));
    const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .png()
      .toBuffer();
    const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer();
    for (const bad of [
      whole.subarray(0, whole.length >> 1),
      jpeg.subarray(0, jpeg.length >> 1),
      Buffer.from('not a picture'),
      Buffer.alloc(0),
    ]) {
      const decoded = await decodeImage(bad, { size: 8 });
      expect('reason' in decoded && decoded.reason.length).toBeGreaterThan(5);
    }
  });
});

it('a way of fitting and a need that there are not are refused, and no picture is skipped for them', async () => {
  const fit = 'crop' as 'cover';
  const message = '[prepare] fit is "crop". Give "cover" or "contain".';
  await expect(decodeImage(Buffer.alloc(0), { size: 8, fit })).rejects.toThrow(message);
  const source = { pictures: noPictures() };
  expect(() => decodePictures(source, { size: 8, fit })).toThrow(message);
  expect(() => decodePictures(source, { size: 8, filter: { needs: ['score' as 'caption'] } })).toThrow(
    '[prepare] a need is "score". Give "caption" or "category".',
  );
});

async function* noPictures(): AsyncGenerator<never> {}
