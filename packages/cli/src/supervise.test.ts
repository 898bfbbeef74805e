import { execFileSync, fork } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { hoursLeft } from './commands/train/flags.js';
import {
  ATTEMPT_VARIABLE,
  ELAPSED_VARIABLE,
  elapsedMs,
  GpuProcessError,
  type SuperviseOptions,
  supervise,
} from './supervise.js';

// Children signal this process. On a busy machine one comes when nobody listens any more: it must not end the test.
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const ignore = () => undefined;
beforeAll(() => {
  for (const signal of signals) process.on(signal, ignore);
});
afterAll(() => {
  for (const signal of signals) process.off(signal, ignore);
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-supervise-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs a script in which `attempt` is how often it was started before, `alive()` shows life and `hang()` never ends. */
async function run(body: string, options: Partial<SuperviseOptions> = {}) {
  const script = join(folder, 'child.mjs');
  await writeFile(
    script,
    `import { appendFileSync } from 'node:fs';
     const attempt = Number(process.env.${ATTEMPT_VARIABLE});
     appendFileSync(${JSON.stringify(join(folder, 'starts'))}, String(attempt));
     const alive = () => process.send({ type: 'alive' });
     const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
     const hang = () => { for (;;); };
     ${body}
     process.exit(0);`,
  );
  const reasons: string[] = [];
  const code = await supervise({
    argv: [process.execPath, script],
    env: process.env,
    timeoutMs: 1500, // a busy machine takes its time to start a process
    onRestart: (reason) => reasons.push(reason),
    ...options,
  });
  return { code, reasons, starts: await readFile(join(folder, 'starts'), 'utf8') };
}

describe('supervise', () => {
  it('gives back the exit code', async () => {
    expect(await run('process.exit(7)')).toEqual({ code: 7, reasons: [], starts: '0' });
  });

  it('lets a child live as long as it shows life', async () => {
    const { code, starts } = await run('for (let i = 0; i < 6; i++) { alive(); await sleep(150); }');
    expect({ code, starts }).toEqual({ code: 0, starts: '0' });
  });

  it('gives the first sign of life more time', async () => {
    expect((await run('await sleep(2000); alive()')).starts).toBe('0');
    const late = await run('if (attempt === 0) await sleep(20_000); alive()', { firstTimeoutMs: 2500 });
    expect(late.starts).toBe('001');
    expect(late.reasons).toEqual(['the GPU process made no progress for 2.5 s']); // as long as was waited
  });

  it('ends a child that hangs, even in a busy loop, and starts it again', async () => {
    const { code, reasons, starts } = await run('alive(); if (attempt < 2) { await sleep(50); hang(); }');
    expect(code).toBe(0);
    expect(starts).toBe('012');
    expect(reasons).toEqual(Array(2).fill('the GPU process made no progress for 1.5 s'));
  });

  it('starts a crashed child again, but not one that failed or was told to stop', async () => {
    const crash = await run(
      `if (attempt === 0) process.kill(process.pid, 'SIGSEGV'); await sleep(attempt ? 0 : 20_000)`,
    );
    expect(crash).toEqual({ code: 0, reasons: ['the GPU process crashed (SIGSEGV)'], starts: '01' });
    expect((await run(`process.kill(process.pid, 'SIGTERM'); await sleep(5000)`)).code).toBe(143);
    await expect(run(`process.kill(process.pid, 'SIGINT'); await sleep(5000)`)).rejects.toThrow('stopped');
  });

  it('gives up after two more tries with one sentence', async () => {
    const end = run('alive(); await sleep(50); hang();');
    await expect(end).rejects.toThrow(GpuProcessError);
    await expect(end).rejects.toThrow(
      'the GPU process made no progress for 1.5 s 3 times. Try another one with --adapter',
    );
    expect(await readFile(join(folder, 'starts'), 'utf8')).toBe('012');
  });

  it.each(signals)('starts nothing again after %s, even if the child hangs', async (signal) => {
    const deaf = `process.on('${signal}', () => {}); alive(); process.kill(process.ppid, '${signal}');`;
    await expect(run(`${deaf} await sleep(50); hang();`)).rejects.toThrow('stopped');
    expect(await readFile(join(folder, 'starts'), 'utf8')).toBe('0');
    await expect(run(`${deaf} await sleep(50); process.kill(process.pid, 'SIGSEGV'); hang();`)).rejects.toThrow(
      'stopped',
    );
    expect(await readFile(join(folder, 'starts'), 'utf8')).toBe('00');
    const saves = `process.on('${signal}', () => process.exit(9)); process.kill(process.ppid, '${signal}'); await sleep(9000);`;
    expect((await run(saves)).code).toBe(9);
  });

  it('ends a child that does not listen at a second signal, without waiting for the watchdog', async () => {
    const deaf = `process.on('SIGTERM', () => {}); process.kill(process.ppid, 'SIGTERM'); await sleep(1300);
      process.kill(process.ppid, 'SIGTERM'); hang();`;
    await expect(run(deaf, { timeoutMs: 600_000 })).rejects.toThrow('stopped');
  });

  it('asks the child to end when its signal is aborted, and starts none again', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 1000);
    await expect(run('alive(); await sleep(60_000)', { timeoutMs: 600_000, signal: stop.signal })).rejects.toThrow(
      'stopped',
    );
    await expect(run('', { signal: stop.signal })).rejects.toThrow('stopped');
    expect(await readFile(join(folder, 'starts'), 'utf8')).toBe('0');
  });
});

