// The command as a user meets it. What needs a GPU is in isolation.test.ts.
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paris } from './testing/paris.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-cli-'));
  await mkdir(join(folder, 'photos'));
  for (let i = 0; i < 6; i++) {
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 40 * i, g: 9, b: 9 } } });
    await picture.png().toFile(join(folder, 'photos', `red-${i}.png`));
  }
  await writeFile(join(folder, 'photos/bad.png'), 'no picture');
});
afterAll(() => rm(folder, { recursive: true }));

describe('paris', () => {
  it('lists its commands', async () => {
    const { code, stdout } = await paris(['--help']);
    expect(code).toBe(0);
    for (const name of [
      'prepare',
      'merge',
      'partition',
      'train',
      'launch',
      'assemble',
      'distil',
      'cache',
      'verify',
      'bundle',
      'key',
      'sample',
      'evaluate',
      'experiment',
      'info',
      'doctor',
      'tune',
      'exec',
    ]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
  });

  it.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['prepare', 'x'], "required option '--out <folder>' not specified"],
    [['prepare', 'x', '--out', 'y', '--size', '0'], 'It must be a whole number from 1 on.'],
    [['train', 'expert', 'x', '--out', 'y', '--cluster', 'three'], 'It is not a whole number.'],
    [['train', 'expert', 'x', '--out', 'y', '--prediction', 'score'], 'choices are velocity, epsilon, sample, v.'],
    [
      ['train', 'expert', 'x', '--out', 'y', '--times', 'late'],
      'Known: uniform, logit-normal, logit-normal:MEAN,DEVIATION.',
    ],
    [
      ['sample', 'x', '--prompt', 'a', '--routing', 'best'],
      'there is no policy "best". Write full, top2, threshold0.05',
    ],
    [['verify', 'x', '--data', 'y', '--confidence', '2'], 'It must be a number up to 1.'],
    [['verify', 'x', '--data', 'y', '--root', 'abc'], '--root is a SHA-256: 64 hexadecimal digits'],
    [['key'], 'give --out FILE or --show FILE'],
    [['train'], 'train one expert, the router, a codec, or what a job bundle asks for'],
    [['assemble', 'x', '--out', 'y', '--routing', 'topp2'], 'there is no policy "topp2". Write full, top2'],
    [['sample', 'x', '--prompt', 'a', '--sampler', 'plms'], 'no sampler is called "plms". Known: euler, heun,'],
    [['distil', 'x', '--data', 'y', '--out', 'z', '--teacher', 'best'], 'there is no policy "best". Write full, top2'],
    [['evaluate', 'x', '--data', 'y', '--pictures', '2'], 'It must be 0, or a whole number from 3 on.'],
    [['evaluate', 'x', '--data', 'y', '--compare', 'top2,worst'], 'there is no policy "worst". Write full, top2'],
    [['sample', 'x', '--adapter', 'abacus'], 'Allowed choices are auto, gpu, cpu, lavapipe, swiftshader.'],
  ])('ends with 2 for wrong usage: %j', async (args, message) => {
    const { code, stderr } = await paris(args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it('says in one sentence what failed, and ends with its code; the stack is for PARIS_DEBUG', async () => {
    const args = ['prepare', join(folder, 'nowhere'), '--out', join(folder, 'x')];
    const { code, stderr } = await paris(args);
    expect(code).toBe(65);
    expect(stderr.trim()).toBe(
      `paris: [prepare] ${folder}/nowhere is not a folder, a .tar (.tar.gz, .tgz) or a .parquet. Check the path.`,
    );
    expect((await paris(args, { env: { PARIS_DEBUG: '1' } })).stderr).toContain('at ');
  });

  it('shows what would steer a terminal, and does not obey it', async () => {
    const hostile = '\u001b]52;c;aGk=\u0007\nlicence  MIT\u202e';
    const shown = '\\u001b]52;c;aGk=\\u0007\\nlicence  MIT\\u202e';
    const failed = await paris(['info', hostile]);
    expect(failed.stderr).toContain(`paris: [info] ${shown} is neither`);
    const wrong = await paris(['sample', 'x', '--prompt', 'a', '--sampler', hostile]);
    expect(wrong.stderr).toContain('\\u001b]52;c;aGk=\\u0007');
    const prepared = await paris(['prepare', join(folder, hostile), '--out', join(folder, 'x'), '--json']);
    for (const { stdout, stderr } of [failed, wrong, prepared]) {
      expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
    }
  });

  it('prepares a folder and reports what it skipped', async () => {
    const data = join(folder, 'data');
    const { code, stderr } = await paris([
      'prepare',
      join(folder, 'photos'),
      '--size',
      '4',
      '--holdout',
      '0.3',
      '--out',
      data,
    ]);
    expect(stderr).toContain('warning: skipped, 1: bad.png (');
    expect(stderr).toMatch(/\d pictures for training, \d held out, \d+ words/);
    expect(code).toBe(0);
    expect(JSON.parse(await readFile(join(data, 'manifest.json'), 'utf8'))).toMatchObject({ count: 6, size: 4 });
    expect((await paris(['info', data])).stdout).toContain('not yet: paris partition');
    const merge = ['merge', data, '--out', join(folder, 'merged')];
    const other = `${data} was split with --holdout 0.3 --seed 0, and this with 0.1 and 0: give these options here, too`;
    expect((await paris(merge)).stderr).toContain(`warning: ${other}`);
    expect((await paris([...merge, '--holdout', '0.3'])).stderr).not.toContain('was split');
  });

  it('says what it leaves out by reason, and which patches fit', async () => {
    const source = join(folder, 'mixed');
    await mkdir(source);
    for (let i = 0; i < 3; i++) await copyFile(join(folder, `photos/red-${i}.png`), join(source, `${i}.png`));
    for (const name of ['a.heic', 'b.heic', 'c.bmp', 'd.txt', 'e.txt']) await writeFile(join(source, name), 'x');
    const captions = join(folder, 'mixed.csv');
    await writeFile(captions, 'file;caption\n0.png;a b c d e f g h i\n1.png;b\n2.png;c\n');
    const args = ['--captions', captions, '--size', '15', '--holdout', '0', '--out', join(folder, 'data3')];
    const { code, stderr } = await paris(['prepare', source, ...args]);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('warning: skipped, 2: a.heic, b.heic (HEIC is not read; convert it to PNG or JPEG)\n');
    expect(stderr).toContain('warning: skipped, 1: c.bmp (BMP is not read; convert it to PNG or JPEG)\n');
    expect(stderr).toContain('warning: captions of more than 8 words (the rest is not learned), 1: 0.png\n');
    expect(stderr).toContain('files that are no pictures: 2 .txt\n');
    expect(stderr).toContain('prepare with another --size, or train with a --patch of 1, 3, 5, 15\n');
  });

  it('prints JSON lines where a program listens', async () => {
    const args = [
      'prepare',
      join(folder, 'photos'),
      '--size',
      '4',
      '--out',
      join(folder, 'data2'),
      '--json',
      '--adapter',
      'auto',
    ];
    const { stdout, stderr } = await paris(args);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({ type: 'notice' });
    expect(events.filter((event) => event.type === 'progress').at(-1)).toMatchObject({ step: 7, steps: 7 });
    expect(stderr).toBe('');
  });

  it('knows the published sizes', async () => {
    expect((await paris(['info', 'dit-xl-2'])).stdout).toContain('605,970,448 parameters');
    expect((await paris(['info', 'router-b-2'])).stdout).toContain('129,136,904 parameters');
    const { code, stderr } = await paris(['info', join(folder, 'photos')]);
    expect(stderr).toContain('is neither a model, run, data or codec folder nor a preset (dit-xl-2');
    expect(code).toBe(2);
  });
});
