// Processes that are really killed, side by side, since most of the time is waiting. Each carries a mark in its environment, by which those left over are found.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireCapability } from '@paris/test-tools';
import { expectNoProcesses, MARK, markedProcesses } from '@paris/test-tools/processes';
import { expect, it } from 'vitest';

const dist = new URL('../../dist/node/index.js', import.meta.url).href;

it.concurrent.for(['polite', 'deaf'])(
  'a child that is %s does not outlive a parent that is killed',
  async (kind, context) => {
    requireCapability(context, 'proc', process.platform === 'linux', 'there is no /proc here');
    const mark = randomUUID();
    const folder = await mkdtemp(join(tmpdir(), 'paris-end-'));
    try {
      // The deaf one is a driver that hangs: no JavaScript runs, no signal but SIGKILL ends it.
      const child =
        kind === 'deaf' ? `trap '' TERM INT HUP; echo ready; while :; do sleep 1; done` : 'echo ready; sleep 300';
      const script = join(folder, 'parent.mjs');
      await writeFile(
        script,
        `import { spawn } from 'node:child_process';
       import { endWithThisProcess } from ${JSON.stringify(dist)};
       const child = spawn('sh', ['-c', ${JSON.stringify(child)}], { stdio: ['ignore', 'inherit', 'ignore'], detached: true });
       endWithThisProcess(child);
       console.log('guarded');
       setInterval(() => {}, 1000);`,
      );
      const parent = spawn(process.execPath, [script], {
        env: { ...process.env, [MARK]: mark },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      // Until it is guarded the child is on its own, and it may be ready before that.
      let said = '';
      for await (const text of parent.stdout) {
        said += text;
        if (said.includes('ready') && said.includes('guarded')) break;
      }
      expect((await markedProcesses(mark)).length).toBeGreaterThanOrEqual(3); // parent, shell, child
      parent.kill('SIGKILL');
      await expectNoProcesses(mark);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

/** Runs a parent that starts a program and is killed `delay` milliseconds later; at 0, in the next statement. */
async function killedAfter(delay: number, mark: string, program: string): Promise<void> {
  const end = `process.kill(process.pid, 'SIGKILL')`;
  const script = `import { spawnWithThisProcess } from ${JSON.stringify(dist)};
    spawnWithThisProcess('sh', ['-c', ${JSON.stringify(program)}], { stdio: 'ignore', detached: true });
    ${delay === 0 ? end : `setTimeout(() => ${end}, ${delay});`}`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, [MARK]: mark },
    stdio: 'ignore',
  });
  const signal = await new Promise((resolve) => parent.once('close', (_, how) => resolve(how)));
  expect(signal).toBe('SIGKILL');
}

it.concurrent('a program does not begin when its parent is killed before it could say which it started', async (context) => {
  requireCapability(context, 'proc', process.platform === 'linux', 'there is no /proc here');
  const mark = randomUUID();
  const folder = await mkdtemp(join(tmpdir(), 'paris-end-'));
  try {
    await killedAfter(0, mark, `echo > '${folder}/begun'; sleep 300; echo`);
    await expectNoProcesses(mark);
    expect(await readdir(folder)).toEqual([]);
    await killedAfter(2000, mark, `echo > '${folder}/begun'; sleep 300; echo`);
    expect(await readdir(folder)).toEqual(['begun']);
    await expectNoProcesses(mark);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.concurrent('nor does it outlive a parent that is killed in its first milliseconds', async (context) => {
  requireCapability(context, 'proc', process.platform === 'linux', 'there is no /proc here');
  const mark = randomUUID();
  for (let delay = 1; delay <= 12; delay++) await killedAfter(delay, mark, 'sleep 300; echo');
  await expectNoProcesses(mark);
});

it.concurrent('leaves nothing behind when the child ends first', async (context) => {
  requireCapability(context, 'proc', process.platform === 'linux', 'there is no /proc here');
  const mark = randomUUID();
  const script = `import { spawn } from 'node:child_process';
    import { endOf } from ${JSON.stringify(dist)};
    process.exit((await endOf(spawn('sh', ['-c', 'exit 7']))).code);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, [MARK]: mark },
    stdio: 'ignore',
  });
  expect(await new Promise((resolve) => parent.once('close', resolve))).toBe(7);
  await expectNoProcesses(mark, 5_000);
});
