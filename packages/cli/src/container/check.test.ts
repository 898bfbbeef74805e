// Each thing that a container may lack is taken from a root folder that has all of them.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkContainer, formatContainer } from './check.js';

const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const libraries = `/usr/lib/${machine}-linux-gnu`;
const manifest = (library: string) => JSON.stringify({ file_format_version: '1.0.1', ICD: { library_path: library } });
const nvidia: Record<string, string> = {
  [`${libraries}/libvulkan.so.1`]: '',
  '/etc/vulkan/icd.d/nvidia_icd.json': manifest('libGLX_nvidia.so.0'),
  [`${libraries}/libGLX_nvidia.so.0`]: '',
  [`${libraries}/libX11.so.6`]: '',
  [`${libraries}/libXext.so.6`]: '',
  '/dev/nvidia0': '',
  '/dev/nvidiactl': '',
};
const mesa: Record<string, string> = {
  [`${libraries}/libvulkan.so.1`]: '',
  '/usr/share/vulkan/icd.d/lvp_icd.json': manifest(`${libraries}/libvulkan_lvp.so`),
  '/usr/share/vulkan/icd.d/radeon_icd.json': manifest(`${libraries}/libvulkan_radeon.so`),
  [`${libraries}/libvulkan_radeon.so`]: '',
  '/dev/dri/renderD128': '',
};
const graphics = { NVIDIA_DRIVER_CAPABILITIES: 'compute,utility,graphics' };

async function rootOf(files: Record<string, string>, without: readonly string[] = []): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'paris-root-'));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    if (without.includes(path)) continue;
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

/** What is missing, and the line that adds it. */
async function missing(root: string, environment: NodeJS.ProcessEnv) {
  const findings = await checkContainer(root, environment);
  return findings.flatMap(({ part, ok, found, add }) => (ok ? [] : [{ part, found, line: add!.line }]));
}

describe('a container for an NVIDIA GPU', () => {
  it('has all that it needs', async () => {
    const findings = await checkContainer(await rootOf(nvidia), graphics);
    expect(findings.map(({ ok }) => ok)).toEqual([true, true, true, true, true]);
    expect(formatContainer(findings).split('\n').at(-1)).toMatch(/^All that Vulkan needs is there/);
  });

  it.each([
    [`${libraries}/libvulkan.so.1`, 'loader', /no libvulkan\.so\.1/, /apt-get install .* libvulkan1 /],
    ['/etc/vulkan/icd.d/nvidia_icd.json', 'manifest', /no manifest names a driver/, /echo '\{.*nvidia_icd\.json$/],
    [
      `${libraries}/libGLX_nvidia.so.0`,
      'driver library',
      /comes from the host/,
      /-e NVIDIA_DRIVER_CAPABILITIES=.*graphics/,
    ],
    [`${libraries}/libXext.so.6`, 'driver library', /needs libXext\.so\.6/, /libxext6/],
    ['/dev/nvidia0', 'device node', /there is no \/dev\/nvidia0$/, /--gpus all/],
    ['/dev/nvidiactl', 'device node', /there is no \/dev\/nvidiactl$/, /--gpus all/],
  ])('without %s', async (path, part, found, line) => {
    const lacks = await missing(await rootOf(nvidia, [path]), graphics);
    expect(lacks).toHaveLength(1);
    expect(lacks[0]).toEqual({ part, found: expect.stringMatching(found), line: expect.stringMatching(line) });
  });

  it.each([
    [{}, /is not set, and graphics is not the default/],
    [{ NVIDIA_DRIVER_CAPABILITIES: 'compute,utility' }, /is compute,utility, without graphics/],
  ])('without the capability: %j', async (environment, found) => {
    const line = 'ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics';
    expect(await missing(await rootOf(nvidia), environment)).toEqual([
      { part: 'capability', found: expect.stringMatching(found), line },
    ]);
    expect(await missing(await rootOf(nvidia), { NVIDIA_DRIVER_CAPABILITIES: 'all' })).toEqual([]);
  });

  it('lacks everything where it is empty', async () => {
    const root = await rootOf({});
    const findings = await checkContainer(root, {});
    expect(findings.map(({ part }) => part)).toEqual([
      'loader',
      'manifest',
      'driver library',
      'device node',
      'capability',
    ]);
    expect(formatContainer(findings)).toContain('5 of 5 are missing: WebGPU cannot reach a GPU here.');
  });

  it('treats a manifest that is no JSON, or names no library, as none', async () => {
    for (const text of ['{', 'null', '{"ICD": {}}']) {
      const lacks = await missing(await rootOf({ ...nvidia, '/etc/vulkan/icd.d/nvidia_icd.json': text }), graphics);
      expect(lacks.map(({ part }) => part)).toEqual(['manifest']);
    }
  });

  it('takes the manifest that the loader is held to', async () => {
    const root = await rootOf({ ...nvidia, '/opt/lvp_icd.json': manifest('libvulkan_lvp.so') });
    const lacks = await missing(root, { ...graphics, VK_DRIVER_FILES: '/opt/lvp_icd.json' });
    expect(lacks[0]!.found).toMatch(/only driver is libvulkan_lvp\.so, which is software/);
  });
});

describe('a container for a GPU that Mesa drives', () => {
  it('needs no capability', async () => {
    expect(await missing(await rootOf(mesa), {})).toEqual([]);
  });

  it.each([
    ['/usr/share/vulkan/icd.d/radeon_icd.json', 'manifest', /mesa-vulkan-drivers/],
    [`${libraries}/libvulkan_radeon.so`, 'driver library', /mesa-vulkan-drivers/],
    ['/dev/dri/renderD128', 'device node', /--device \/dev\/dri/],
  ])('without %s', async (path, part, line) => {
    const lacks = await missing(await rootOf(mesa, [path]), {});
    expect(lacks[0]).toMatchObject({ part, line: expect.stringMatching(line) });
  });
});

it('the Containerfile has each line that the check would have added', async () => {
  const text = await readFile(new URL('../../../../docs/Containerfile', import.meta.url), 'utf8');
  for (const needed of [
    'libvulkan1',
    'libx11-6',
    'libxext6',
    '/etc/vulkan/icd.d/nvidia_icd.json',
    'libGLX_nvidia.so.0',
  ]) {
    expect(text).toContain(needed);
  }
  expect(text).toMatch(/^ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics$/m);
  expect(text).toContain('paris doctor --container');
});
