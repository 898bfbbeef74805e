import { decode } from 'fast-png';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Made } from '../images/made.js';
import { isPng, textOf, withText } from './chunks.js';
import { encodeMadePng, readPictureMetadata } from './metadata.js';
import { version } from './version.js';

const made: Made = {
  ...{ prompt: 'a cat, smiling', negativePrompt: 'dog\nbird', seed: 7, picture: 2, steps: 30 },
  ...{ sampler: 'heun', schedule: 'karras', routing: 'top2', model: 'ab'.repeat(32) },
  guidance: { scale: 2, start: 0, stop: 1, rescale: 0, kind: 'cfg' },
};
const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6), made };

describe('a picture that was made', () => {
  it('says how, in the form that web UIs read', () => {
    const { parameters } = readPictureMetadata(encodeMadePng(image));
    expect(parameters).toBe(
      'a cat, smiling\nNegative prompt: dog\nbird\nSteps: 30, Sampler: heun, Schedule type: karras, CFG scale: 2, Seed: 7, ' +
        `Size: 2x1, Model hash: ababababab, Routing: top2, Picture: 2, Version: Paris ${version}`,
    );
  });

  it('gives back all of it, and the pixels', () => {
    const special: Made = {
      ...made,
      ...{ prompt: '猫 🐈 "x"', sampler: (() => undefined) as never, strength: 0.5, image: 'cd'.repeat(32) },
      guidance: { scale: 2, start: 0.1, stop: 1, rescale: 0, kind: 'apg' },
      interpolate: { prompt: 'dog', seed: { seed: 1, picture: 0 }, amount: 0.5 },
    };
    const png = encodeMadePng({ ...image, made: special });
    expect(readPictureMetadata(png).made).toEqual({ ...special, sampler: 'custom', version });
    expect(readPictureMetadata(png).parameters).toContain('Guidance: "{\\"scale\\":2,\\"start\\":0.1');
    expect([...decode(png, { checkCrc: true }).data]).toEqual([...image.data]);
    expect(encodeMadePng({ ...image, made: special })).toEqual(png);
  });

  it('is marked as made by a trained model where other programs look', async () => {
    const { xmp } = await sharp(encodeMadePng(image)).metadata();
    expect(String(xmp)).toContain('digitalsourcetype/trainedAlgorithmicMedia');
  });

  it('says nothing where nothing is known', () => {
    const { made: _, ...plain } = image;
    expect(readPictureMetadata(encodeMadePng(plain))).toEqual({});
    expect(readPictureMetadata(Uint8Array.of(1, 2, 3))).toEqual({});
  });
});

it('what is broken or hostile is left out or refused', () => {
  const png = encodeMadePng(image);
  for (let cut = 0; cut < png.length; cut += 7) {
    const part = png.slice(0, cut);
    expect(Object.keys(textOf(part)).every((name) => /^(parameters|paris|XML)/.test(name))).toBe(true);
  }
  const lying = png.slice();
  lying.set([0xff, 0xff, 0xff, 0xff], 33);
  expect(readPictureMetadata(lying)).toEqual({});
  const { made: _, ...plain } = image;
  const other = withText(encodeMadePng(plain), { paris: '{"seed": -1}', __proto__: 'x' });
  expect(isPng(other)).toBe(true);
  expect(() => readPictureMetadata(other)).toThrow('[readPictureMetadata] the picture');
});
