// A command line is read before anything is loaded that computes: a command imports what it does inside its action.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { paris } from './testing/paris.js';

/** Files of JavaScript that one process loaded, by what V8 says of it. */
async function loadedBy(args: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'paris-start-'));
  try {
    const { code } = await paris(args, { env: { NODE_V8_COVERAGE: folder } });
    expect(code).toBe(0);
    const [report, ...others] = await readdir(folder);
    expect(others).toEqual([]); // one process, and no other that it started
    const { result }: { result: { url: string }[] } = JSON.parse(await readFile(join(folder, report!), 'utf8'));
    return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Each brings a hundred modules or a native library. */
const heavy =
  /\/(tensor|model|dit|router|encoders|clustering|sampler|serve|trainer)\/dist\/index\.js$|\/node_modules\/(sharp|zod|yaml)\//;

it.each([['--version'], ['--help'], ['train expert --help'], ['sample --help'], ['launch plan --help']])(
  'paris %s loads no library that computes',
  async (line) => {
    const files = await loadedBy(line.split(' '));
    expect(files.filter((file) => heavy.test(file))).toEqual([]);
    expect(files.length).toBeGreaterThan(50); // something was counted
    expect(files.length).toBeLessThan(200);
  },
);
