// How commands end when something outside ends: the pipe that they print to, their terminal, their parent. Real
// processes; each carries a mark in its environment, by which what it leaves behind is found.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { dit } from '@paris/dit';
import { nodeStore } from '@paris/files/node';
import { routerTransformer } from '@paris/router';
import { openDevice } from '@paris/tensor';
import { chooseAdapter } from '@paris/tensor/node';
import { requireCapability } from '@paris/test-tools';
import { expectNoProcesses, MARK, markedProcesses } from '@paris/test-tools/processes';
import { assemble, ditConfig, routerConfig, trainExpert, trainRouter } from '@paris/trainer';
import { prepare } from '@paris/trainer/node';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toySize, toyTraining, writeToyData } from '../../trainer/src/testing/toy.js';

const bin = fileURLToPath(new URL('../bin/paris.js', import.meta.url));
let works = false;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-processes-'));
  works = (await chooseAdapter().catch(() => undefined)) !== undefined;
  await mkdir(join(folder, 'photos'));
  const large = await sharp({ create: { width: 3000, height: 3000, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  for (let i = 0; i < 12; i++) await writeFile(join(folder, 'photos', `${i}.png`), large);
  await mkdir(join(folder, 'small'));
  for (let i = 0; i < 12; i++) {
    const background = { r: 20 * i, g: i % 2 ? 200 : 30, b: 90 };
    await sharp({ create: { width: 8, height: 8, channels: 3, background } }).toFile(join(folder, 'small', `${i}.png`));
  }
  await prepare({ source: join(folder, 'small'), size: 8, out: nodeStore(join(folder, 'prepared')) });
  if (works) await trainToy();
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach((context) => {
  requireCapability(context, 'proc', process.platform === 'linux', 'there is no /proc here');
  requireCapability(context, 'adapter', works, 'WebGPU gives no adapter');
});

/** Data, runs and a model, for commands that read them. */
async function trainToy(): Promise<void> {
  const device = await openDevice();
  const [data, runs] = [nodeStore(join(folder, 'data')), nodeStore(join(folder, 'finished'))];
  await writeToyData(data);
  const common = { device, data, runs, training: { ...toyTraining, steps: 1 } };
  for (const cluster of [0, 1, 2])
    await trainExpert({ ...common, cluster, architecture: dit, config: ditConfig(toySize) });
  await trainRouter({ ...common, architecture: routerTransformer, config: routerConfig(toySize) });
  await assemble({ runs, out: nodeStore(join(folder, 'model')), licence: 'MIT' });
  await device.close();
}

const size = ['--width', '16', '--depth', '1', '--heads', '2', '--batch', '4'];
const endless = ['--steps', '100000', '--checkpoint-every', '4'];
const at = (name: string) => join(folder, name);

interface Command {
  name: string;
  /** `out` is a name that no other test uses. */
  argv: (out: string) => string[];
  /** What it prints when it is in the middle of its work; default its first line. */
  busy?: RegExp;
  /** It does not end by itself while the test runs. */
  long?: true;
  /** It gives JSON lines, which it writes until it ends. */
  writes?: true;
}

const commands: Command[] = [
  {
    name: 'train expert',
    argv: (out) => ['train', 'expert', at('data'), '--cluster', '1', '--out', out, ...size, ...endless, '--json'],
    busy: /"progress"/,
    long: true,
    writes: true,
  },
  {
    // As on a GPU, in a process of its own.
    name: 'train expert --watchdog',
    argv: (out) => [...commands[0]!.argv(out), '--watchdog', '120'],
    busy: /"progress"/,
    long: true,
    writes: true,
  },
  {
    name: 'train router',
    argv: (out) => ['train', 'router', at('data'), '--out', out, ...size, ...endless, '--json'],
    busy: /"progress"/,
    long: true,
    writes: true,
  },
  {
    name: 'sample',
    argv: (out) => ['sample', at('model'), '--prompt', 'red', '--steps', '10000', '--out', `${out}.png`, '--json'],
    busy: /"what":"sample"/,
    long: true,
    writes: true,
  },
  {
    name: 'prepare',
    argv: (out) => ['prepare', at('photos'), '--out', out, '--json'],
    busy: /"progress"/,
    long: true,
    writes: true,
  },
  { name: 'tune', argv: (out) => ['tune', '--out', `${out}.json`, '--json'], long: true, writes: true },
  { name: 'profile', argv: () => ['profile', ...size, '--size', '8', '--steps', '2', '--json'] },
  {
    name: 'evaluate',
    argv: (out) => ['evaluate', at('model'), '--data', at('data'), '--out', `${out}.json`, '--json'],
  },
  { name: 'partition', argv: () => ['partition', at('prepared'), '--sweep', '2,3', '--json'] },
  { name: 'merge', argv: (out) => ['merge', at('prepared'), '--out', out, '--json'] },
  { name: 'assemble', argv: (out) => ['assemble', at('finished'), '--out', out, '--json'] },
  { name: 'info', argv: () => ['info', at('model')] },
  { name: 'doctor', argv: () => ['doctor'] },
  { name: 'exec', argv: () => ['exec', '--', 'sh', '-c', 'echo ready; exec sleep 300'], busy: /ready/, long: true },
];

/** All that happens to a command happens to these; to the others in `npm run test:long -- processes`. They all end in one place. */
const tried = process.env.PARIS_EVERY_COMMAND
  ? commands
  : commands.filter(({ name }) => /expert|sample|prepare|exec/.test(name));

let names = 0;

/** Starts a command as a shell would: in a process group of its own. `wrap` is a shell's text around `"$@"`. */
function start({ argv }: Command, wrap?: string) {
  const mark = randomUUID();
  const out = at(`out-${names++}`);
  const paris = [process.execPath, bin, ...argv(out)];
  const [program, ...rest] = wrap === undefined ? paris : ['sh', '-c', wrap, 'sh', ...paris];
  const child = spawn(program!, rest, {
    env: { ...process.env, [MARK]: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  return { child, mark, out, ended, stdout: () => stdout, stderr: () => stderr.replace(/^Warning: .*\n/gm, '') }; // Dawn's
}

/** Resolves when the command is in the middle of its work. @throws Error if it ended without a sign of that */
async function untilBusy({ busy = /./ }: Command, { child }: ReturnType<typeof start>): Promise<void> {
  const seen = new Promise<void>((resolve) => {
    createInterface(child.stdout).on('line', (line) => busy.test(line) && resolve());
    createInterface(child.stderr).on('line', (line) => busy.test(line) && resolve());
  });
  const closed = new Promise<void>((_, reject) =>
    child.once('close', (code) => reject(new Error(`it ended with ${code} before it was busy`))),
  );
  await Promise.race([seen, closed]);
}

const signals = { SIGHUP: 129, SIGTERM: 143 } as const;

describe.each(tried)('paris $name', (command) => {
  it('ends quietly when the pipe that it prints to is closed', async () => {
    const run = start(command);
    await untilBusy(command, run);
    run.child.stdout.destroy();
    if (command.name === 'exec') run.child.kill('SIGTERM'); // what it runs prints no more
    const code = await run.ended;
    const expected = command.name === 'exec' ? [143] : command.writes ? [141] : [0, 141];
    expect(expected, run.stderr()).toContain(code);
    if (code === 141) expect(run.stderr()).toBe('');
    expect(run.stderr()).not.toMatch(/EPIPE|at .*\.js/);
    await expectNoProcesses(run.mark);
  });

  it.each([
    ['SIGHUP', 'all of its terminal', -1],
    ['SIGTERM', 'the command alone', 1],
  ] as const)('ends for %s to %s', async (signal, _, group) => {
    const run = start(command);
    await untilBusy(command, run);
    process.kill(group * run.child.pid!, signal);
    const code = await run.ended;
    if (command.long) expect(code, run.stderr()).toBe(signals[signal]);
    await expectNoProcesses(run.mark);
  });

  it('leaves no process behind when it is killed', async () => {
    const run = start(command);
    await untilBusy(command, run);
    run.child.kill('SIGKILL');
    await run.ended;
    await expectNoProcesses(run.mark);
  });
});

it('a process works, watched by another with a GPU or where it is asked for', async () => {
  const [processor, watched] = [commands[0]!, commands[1]!];
  const counts: number[] = [];
  for (const command of [processor, watched]) {
    const run = start(command);
    await untilBusy(command, run);
    counts.push((await markedProcesses(run.mark)).length);
    run.child.kill('SIGTERM');
    await expectNoProcesses(run.mark);
  }
  expect(counts[0] === 1).toBe(process.env.PARIS_ADAPTER === 'cpu');
  expect(counts[1]).toBeGreaterThan(1);
});

it.each(commands.filter(({ name }) => name !== 'exec'))(
  // what it runs does not write
  'paris $name ends when a pipeline keeps its first line only, errors included',
  async (command) => {
    const run = start(command, '"$@" 2>&1 | head -1');
    await run.ended;
    expect(run.stdout()).toMatch(/^(?!paris:)[^\n]+\n$/);
    expect(run.stdout()).not.toMatch(/Error|node:/);
    await expectNoProcesses(run.mark);
  },
);

it('a training whose reader went away has saved what it did', async () => {
  const run = start(commands[0]!);
  await untilBusy(commands[0]!, run);
  run.child.stdout.destroy();
  expect(await run.ended).toBe(141);
  expect((await readdir(join(run.out, 'expert-01/checkpoints'))).length).toBeGreaterThan(0);
});

it('a process that takes itself for a child without a parent ends, and starts nothing', async () => {
  const mark = randomUUID();
  const argv = [bin, ...commands[0]!.argv(at('orphan'))];
  const child = spawn(process.execPath, argv, { env: { ...process.env, [MARK]: mark, PARIS_ATTEMPT: '0' } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(75);
  expect({ stdout, stderr }).toEqual({
    stdout: '',
    stderr: 'paris: [adapter] the process that started this one is gone.\n',
  });
  await expectNoProcesses(mark, 5_000);
});
