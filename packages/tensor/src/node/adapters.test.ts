import { expect, it } from 'vitest';
import { NoAdapterError, ValueError } from '../errors.js';
import { adapterEnvironment, chooseAdapter, describeAdapter, doctor, probeAdapters } from './adapters.js';
import type { ProbeSystem } from './candidates.js';
import type { AdapterFacts, ProbeOutcome } from './probe-process.js';

const adapter = (description: string, isFallbackAdapter: boolean, features: string[] = []): ProbeOutcome => ({
  adapter: {
    vendor: '',
    architecture: '',
    device: '',
    description,
    isFallbackAdapter,
    features,
  } satisfies AdapterFacts,
});
const CARD = adapter('NVIDIA H100', false, ['shader-f16', 'subgroups', 'timestamp-query']);
const LAVAPIPE = adapter('llvmpipe: Mesa 25', true, ['shader-f16']);
const SWIFTSHADER = adapter('SwiftShader driver 5', true);

/** A machine with these drivers; what the plain system offers is `plain`. */
function machine(parts: {
  plain?: ProbeOutcome;
  lavapipe?: ProbeOutcome;
  swiftshader?: ProbeOutcome;
  environment?: NodeJS.ProcessEnv;
  platform?: NodeJS.Platform;
  graphicsDevice?: boolean;
}): ProbeSystem & { probed: NodeJS.ProcessEnv[] } {
  const none: ProbeOutcome = { reason: 'Dawn found no adapter that it takes' };
  const probed: NodeJS.ProcessEnv[] = [];
  return {
    probed,
    platform: parts.platform ?? 'linux',
    architecture: 'x64',
    environment: parts.environment ?? {},
    graphicsDevice: () => parts.graphicsDevice ?? true,
    vulkanDrivers: async () => (parts.lavapipe ? ['/etc/vulkan/icd.d/radeon_icd.json', '/icd/lvp_icd.json'] : []),
    swiftShader: async () => (parts.swiftshader ? '/cache/swiftshader' : undefined),
    async probe(environment) {
      probed.push(environment);
      if (environment.VK_DRIVER_FILES === '/icd/lvp_icd.json') return parts.lavapipe ?? none;
      if (environment.VK_DRIVER_FILES?.startsWith('/cache/swiftshader/')) return parts.swiftshader ?? none;
      return parts.plain ?? none;
    },
  };
}

it('prefers a real GPU, and gives it no environment', async () => {
  const system = machine({ plain: CARD, lavapipe: LAVAPIPE, swiftshader: SWIFTSHADER });
  const chosen = await chooseAdapter({}, system);
  expect(chosen).toMatchObject({ kind: 'gpu', environment: {} });
  expect(describeAdapter(chosen)).toBe('adapter: gpu, NVIDIA H100 (f16, subgroups)');
  expect(system.probed).toHaveLength(1);
});

it('takes our own CPU device before software Vulkan', async () => {
  const chosen = await chooseAdapter({}, machine({ plain: LAVAPIPE, lavapipe: LAVAPIPE, swiftshader: SWIFTSHADER }));
  expect(chosen).toMatchObject({ kind: 'cpu', environment: {} });
  expect(describeAdapter(chosen)).toMatch(/^adapter: cpu, Paris on WebAssembly/);
});

it('does not look for a GPU where there is no device file', async () => {
  const system = machine({ plain: LAVAPIPE, graphicsDevice: false });
  expect((await chooseAdapter({}, system)).kind).toBe('cpu');
  expect(system.probed).toEqual([]);
});

it("gives the system's software Vulkan where it is asked for", async () => {
  const chosen = await chooseAdapter({ adapter: 'lavapipe' }, machine({ plain: LAVAPIPE, lavapipe: LAVAPIPE }));
  expect(chosen.kind).toBe('lavapipe');
  expect(chosen.environment).toMatchObject({
    VK_DRIVER_FILES: '/icd/lvp_icd.json',
    VK_ICD_FILENAMES: '/icd/lvp_icd.json',
  });
});

it('gives SwiftShader out of its package where it is asked for', async () => {
  const rejected = { reason: 'Dawn found no adapter that it takes' };
  const environment = { LD_LIBRARY_PATH: '/opt/lib', XDG_RUNTIME_DIR: '/run/me' };
  const system = machine({ lavapipe: rejected, swiftshader: SWIFTSHADER, environment });
  const chosen = await chooseAdapter({ adapter: 'swiftshader' }, system);
  expect(chosen.environment).toEqual({
    LD_LIBRARY_PATH: '/cache/swiftshader:/opt/lib',
    VK_DRIVER_FILES: '/cache/swiftshader/vk_swiftshader_icd.json',
    VK_ICD_FILENAMES: '/cache/swiftshader/vk_swiftshader_icd.json',
  });
});

