// `paris sample` with all that can be said, on the model of the quickstart.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodePng } from '@paris/sampler';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMade } from '../pictures.js';
import { commandHere } from '../testing/paris-here.js';

const model = fileURLToPath(new URL('../../../../examples/quickstart/model', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-sample-'));
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const sample = (...args: string[]) => commandHere(['sample', model, '--adapter', 'cpu', ...args]);

describe('paris sample', () => {
  it('writes pictures that say how they were made, and makes one of them again, byte for byte', async () => {
    await writeFile(at('prompts.txt'), 'cat\n\ndog\n');
    const how = [
      '--steps',
      '3',
      '--sampler',
      'dpmpp-2m',
      '--schedule',
      'karras',
      '--shift',
      '2',
      '--negative',
      'red',
      '--guidance-rescale',
      '0.5',
    ];
    const made = await sample(
      '--batch',
      at('prompts.txt'),
      '--count',
      '2',
      ...how,
      '--singles',
      at('all'),
      '--out',
      at('sheet.html'),
    );
    expect(made.code, made.stderr).toBe(0);
    expect(await readdir(at('all'))).toEqual(['0000.png', '0001.png', '0002.png', '0003.png']);
    const sheet = await readFile(at('sheet.html'), 'utf8');
    expect(sheet.match(/<img src="data:image\/png;base64,/g)).toHaveLength(4);
    expect(sheet).toContain('<figcaption>dog</figcaption>');
    const info = await commandHere(['info', at('all/0003.png')]);
    expect(info.stdout).toMatch(
      /^dog\nNegative prompt: red\nSteps: 3, Sampler: dpmpp-2m, Schedule type: karras, Shift: 2, CFG scale: 2,/,
    );
    const again = await sample('--like', at('all/0003.png'), '--out', at('again.png'));
    expect(again.code, again.stderr).toBe(0);
    expect(await readFile(at('again.png'))).toEqual(await readFile(at('all/0003.png')));
  });

  it('writes single pictures over its own, and over no other', async () => {
    const how = ['--prompt', 'cat', '--steps', '1', '--singles', at('album'), '--out', at('x.png')];
    for (const seed of ['1', '2']) {
      const { code, stderr } = await sample(...how, '--count', '1', '--seed', seed);
      expect(code, stderr).toBe(0);
    }
    const ours = await readFile(at('album/0000.png'));
    const photo = encodePng({ width: 1, height: 1, data: new Uint8Array(3) });
    await writeFile(at('album/0001.png'), photo);
    expect((await sample(...how, '--count', '1', '--seed', '2')).code).toBe(0);
    for (const more of [
      ['--count', '2'],
      ['--count', '1', '--compare', 'top1,full'],
    ]) {
      const { code, stderr } = await sample(...how, ...more);
      expect(stderr).toContain(
        `[sample] singles: ${at('album/0001.png')} is there, and does not say that Paris drew it.`,
      );
      expect(code).toBe(2);
    }
    expect([await readFile(at('album/0000.png')), await readFile(at('album/0001.png'))]).toEqual([
      ours,
      Buffer.from(photo),
    ]);
  });

  it('refuses a sheet that is too large before it draws, and not where it is HTML', async () => {
    const how = ['--prompt', 'cat', '--steps', '1', '--scale', '5000', '--singles', at('huge')];
    const { code, stderr } = await sample(...how, '--count', '1', '--out', at('huge.png'));
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('80000×80000 pixels, too many. Give a smaller --scale.'),
    ]);
    const many = await sample(...how, '--count', '3', '--out', at('huge.png'));
    expect(many.stderr).toContain('or an --out that ends in .html.');
    const sheet = await sample(...how, '--count', '1', '--out', at('huge.html'), '--trace', at('huge.json'));
    expect(sheet.code, sheet.stderr).toBe(0);
    expect(await readFile(at('huge.html'), 'utf8')).toMatch(/<figure>.*<\/main><\/html>\n$/s);
    expect(JSON.parse(await readFile(at('huge.json'), 'utf8')).pictures).toHaveLength(1);
  });

  it('says nothing where that is wished', async () => {
    const { code } = await sample(
      '--prompt',
      'cat',
      '--count',
      '1',
      '--steps',
      '1',
      '--no-metadata',
      '--out',
      at('mute.png'),
    );
    expect(code).toBe(0);
    const { code: asked, stderr } = await commandHere(['info', at('mute.png')]);
    expect([asked, stderr]).toEqual([65, expect.stringContaining('does not say how it was made')]);
  });

  it('paints in a picture and keeps the rest; policies side by side; telemetry as JSON', async () => {
    const input = { width: 16, height: 16, data: Uint8Array.from({ length: 768 }, (_, i) => (i * 31) % 256) };
    const white = {
      width: 16,
      height: 16,
      data: Uint8Array.from({ length: 768 }, (_, i) => (Math.floor(i / 3) % 16 < 8 ? 255 : 0)),
    };
    await writeFile(at('in.png'), encodePng(input));
    await writeFile(at('mask.png'), encodePng(white));
    const args = ['--prompt', 'cat', '--count', '1', '--steps', '2', '--image', at('in.png'), '--mask', at('mask.png')];
    const { code, stdout, stderr } = await sample(
      ...args,
      '--compare',
      'top1,full',
      '--singles',
      at('two'),
      '--out',
      at('two.png'),
      '--json',
    );
    expect(code, stderr).toBe(0);
    for (const name of ['0000.png', '0001.png']) {
      const drawn = await sharp(at(`two/${name}`))
        .raw()
        .toBuffer();
      for (let pixel = 0; pixel < 256; pixel++) {
        if (pixel % 16 < 8) continue;
        expect([...drawn.subarray(3 * pixel, 3 * pixel + 3)]).toEqual([
          ...input.data.subarray(3 * pixel, 3 * pixel + 3),
        ]);
      }
    }
    const { result } = JSON.parse(stdout.trim().split('\n').at(-1)!);
    expect(result.pictures.map(({ routing }: { routing: string }) => routing)).toEqual(['top1', 'full']);
    const [alone] = result.pictures[0].evaluations;
    expect(alone).toMatchObject({ disagreement: null, entropy: expect.any(Number), milliseconds: expect.any(Number) });
    expect(result.pictures[1].evaluations[0].disagreement).toBeGreaterThan(0);
  });

  it('draws the same within a memory budget, and says what came and went', async () => {
    const args = ['--prompt', 'cat', '--count', '3', '--steps', '2', '--routing', 'full'];
    const whole = await sample(...args, '--out', at('whole.png'));
    expect(whole.code, whole.stderr).toBe(0);
    const tooSmall = await sample(...args, '--out', at('parts.png'), '--memory-budget', '1kB');
    const [, least] = /memoryBudgetBytes is 1000: .* Give (\d+) or more\./.exec(tooSmall.stderr) ?? [];
    const within = [...args, '--out', at('parts.png'), '--memory-budget', `${least}B`, '--trace', at('parts.json')];
    const parts = await sample(...within);
    expect(parts.code, parts.stderr).toBe(0);
    expect(parts.stderr).toMatch(
      /experts loaded 7 times \(1\.5 MB, .* s\), 6 left for others, at most 0\.2 MB at once/,
    );
    expect(await readFile(at('parts.png'))).toEqual(await readFile(at('whole.png')));
    const trace = JSON.parse(await readFile(at('parts.json'), 'utf8'));
    expect(trace.residency).toMatchObject({ loads: 7, evictions: 6 });
    expect(trace.residency.peakBytes).toBe(trace.residency.budgetBytes);
    const swaps = trace.pictures[0].evaluations.map((each: { swaps: object }) => each.swaps);
    expect(swaps).toMatchObject([
      { loads: 4, evictions: 3 },
      { loads: 3, evictions: 3 },
    ]);
  });

  it('draws a picture again with another guidance only where that is named', async () => {
    const how = ['--prompt', 'cat', '--count', '1', '--steps', '2', '--guidance', '5', '--guidance-kind', 'apg'];
    await sample(...how, '--out', at('apg.png'));
    const again = await sample('--like', at('apg.png'), '--guidance-stop', '0.8', '--out', at('until.png'));
    expect(again.code, again.stderr).toBe(0);
    const { made } = await readMade(at('until.png'));
    expect(made.guidance).toEqual({ scale: 5, start: 0, stop: 0.8, rescale: 0, kind: 'apg' });
  });

  it('varies a picture towards the seed after its own', async () => {
    const how = ['--prompt', 'cat', '--count', '1', '--steps', '1', '--seed', '7'];
    await sample(...how, '--out', at('seven.png'));
    for (const [more, next] of [
      [[], 8],
      [['--seed', '20'], 21],
    ] as const) {
      const args = ['--like', at('seven.png'), ...more, '--variation-strength', '0.2', '--out', at('near.png')];
      const { code, stderr } = await sample(...args);
      expect(code, stderr).toBe(0);
      expect((await readMade(at('near.png'))).made.variation).toMatchObject({ seed: next, strength: 0.2 });
    }
  });

  it.each([
    [['--batch', 'prompts.txt'], 'both --like and --batch are given. Give one of them'],
    [['--count', '4'], 'both --like and --count are given, but a picture is drawn again once. Leave --count out.'],
  ])('does not draw a picture again with %j', async (more, message) => {
    const { code, stderr } = await sample('--like', at('any.png'), ...more, '--out', at('x.png'));
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  const pixels = async (file: string) => [...(await sharp(at(file)).raw().toBuffer())];

  it('varies a picture, and goes from one seed or prompt to another', async () => {
    const how = ['--prompt', 'cat', '--steps', '2', '--seed', '7'];
    const goal = ['--prompt', 'dog', '--steps', '2', '--seed', '11'];
    const runs = [
      [...how, '--count', '1', '--singles', at('plain')],
      [...how, '--count', '1', '--variation-strength', '0', '--singles', at('still')],
      [...how, '--count', '2', '--variation-strength', '0.2', '--variation-seed', '3', '--singles', at('varied')],
      [...how, '--count', '3', '--interpolate-seed', '11', '--interpolate-prompt', 'dog', '--singles', at('way')],
      [...goal, '--count', '1', '--singles', at('goal')],
    ];
    for (const run of runs) {
      const { code, stderr } = await sample(...run, '--out', at('x.png'));
      expect(code, stderr).toBe(0);
    }
    const plain = await pixels('plain/0000.png');
    expect(await pixels('still/0000.png')).toEqual(plain);
    expect(await pixels('varied/0000.png')).not.toEqual(plain);
    expect(await pixels('varied/0001.png')).not.toEqual(await pixels('varied/0000.png'));
    expect(await pixels('way/0000.png')).toEqual(plain);
    expect(await pixels('way/0001.png')).not.toEqual(plain);
    const there = await pixels('goal/0000.png');
    for (const [i, level] of (await pixels('way/0002.png')).entries()) {
      expect(Math.abs(level - there[i]!)).toBeLessThanOrEqual(1);
    }
    const again = await sample('--like', at('way/0001.png'), '--singles', at('again'), '--out', at('x.png'));
    expect(again.code, again.stderr).toBe(0);
    expect(await pixels('again/0000.png')).toEqual(await pixels('way/0001.png'));
  });

  it('leads away from a weaker model, and says so', async () => {
    const how = ['--prompt', 'cat', '--count', '1', '--steps', '2', '--seed', '7', '--scale', '1'];
    await sample(...how, '--guidance', '1', '--out', at('plain.png'));
    const led = await sample(...how, '--autoguidance', model, '--autoguidance-scale', '3', '--out', at('led.png'));
    expect(led.code, led.stderr).toBe(0);
    const plain = await pixels('plain.png'); // the model differs from itself by nothing
    for (const [i, level] of (await pixels('led.png')).entries()) {
      expect(Math.abs(level - plain[i]!)).toBeLessThanOrEqual(1);
    }
    const { stdout } = await commandHere(['info', at('led.png')]);
    expect(stdout).toContain('CFG scale: 1,');
    expect(stdout).toContain('Autoguidance: "{\\"scale\\":3,');
    const forgotten = await sample('--like', at('led.png'), '--out', at('again.png'));
    expect([forgotten.code, forgotten.stderr]).toEqual([2, expect.stringContaining('made with --autoguidance.')]);
    const again = await sample('--like', at('led.png'), '--autoguidance', model, '--out', at('again.png'));
    expect(again.code, again.stderr).toBe(0);
    expect(await readFile(at('again.png'))).toEqual(await readFile(at('led.png')));
  });

  it.each([
    [2, ['--prompt', 'cat', '--variation-seed', '1'], 'there is a --variation-seed without --variation-strength.'],
    [2, ['--prompt', 'cat', '--count', '1', '--interpolate-seed', '1'], 'needs a --count of 2 or more'],
    [2, ['--prompt', 'cat', '--autoguidance-scale', '2'], '--autoguidance-scale without --autoguidance.'],
    [2, ['--prompt', 'cat', '--compare', 'top1,full', '--routing', 'top1'], 'both --compare and --routing are given.'],
    [2, ['--prompt', 'cat', '--memory-budget', '5'], 'Write a number of bytes with its unit: 2GB, 1.5GiB, 800MB.'],
    [2, [], 'there is no prompt. Give --prompt "…", --batch FILE or --like PICTURE.'],
    [2, ['--prompt', 'cat', '--strength', '0.5'], 'strength is given without image.'],
    [65, ['--prompt', 'cat', '--image', 'TEXT'], 'image: '],
    [65, ['--like', 'TEXT'], 'does not say how it was made'],
    [2, ['--prompt', 'cat', '--batch', 'TEXT'], 'both --prompt and --batch are given.'],
  ])('%i and one sentence for %j', async (ending, args, message) => {
    await writeFile(at('text.png'), 'no picture');
    const named = args.map((arg) => (arg === 'TEXT' ? at('text.png') : arg));
    const { code, stderr } = await sample(...named, '--out', at('x.png'));
    expect(stderr).toContain(message);
    expect(code).toBe(ending);
  });
});
