// Texts of other people that would steer a terminal or be markup, in what each command prints and writes.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@paris/files/safetensors';
import type { RgbImage } from '@paris/sampler';
import { encodeMadePng } from '@paris/sampler/metadata';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { htmlSheet } from './sample/sheet.js';
import { parisHere } from './testing/paris-here.js';

const hostile = '\u001b]52;c;aGk=\u0007\u009b31m\u202e';
const shown = '\\u001b]52;c;aGk=\\u0007\\u009b31m\\u202e';
const markup = '"><script src=//x></script>';

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-hostile-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A picture that says of itself that it was made with this prompt. */
function made(prompt: string): RgbImage {
  const data = new Uint8Array(3);
  const guidance = { scale: 2, start: 0, stop: 1, rescale: 0, kind: 'cfg' } as const;
  const how = { seed: 1, picture: 0, steps: 2, sampler: 'euler', schedule: 'uniform', guidance, routing: 'top1' };
  return { width: 1, height: 1, data, made: { prompt, negativePrompt: '', model: 'a'.repeat(64), ...how } as never };
}

/** Runs a command, which quotes the text, and expects that nothing of what it prints steers a terminal. */
async function expectQuoted(args: readonly string[]) {
  const { stdout, stderr } = await parisHere(args);
  expect(stdout + stderr).toContain(shown);
  expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
}

it('info and sample --like quote what a picture says', async () => {
  await writeFile(at('made.png'), encodeMadePng(made(`cat ${hostile}`)));
  await expectQuoted(['info', at('made.png')]);
  await expectQuoted(['sample', at('none'), '--like', at(`${hostile}.png`)]);
});

it('import quotes names of tensors', async () => {
  const tensor = { dtype: 'f32', shape: [1], data: Float32Array.of(1) } as const;
  await writeFile(at('weights.safetensors'), writeSafetensors({ [`blocks.${hostile}.weight`]: tensor }));
  await expectQuoted(['import', at('weights.safetensors'), '--out', at('imported')]);
});

it.each(['', '--json'])('prepare %s quotes names of files', async (json) => {
  const photos = at(`photos${json}`);
  await mkdir(photos);
  for (let i = 0; i < 4; i++) {
    const background = { r: 60 * i, g: 0, b: 200 };
    await sharp({ create: { width: 4, height: 4, channels: 3, background } }).toFile(join(photos, `${i}.png`));
  }
  await writeFile(join(photos, `${hostile}.png`), 'no picture');
  await writeFile(at('captions.csv'), `file,caption\n${hostile}.jpg,nobody\n0.png,red\n`);
  const args = ['prepare', photos, '--captions', at('captions.csv'), '--size', '4', '--out', at(`data${json}`)];
  await expectQuoted(json ? [...args, json] : args);
});

it('a contact sheet has prompts as text', () => {
  const page = Buffer.from(htmlSheet([made(markup)], [markup], true)).toString();
  expect(page).not.toContain('<script');
  expect(page.match(/&#34;&#62;&#60;script src=\/\/x&#62;/g)).toHaveLength(3); // alt, title, caption
});
