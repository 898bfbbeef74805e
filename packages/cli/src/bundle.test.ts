// paris bundle as it is typed: what of the training goes into a job, and what is refused since it would be lost.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { createKeys, openJob } from '@paris/trainer';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { writeToyData } from '../../trainer/src/testing/toy.js';
import { readBundle, readSecretKey, readTrust, writeSecretKey } from './bundle-file.js';
import { bundleCommand } from './commands/bundle.js';

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-bundle-'));
  await writeToyData(nodeStore(at('data')));
  await writeSecretKey(at('my.key'), (await createKeys()).secretKey);
});
afterEach(() => rm(at('job.paris'), { force: true }));
afterAll(() => rm(folder, { recursive: true }));

const bundle = (...args: string[]) =>
  bundleCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parseAsync([at('data'), '--key', at('my.key'), '--out', at('job.paris'), ...args], { from: 'user' });

it('makes a job of its own options and those of the training', async () => {
  await writeFile(at('config.yaml'), 'steps: 7\ncluster: 0\nout: elsewhere\ncheckpoint-every: 3\n');
  const training = ['--', '--config', at('config.yaml'), '--width', '8', '--heads', '2'];
  await bundle('--cluster', '1', '--prove-every', '2', '--max-hours', '0.5', ...training);
  const { job } = await openJob(await readFile(at('job.paris')));
  expect(job).toMatchObject({ proveEvery: 2, maxHours: 0.5, identity: { cluster: 1, options: { steps: 7 } } });
});

it.each([
  ['--prove-every', '2'],
  ['--max-hours', '0.5'],
  ['--cluster', '0'],
  ['--out', 'elsewhere'],
])('takes %s before -- only', async (...option) => {
  await expect(bundle('--cluster', '1', '--', ...option)).rejects.toThrow(
    `[bundle] ${option[0]} of a job is an option of paris bundle. Give it before --.`,
  );
  expect(existsSync(at('job.paris'))).toBe(false);
});

it('refuses them in a config file, too, where they would be lost', async () => {
  await writeFile(at('config.yaml'), 'max-hours: 0.5\n');
  await expect(bundle('--cluster', '1', '--', '--config', at('config.yaml'))).rejects.toThrow(
    '--max-hours of a job is',
  );
});

it.each([['--fresh'], ['--checkpoint-every', '5'], ['--grace', '30s'], ['--max-lost', '0.1'], ['--sample-every', '5']])(
  'refuses %s, which is decided where the job is trained',
  async (...option) => {
    await expect(bundle('--cluster', '1', '--', ...option)).rejects.toThrow(
      `[bundle] ${option[0]} is no part of a job: who trains it decides. Leave it out.`,
    );
  },
);

it('refuses no hours at all', async () => {
  await expect(bundle('--cluster', '1', '--max-hours', '0')).rejects.toThrow('It must be a number above 0.');
});

it.each([[['--max-hours', '2']], [['--prove-every', '2']], [['--', '--steps', '4']]])(
  'refuses %j of no job',
  async (args) => {
    await expect(bundle(...args)).rejects.toThrow('are those of a job. Give its --cluster, or leave them out');
  },
);

it.each([
  ['a bundle', readBundle],
  ['a list of keys', readTrust],
  ['a secret key', readSecretKey],
])('says what a path is that is no file of %s', async (_, read) => {
  await expect(read(at('data'))).rejects.toThrow(`[bundle] ${at('data')} is a folder. Name a file.`);
  await expect(read(at('nothing'))).rejects.toThrow(`[bundle] there is no file ${at('nothing')}. Check the path.`);
  await expect(read(at('my.key/x'))).rejects.toThrow('(ENOTDIR). Check the path and its rights.');
});

it('writes a key into a folder that is not there yet, and says where it cannot', async () => {
  await writeSecretKey(at('keys/mine/my.key'), 'secret');
  expect(await readFile(at('keys/mine/my.key'), 'utf8')).toBe('secret\n');
  expect((await stat(at('keys/mine/my.key'))).mode & 0o777).toBe(0o600);
  await expect(writeSecretKey(at('keys/mine/my.key'), 'other')).rejects.toThrow('my.key is there already');
  await expect(writeSecretKey(at('my.key/x/y'), 'other')).rejects.toThrow(
    'y cannot be written (ENOTDIR). Give another',
  );
});
