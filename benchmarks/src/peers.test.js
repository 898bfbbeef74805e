// Other libraries, as they are published, on the WebGPU of @paris/cpu: it is not a device for our own kernels only. Each
// computes in a process of its own, where that device is put in the place of a browser's.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { expected } from './cpu/work.js';

const folder = mkdtempSync(join(tmpdir(), 'paris-peers-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a peer computed, bundled: tfjs-core cannot be loaded by Node as it is. */
async function computed(/** @type {string} */ name) {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [fileURLToPath(new URL(`cpu/${name}.js`, import.meta.url))],
    ...{ bundle: true, format: 'esm', platform: 'node', outfile, logLevel: 'error' },
    mainFields: ['module', 'main'],
    conditions: ['@paris/source'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const { stdout } = await promisify(execFile)(process.execPath, [outfile]);
  return JSON.parse(stdout.split('\n').find((line) => line.startsWith('{')) ?? '');
}

describe.each(['tfjs', 'jax'])('%s', (name) => {
  it('computes the same as float64 does', async () => {
    const { outcomes, errors, dispatches } = await computed(name);
    expect(errors).toEqual([]);
    expect(dispatches).toBeGreaterThan(Object.keys(expected).length);
    expect(Object.keys(outcomes)).toEqual(Object.keys(expected));
    for (const [operation, values] of Object.entries(expected)) {
      const given = outcomes[operation];
      expect(given.length, operation).toBe(values.length);
      const most = Math.max(...values.map((value, i) => Math.abs(value - given[i])));
      expect(most, operation).toBeLessThan(1e-5);
    }
  });
});
