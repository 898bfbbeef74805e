// Disks that are full or read-only, as the system has them: mounts of our own, which only root may make.
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { requireCapability } from '@paris/test-tools';
import { saidBy } from '@paris/test-tools/said';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, it, type TestContext } from 'vitest';
import { counter, steps } from '../run/counter.testing.js';
import { runTraining } from '../run/run.js';
import { prepare } from './prepare.js';

let folder: string;
let disk: string;
const command = (...args: string[]) => spawnSync(args[0]!, args.slice(1)).status === 0;
const mount = (options: string) => command('mount', '-t', 'tmpfs', '-o', options, 'paris-test', disk);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-disk-'));
  disk = join(folder, 'disk');
  await mkdir(disk);
});
afterEach(async () => {
  command('umount', disk);
  await chmod(disk, 0o755);
  await rm(folder, { recursive: true });
});
const requireMount = (context: TestContext, mounted: boolean) =>
  requireCapability(context, 'tmpfs', mounted, 'this user may not mount a disk');

const train = (runs: string) =>
  runTraining(async () => counter(), {
    runs: nodeStore(runs),
    name: 'router',
    identity: { kind: 'router', options: { steps }, data: { sha256: 'd', count: 5 } },
    versions: {},
    adapter: { fingerprint: 'f', name: 'test adapter' },
    checkpointEvery: 3,
  });
const withoutPaths = (said: string) => said.replaceAll(folder, '…').replace(/(paris-replacement-)[0-9a-f-]+/, '$1ID');

it('prepare on a full disk says so, leaves no part of a file, and keeps what was there', async (context) => {
  requireMount(context, mount('size=64k'));
  const source = join(folder, 'photos');
  await mkdir(source);
  for (const name of ['a', 'b']) {
    const noise = Buffer.from(Array.from({ length: 3 * 160 * 160 }, (_, i) => (i * 7919) % 251));
    await sharp(noise, { raw: { width: 160, height: 160, channels: 3 } })
      .png()
      .toFile(join(source, `${name}.png`));
  }
  const run = (size: number) => prepare({ source, size, holdout: 0, out: nodeStore(disk) });
  await run(8);
  const before = await readFile(join(disk, 'images.safetensors'));
  expect(withoutPaths(await saidBy(() => run(160)))).toMatchInlineSnapshot(
    `"UnavailableError: [store] cannot write "paris-replacement-ID/new/images.safetensors": ENOSPC: no space left on device. Free some space."`,
  );
  expect((await readdir(disk)).sort()).toEqual(['images.safetensors', 'manifest.json']);
  expect(await readFile(join(disk, 'images.safetensors'))).toEqual(before);
});

it('a training on a full disk says so, and resumes when there is room', async (context) => {
  requireMount(context, mount('size=64k'));
  await writeFile(join(disk, 'other'), new Uint8Array(65_536)).catch(() => undefined); // takes what there is
  expect(withoutPaths(await saidBy(() => train(disk)))).toMatchInlineSnapshot(
    `"UnavailableError: [store] cannot lock "router": ENOSPC: no space left on device. Free some space."`,
  );
  await rm(join(disk, 'other'));
  expect((await train(disk)).status).toBe('finished');
});

it('a read-only folder is reported in one sentence, and stays as it is', async (context) => {
  if (process.getuid?.() === 0) requireMount(context, mount('size=64k') && command('mount', '-o', 'remount,ro', disk));
  else await chmod(disk, 0o555);
  const said = withoutPaths(await saidBy(() => train(disk)));
  expect(said.replace(/E(ROFS: read-only file system|ACCES: permission denied)/, '(why)')).toMatchInlineSnapshot(
    `"FileNotFoundError: [store] there is no file "router". Check the path, or make the file first."`,
  );
  expect(await readdir(disk)).toEqual([]);
});
