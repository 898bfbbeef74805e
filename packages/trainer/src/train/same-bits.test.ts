// The same training on the CPU device gives the same bits: with one thread or two, in Node, in Deno, in a browser. The
// hashes are committed (fixtures/same-bits.json); a change that is meant to change numbers says so and replaces them.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { requireChromium } from '@paris/test-tools/chromium';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle, onPage } from '../testing/page.testing.js';
import type { Trained } from '../testing/same-bits.testing.js';

const folder = mkdtempSync(join(tmpdir(), 'paris-same-bits-'));
const deno = fileURLToPath(new URL('../../../../node_modules/.bin/deno', import.meta.url));
const module = new URL('../testing/same-bits.testing.ts', import.meta.url);
const recorded = JSON.parse(readFileSync(new URL('../../fixtures/same-bits.json', import.meta.url), 'utf8'));

beforeAll(async () => {
  writeFileSync(join(folder, 'node.mjs'), await bundle(module, 'node'));
  const main = `import { trainOnCpu } from './node.mjs';
const threads = Number((globalThis.Deno?.args ?? process.argv.slice(2))[0]);
console.log(JSON.stringify(await trainOnCpu(threads)));`;
  writeFileSync(join(folder, 'main.mjs'), main);
});
afterAll(() => rmSync(folder, { recursive: true }));

const adapter = (threads: number) => `Paris on WebAssembly, ${threads} thread${threads === 1 ? '' : 's'}`;

async function inProcess(command: string, parameters: readonly string[], threads: number): Promise<Trained> {
  const { stdout } = await promisify(execFile)(command, [...parameters, join(folder, 'main.mjs'), `${threads}`], {
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' },
  });
  return JSON.parse(stdout);
}

it.each([1, 2])('in Node, threads: %i', async (threads) => {
  expect(await inProcess(process.execPath, [], threads)).toEqual({ adapter: adapter(threads), ...recorded });
});

it('in Deno, without permissions', async () => {
  expect(await inProcess(deno, ['run', '--quiet', '--no-prompt'], 2)).toEqual({ adapter: adapter(2), ...recorded });
});

it('in Chromium', async (context) => {
  requireChromium(context);
  // A text, because the test's transform would change a function.
  const trained = await onPage(await bundle(module, 'browser'), (page) =>
    page.evaluate(`import('/module.mjs').then(({ trainOnCpu }) => trainOnCpu(2))`),
  );
  expect(trained).toEqual({ adapter: adapter(2), ...recorded });
});