it('takes the adapter asked for, by option or by PARIS_ADAPTER, the option first', async () => {
  const parts = { plain: CARD, lavapipe: LAVAPIPE, swiftshader: SWIFTSHADER };
  expect((await chooseAdapter({ adapter: 'swiftshader' }, machine(parts))).kind).toBe('swiftshader');
  const system = machine({ ...parts, environment: { PARIS_ADAPTER: 'lavapipe' } });
  expect((await chooseAdapter({}, system)).kind).toBe('lavapipe');
  expect((await chooseAdapter({ adapter: 'gpu' }, system)).kind).toBe('gpu');
  const misspelt = machine({ environment: { PARIS_ADAPTER: 'lavapip' } });
  await expect(chooseAdapter({}, misspelt)).rejects.toThrow(
    new ValueError('adapter', 'there is no adapter called lavapip. Take one of auto, gpu, cpu, lavapipe, swiftshader.'),
  );
});

it('does not take another adapter that answers under a name', async () => {
  const probes = await probeAdapters(machine({ lavapipe: CARD, swiftshader: LAVAPIPE }));
  expect(probes.map((probe) => !probe.works && probe.reason)).toEqual([
    'Dawn found no adapter that it takes',
    false,
    'NVIDIA H100 answered in its place',
    'llvmpipe: Mesa 25 answered in its place',
  ]);
});

it.each(['Microsoft Basic Render Driver', 'softpipe', 'Mesa lavapipe'])('takes %s for no real GPU', async (name) => {
  const [gpu] = await probeAdapters(machine({ plain: adapter(name, false) }));
  expect(gpu).toEqual({ kind: 'gpu', works: false, reason: `the system offers only ${name}, which is software` });
});

it('a process started for an adapter does not look again', async () => {
  const chosen = await chooseAdapter({ adapter: 'lavapipe' }, machine({ lavapipe: LAVAPIPE }));
  const child = machine({ environment: adapterEnvironment(chosen) });
  expect(await chooseAdapter({}, child)).toMatchObject({ kind: 'lavapipe', environment: {} });
  expect(child.probed).toEqual([]);
});

it('says in one sentence why the adapter asked for is not there', async () => {
  const nothing = machine({ platform: 'darwin' });
  await expect(chooseAdapter({ adapter: 'gpu' }, nothing)).rejects.toThrow(NoAdapterError);
  await expect(chooseAdapter({ adapter: 'lavapipe' }, nothing)).rejects.toThrow(
    '[adapter] no WebGPU adapter works (lavapipe: it is looked for on Linux only). Without --adapter, a GPU is taken',
  );
  const noDawn = machine({ plain: { reason: 'the package webgpu is not installed' } });
  await expect(chooseAdapter({ adapter: 'gpu' }, noDawn)).rejects.toThrow('Install Dawn for Node: npm install webgpu.');
});

it('the doctor lists what was tried and why each failed', async () => {
  const { taken, text } = await doctor({}, machine({ plain: LAVAPIPE, swiftshader: SWIFTSHADER }));
  expect(taken).toBe('cpu');
  expect(text.split('\n')).toEqual([
    'WebGPU adapters, in the order of preference:',
    '  1. gpu         no: the system offers only llvmpipe: Mesa 25, which is software',
    expect.stringMatching(/^ {2}2\. cpu {9}works: Paris on WebAssembly/),
    '  3. lavapipe    no: its driver is not installed (Debian: mesa-vulkan-drivers 24 or newer)',
    '  4. swiftshader works: SwiftShader driver 5 (core features only)',
    'Taken: cpu. Another one: --adapter NAME.',
  ]);
  const noDawn = machine({ plain: { reason: 'the package webgpu is not installed' } });
  expect((await doctor({}, noDawn)).text).toContain('Taken: cpu. Another one: --adapter NAME. Install Dawn for Node');
});

it('the doctor says which adapter is taken of those that are asked for', async () => {
  const system = machine({ plain: LAVAPIPE, swiftshader: SWIFTSHADER });
  const { taken, text } = await doctor({ adapter: 'gpu' }, system);
  expect(taken).toBeNull();
  expect(text.split('\n').at(-1)).toMatch(/^gpu, which is asked for, does not work\. Without --adapter, /);
  expect(await doctor({ adapter: 'swiftshader' }, system)).toMatchObject({ taken: 'swiftshader' });
  const set = { ...system, environment: { ...system.environment, PARIS_ADAPTER: 'swiftshader' } };
  expect(await doctor({}, set)).toMatchObject({ taken: 'swiftshader' });
  expect(await doctor({ adapter: 'cpu' }, set)).toMatchObject({ taken: 'cpu' });
  const unknown = { ...system, environment: { PARIS_ADAPTER: 'nope' } };
  await expect(doctor({}, unknown)).rejects.toThrow('there is no adapter called nope.');
});

it('one adapter that breaks the probe does not hide the others', async () => {
  const system = machine({ lavapipe: LAVAPIPE, swiftshader: SWIFTSHADER });
  system.swiftShader = () => Promise.reject(new Error('EACCES: permission denied'));
  const probes = await probeAdapters(system);
  expect(probes[2]).toMatchObject({ works: true });
  expect(probes[3]).toMatchObject({ works: false, reason: 'EACCES: permission denied' });
});