it('a child that is started again knows how long the command has run, whatever the clock says', async () => {
  const file = JSON.stringify(join(folder, 'elapsed'));
  const wallClock = vi.spyOn(Date, 'now');
  const reasons: string[] = [];
  await run(
    `appendFileSync(${file}, process.env.${ELAPSED_VARIABLE} + ' '); if (attempt < 2) process.kill(process.pid, 'SIGSEGV'); await sleep(10);`,
    { onRestart: (reason) => reasons.push(reason) && wallClock.mockReturnValue(1000) },
  ).finally(() => wallClock.mockRestore());
  expect(reasons).toHaveLength(2);
  const elapsed = (await readFile(join(folder, 'elapsed'), 'utf8')).trim().split(' ').map(Number);
  expect(elapsed).toHaveLength(3);
  expect(elapsed.every((ms, i) => ms >= 0 && ms >= (elapsed[i - 1] ?? 0))).toBe(true);
  process.env[ELAPSED_VARIABLE] = '7200000';
  const first = elapsedMs();
  expect(first).toBeGreaterThan(7_200_000);
  expect(process.env[ELAPSED_VARIABLE]).toBeUndefined();
  expect(elapsedMs()).toBeGreaterThanOrEqual(first);
});

it('a limit of hours begins with the first process, and is never nothing', () => {
  expect(hoursLeft(8, 2 * 3_600_000)).toBe(6);
  expect(hoursLeft(1, 2 * 3_600_000)).toBeGreaterThan(0);
  expect(hoursLeft(1, 2 * 3_600_000)).toBeLessThan(1e-6);
});

// In a process of its own: what it is, a child or not, holds for all of its life.
it('a child knows how often it was started, and does not pass that on', () => {
  const program = `import { startedBefore } from ${JSON.stringify(new URL('../dist/supervise.js', import.meta.url).href)};
    console.log(startedBefore(), process.env.${ATTEMPT_VARIABLE}, startedBefore());`;
  const answer = (environment: NodeJS.ProcessEnv) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, ...environment },
      encoding: 'utf8',
    }).trim();
  expect(answer({ [ATTEMPT_VARIABLE]: '2' })).toBe('2 undefined 2');
  expect(answer({ [ATTEMPT_VARIABLE]: undefined })).toBe('undefined undefined undefined');
});

it('a process that no supervisor started sends its parent no sign of life', async () => {
  const script = join(folder, 'free.mjs');
  const supervise = JSON.stringify(new URL('../dist/supervise.js', import.meta.url).href);
  await writeFile(script, `import { signOfLife } from ${supervise}; signOfLife(); process.disconnect();`);
  const heard = async (environment: NodeJS.ProcessEnv) => {
    const messages: unknown[] = [];
    const child = fork(script, { env: { ...process.env, ...environment }, execArgv: [] });
    child.on('message', (message) => messages.push(message));
    await new Promise((resolve) => child.once('exit', resolve));
    return messages;
  };
  expect(await heard({ [ATTEMPT_VARIABLE]: '0' })).toEqual([{ type: 'alive' }]);
  expect(await heard({ [ATTEMPT_VARIABLE]: undefined })).toEqual([]);
});
