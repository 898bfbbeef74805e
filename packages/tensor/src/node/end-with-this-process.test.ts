// Processes that are really killed. Each carries a mark in its environment, by which those left over are found.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireCapability } from '@paris/test-tools';
import { expectNoProcesses, MARK, markedProcesses } from '@paris/test-tools/processes';
import { expect, it } from 'vitest';

const dist = new URL('../../dist/node/index.js', import.meta.url).href;

it.for(['polite', 'deaf'])('a child that is %s does not outlive a parent that is killed', async (kind, context) => {
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
       import { endWithThisProcess, expectChild } from ${JSON.stringify(dist)};
       expectChild();
       const child = spawn('sh', ['-c', ${JSON.stringify(child)}], { stdio: ['ignore', 'inherit', 'ignore'], detached: true });
       endWithThisProcess(child);
       setInterval(() => {}, 1000);`,
    );
    const parent = spawn(process.execPath, [script], {
      env: { ...process.env, [MARK]: mark },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    expect((await markedProcesses(mark)).length).toBeGreaterThanOrEqual(3); // parent, shell, child
    parent.kill('SIGKILL');
    await expectNoProcesses(mark);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('leaves nothing behind when the child ends first', async (context) => {
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
