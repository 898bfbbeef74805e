// Locks when the clock was set: a file's age by it says nothing then. The test sets the clock, and counts the waits.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LockClock, lockFolder } from './lock-folder.js';

const hourMs = 3_600_000;
const ended = JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), started: '' }); // above Linux's largest id
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A clock that is so far ahead. `meanwhile` happens at each sleep, with how many there were before. */
function clockOf(aheadMs: number, meanwhile: (sleeps: number) => Promise<void> | void = () => undefined) {
  const clock: LockClock & { sleeps: number } = {
    sleeps: 0,
    now: () => Date.now() + aheadMs,
    sleep: async () => meanwhile(clock.sleeps++),
  };
  return clock;
}

const plant = (name: string, content: string) => writeFile(join(folder, name), content);
const holder = async () => JSON.parse(await readFile(join(folder, '.lock'), 'utf8'));

/** Takes the lock, and gives it back. */
async function take(clock: LockClock): Promise<void> {
  const lock = await lockFolder(folder, clock);
  expect(await holder()).toMatchObject({ pid: process.pid });
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
}

describe.each([
  ['back', -hourMs, 500],
  ['forward', hourMs, 50],
])('a clock that was set %s by an hour', (_, aheadMs, watched) => {
  it('does not keep out of a folder whose lock was never finished: that is watched', async () => {
    await plant('.lock', '');
    const clock = clockOf(aheadMs);
    await take(clock);
    expect(clock.sleeps).toBe(watched);
  });

  it('takes no lock from a process that is just writing it', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const own = JSON.stringify({ pid: other.pid, host: hostname(), started: '' });
    await plant('.lock', '');
    const clock = clockOf(aheadMs, async (sleeps) => {
      if (sleeps === 3) await plant('.lock', own);
    });
    await expect(lockFolder(folder, clock)).rejects.toThrow(`is in use by process ${other.pid} on ${hostname()}`);
    expect(await readFile(join(folder, '.lock'), 'utf8')).toBe(own);
    expect(clock.sleeps).toBe(4);
    other.kill('SIGKILL');
  });

  it('does not keep out of a folder whose takeover was never finished', async () => {
    await plant('.lock', ended);
    await plant('.lock.takeover', '');
    const clock = clockOf(aheadMs);
    await take(clock);
    expect(clock.sleeps).toBe(watched);
  });

  it('leaves a takeover to the process that is at it', async () => {
    await plant('.lock', ended);
    await plant('.lock.takeover', '');
    const clock = clockOf(aheadMs, async (sleeps) => {
      if (sleeps === 5) await rm(join(folder, '.lock.takeover'));
    });
    await take(clock);
    expect(clock.sleeps).toBe(6);
  });

  it('says nothing of a lock that names its process: that is asked', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await plant('.lock', JSON.stringify({ pid: other.pid, host: hostname(), started: '' }));
    const clock = clockOf(aheadMs);
    await expect(lockFolder(folder, clock)).rejects.toThrow(`is in use by process ${other.pid}`);
    other.kill('SIGKILL');
    await plant('.lock', ended);
    await take(clock);
    expect(clock.sleeps).toBe(0);
  });
});

it('an unfinished lock of a moment ago is in use, without a wait', async () => {
  await plant('.lock', '');
  const clock = clockOf(-3);
  await expect(lockFolder(folder, clock)).rejects.toThrow('is in use by another process');
  expect(clock.sleeps).toBe(0);
});

it('a lock is never seen without its holder, so that one who is killed leaves a whole lock or none', async () => {
  let [looks, done] = [0, false];
  const look = async () => {
    for (; !done; looks++) {
      const text = await readFile(join(folder, '.lock'), 'utf8').catch(() => 'none');
      expect(text).not.toBe('');
    }
  };
  const work = async () => {
    for (let i = 0; i < 200; i++) await (await lockFolder(folder)).release();
    done = true;
  };
  await Promise.all([look(), work()]);
  expect(looks).toBeGreaterThan(200);
});

it('takes over from one that died in the middle of taking over', async () => {
  await plant('.lock', ended);
  await plant('.lock.takeover', ended);
  const clock = clockOf(0);
  await take(clock);
  expect(clock.sleeps).toBe(0);
});
