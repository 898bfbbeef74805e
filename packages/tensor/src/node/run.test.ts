import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { requireCapability } from '@paris/test-tools';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dawnOptions } from '../device/gpu.node.js';
import { probeAdapters } from './adapters.js';
import { thisSystem } from './candidates.js';
import { probeInProcess } from './probe-process.js';
import { runWithAdapter } from './run.js';

const system = {
  ...thisSystem({}),
  platform: 'linux' as const,
  graphicsDevice: () => true,
  probe: async () => ({
    adapter: {
      vendor: '',
      architecture: '',
      device: '',
      description: 'a card',
      isFallbackAdapter: false,
      features: [],
    },
  }),
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-run-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Writes a script into the folder and gives its path. */
async function script(source: string): Promise<string> {
  const path = join(folder, 'script.mjs');
  await writeFile(path, source);
  return path;
}

it('passes on arguments, the environment and the exit code', async () => {
  const path = await script(`
    import { writeFileSync } from 'node:fs';
    const seen = [process.argv.slice(3), process.env.PARIS_ADAPTER, process.env.MINE];
    writeFileSync(process.argv[2], JSON.stringify(seen));
    process.exit(7);`);
  const file = join(folder, 'seen.json');
  const adapters: string[] = [];
  const code = await runWithAdapter(
    [process.execPath, path, file, '--a b', "c'd"],
    { onAdapter: (adapter) => adapters.push(adapter.kind) },
    { ...system, environment: { MINE: 'kept' } },
  );
  expect(code).toBe(7);
  expect(adapters).toEqual(['gpu']);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual([['--a b', "c'd"], 'gpu', 'kept']);
});

it('passes on variables that a shell would drop for their names, and leaves no channel open', async () => {
  const path = await script(`
    import { fstatSync, writeFileSync } from 'node:fs';
    const open = [3, 4, 5].filter((fd) => { try { return fstatSync(fd).isSocket(); } catch { return false; } });
    const seen = [process.env['a.b'], process.env['npm_config_x-y'], process.argv.slice(3), open];
    writeFileSync(process.argv[2], JSON.stringify(seen));`);
  const file = join(folder, 'seen.json');
  const environment = { 'a.b': "it's", 'npm_config_x-y': '$HOME `x` "y"', PATH: process.env.PATH };
  expect(await runWithAdapter([process.execPath, path, file, '$HOME'], {}, { ...system, environment })).toBe(0);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(["it's", '$HOME `x` "y"', ['$HOME'], []]);
});

it('passes on signals, and says which one ended the child', async () => {
  const path = await script('process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 10_000);');
  expect(await runWithAdapter([process.execPath, path], {}, system)).toBe(143);

  const patient = await script(`
    process.on('SIGTERM', () => process.exit(3));
    setTimeout(() => process.kill(process.ppid, 'SIGTERM'), 100);
    setTimeout(() => {}, 10_000);`);
  expect(await runWithAdapter([process.execPath, patient], {}, system)).toBe(3);
});

it('says what did not start', async () => {
  await expect(runWithAdapter(['no-such-command'], {}, system)).rejects.toThrow('[exec] no-such-command did not start');
  for (const name of [join(folder, 'missing'), folder, await script('')]) {
    await expect(runWithAdapter([name], {}, system)).rejects.toThrow(`[exec] ${name} did not start: `);
  }
  expect(await runWithAdapter(['sh', '-c', 'exit 127'], {}, system)).toBe(127); // its own
  await expect(runWithAdapter([], {}, system)).rejects.toThrow('[exec] there is no command to run');
});

it('a driver that crashes or hangs the probe is a reason, not a crash', async () => {
  const crash = pathToFileURL(await script('process.abort();')).href;
  expect(await probeInProcess(process.env, { dawn: crash })).toEqual({
    reason: 'the driver ended the probe (SIGABRT)',
  });
  const hang = pathToFileURL(await script('await new Promise(() => setInterval(() => {}, 1000));')).href;
  expect(await probeInProcess(process.env, { dawn: hang, timeoutMs: 200 })).toEqual({
    reason: 'the driver did not answer within 0.2 s',
  });
});

it('starts Dawn as openDevice does', async () => {
  const fake = pathToFileURL(await script('export const create = (options) => { throw new Error(options.join()); };'));
  expect(await probeInProcess(process.env, { dawn: fake.href })).toEqual({ reason: dawnOptions.join() });
});

it('for real: a child gets the adapter that was asked for by name', async (context) => {
  const environment = { ...process.env, PARIS_ADAPTER: '', PARIS_ADAPTER_STARTED: '' };
  const swiftshader = (await probeAdapters(thisSystem(environment))).find((probe) => probe.kind === 'swiftshader');
  const reason = swiftshader?.works ? '' : `SwiftShader does not work here: ${swiftshader?.reason}`;
  requireCapability(context, 'adapter', swiftshader?.works === true, reason);

  const dawn = pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href;
  const path = await script(`
    import { writeFileSync } from 'node:fs';
    import { create } from '${dawn}';
    const gpu = create([]);
    writeFileSync(process.argv[2], (await gpu.requestAdapter()).info.description);
    process.exit(0);`);
  const file = join(folder, 'adapter.txt');
  expect(await runWithAdapter(['node', path, file], { adapter: 'swiftshader' }, thisSystem(environment))).toBe(0);
  expect(await readFile(file, 'utf8')).toMatch(/SwiftShader/);
});
