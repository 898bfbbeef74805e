// The demo as it is built, with the real commands, at toy size: does everything from npm package to page fit together?

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { probeAdapters } from '@paris/tensor/node';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const toy =
  '--limit 60 --clusters 2 --jobs 2 --steps 4 --width 16 --depth 1 --heads 2 --batch 8 --count 1 --sample-steps 2';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-demo-'));
});
afterAll(() => rm(folder, { recursive: true }));

const demo = (args: string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const environment = { ...process.env, INIT_CWD: folder };
    execFile(process.execPath, [program, ...args], { env: environment }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });

it('makes the page, names the controls that fail, and does nothing the second time', async (context) => {
  const works = (await probeAdapters()).some((probe) => probe.works);
  requireCapability(context, 'adapter', works, 'no WebGPU adapter works here');
  expect(existsSync(program), 'the demo is not built: npm run build').toBe(true);

  const first = await demo([...toy.split(' '), '--prompts', 'cat face; red heart']);
  expect(first.stdout, first.stderr).toContain('The page: out/demo/index.html');
  // Four steps teach nothing, so some control fails; those that failed are named, and no others.
  const { controls } = JSON.parse(await readFile(join(folder, 'out/demo/evaluation.json'), 'utf8'));
  const failed = controls.filter((control: { passed: boolean }) => !control.passed);
  expect(first.code).toBe(failed.length > 0 ? 1 : 0);
  if (failed.length > 0) {
    const names = failed.map((control: { name: string }) => control.name).join('; ');
    expect(first.stderr.trim()).toBe(`[demo] failed: ${names}.`);
  }
  expect(first.stdout).toContain('✓ split by base codepoint');
  expect(first.stdout.match(/^adapter: /gm)).toHaveLength(1);

  const page = await readFile(join(folder, 'out/demo/index.html'), 'utf8');
  expect(page).toContain('Two experts that never met');
  expect(page.match(/class="sample"/g)).toHaveLength(2);
  expect(page.match(/class="film"/g)).toHaveLength(2);
  expect(page.match(/class="sample released"/g)).toHaveLength(2);

  const second = await demo([...toy.split(' '), '--prompts', 'cat face; red heart']);
  expect(second.code).toBe(first.code);
  expect(second.stdout).not.toContain('Train');
  expect(await readFile(join(folder, 'out/demo/index.html'), 'utf8')).toBe(page);
}, 300_000);
