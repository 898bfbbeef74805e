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
}): ProbeSystem & { probed: NodeJS.ProcessEnv[] } {
  const none: ProbeOutcome = { reason: 'Dawn found no adapter that it takes' };
  const probed: NodeJS.ProcessEnv[] = [];
  return {
    probed,
    platform: parts.platform ?? 'linux',
    architecture: 'x64',
    environment: parts.environment ?? {},
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

it("takes the system's software Vulkan before SwiftShader", async () => {
  const chosen = await chooseAdapter({}, machine({ plain: LAVAPIPE, lavapipe: LAVAPIPE, swiftshader: SWIFTSHADER }));
  expect(chosen.kind).toBe('lavapipe');
  expect(chosen.environment).toMatchObject({
    VK_DRIVER_FILES: '/icd/lvp_icd.json',
    VK_ICD_FILENAMES: '/icd/lvp_icd.json',
  });
});

it('falls back to SwiftShader where Dawn rejects the system driver', async () => {
  const rejected = { reason: 'Dawn found no adapter that it takes' };
  const environment = { LD_LIBRARY_PATH: '/opt/lib', XDG_RUNTIME_DIR: '/run/me' };
  const chosen = await chooseAdapter({}, machine({ lavapipe: rejected, swiftshader: SWIFTSHADER, environment }));
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
    new ValueError('adapter', 'there is no adapter called lavapip. Take one of auto, gpu, lavapipe, swiftshader.'),
  );
});

it('does not take another adapter that answers under a name', async () => {
  const probes = await probeAdapters(machine({ lavapipe: CARD, swiftshader: LAVAPIPE }));
  expect(probes.map((probe) => !probe.works && probe.reason)).toEqual([
    'Dawn found no adapter that it takes',
    'NVIDIA H100 answered in its place',
    'llvmpipe: Mesa 25 answered in its place',
  ]);
});

it.each(['Microsoft Basic Render Driver', 'softpipe', 'Mesa lavapipe'])('takes %s for no real GPU', async (name) => {
  const [gpu] = await probeAdapters(machine({ plain: adapter(name, false) }));
  expect(gpu).toEqual({ kind: 'gpu', works: false, reason: `the system offers only ${name}, which is software` });
});

it('a process started for an adapter does not look again', async () => {
  const chosen = await chooseAdapter({}, machine({ lavapipe: LAVAPIPE }));
  const child = machine({ environment: adapterEnvironment(chosen) });
  expect(await chooseAdapter({}, child)).toMatchObject({ kind: 'lavapipe', environment: {} });
  expect(child.probed).toEqual([]);
});

it('without any, one sentence says what to install', async () => {
  const nothing = machine({ platform: 'darwin' });
  await expect(chooseAdapter({}, nothing)).rejects.toThrow(NoAdapterError);
  await expect(chooseAdapter({}, nothing)).rejects.toThrow(
    '[adapter] no WebGPU adapter works (gpu: Dawn found no adapter that it takes; lavapipe: it is looked for on Linux only; swiftshader: the package holds it for Linux on x64 only). Install a Vulkan driver',
  );
  const noDawn = machine({ plain: { reason: 'the package webgpu is not installed' } });
  await expect(chooseAdapter({}, noDawn)).rejects.toThrow('Install Dawn for Node: npm install webgpu.');
});

it('the doctor lists what was tried and why each failed', async () => {
  const { works, text } = await doctor(machine({ plain: LAVAPIPE, swiftshader: SWIFTSHADER }));
  expect(works).toBe(true);
  expect(text).toBe(
    [
      'WebGPU adapters, in the order of preference:',
      '  1. gpu         no: the system offers only llvmpipe: Mesa 25, which is software',
      '  2. lavapipe    no: its driver is not installed (Debian: mesa-vulkan-drivers 24 or newer)',
      '  3. swiftshader works: SwiftShader driver 5 (core features only)',
      'Taken: swiftshader. Another one: --adapter NAME.',
    ].join('\n'),
  );
  expect((await doctor(machine({}))).text).toContain('Install a Vulkan driver');
});

it('one adapter that breaks the probe does not hide the others', async () => {
  const system = machine({ lavapipe: LAVAPIPE, swiftshader: SWIFTSHADER });
  system.swiftShader = () => Promise.reject(new Error('EACCES: permission denied'));
  const probes = await probeAdapters(system);
  expect(probes[1]).toMatchObject({ works: true });
  expect(probes[2]).toMatchObject({ works: false, reason: 'EACCES: permission denied' });
});
