// The four adapters that may be on a machine, in the order of preference: what each is called, which environment it
// needs, and how to tell that it is the one that answered.
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findAdapter } from '../device/adapter.js';
import { mayHaveGpu } from '../device/gpu.node.js';
import { isSoftware } from '../device/software.js';
import { type AdapterFacts, type ProbeOutcome, probeInProcess } from './probe-process.js';
import { findSwiftShader, unpackSwiftShader } from './swiftshader.js';

/** A real GPU, or one of three that compute on the CPU: ours, Mesa lavapipe, and SwiftShader. */
export type AdapterKind = 'gpu' | 'cpu' | 'lavapipe' | 'swiftshader';

/** What the candidates ask of the machine. Tests hand in their own. */
export type ProbeSystem = {
  platform: NodeJS.Platform;
  architecture: string;
  environment: NodeJS.ProcessEnv;
  /** Whether there may be a GPU at all. */
  graphicsDevice(): boolean;
  /** Manifests of Vulkan drivers, full paths. */
  vulkanDrivers(): Promise<string[]>;
  /** The folder with SwiftShader unpacked, or undefined where its package is not installed. */
  swiftShader(): Promise<string | undefined>;
  /** Asks for an adapter in a process of its own, under these environment variables. */
  probe(environment: NodeJS.ProcessEnv): Promise<ProbeOutcome>;
};

export type Candidate = {
  kind: AdapterKind;
  /** The environment variables it needs, or why it cannot be tried. */
  prepare(system: ProbeSystem): Promise<{ environment: Record<string, string> } | { reason: string }>;
  /** Asks for the adapter, if not through Dawn in a process of its own. */
  ask?(): Promise<ProbeOutcome>;
  /** Undefined if `adapter` is this candidate, else what it is instead. */
  reject(adapter: AdapterFacts): string | undefined;
};

export const CANDIDATES: readonly Candidate[] = [
  {
    kind: 'gpu',
    prepare: async (system) =>
      system.graphicsDevice() ? { environment: {} } : { reason: 'this machine has no graphics device' },
    reject: (adapter) =>
      isSoftware(adapter) ? `the system offers only ${adapter.description}, which is software` : undefined,
  },
  {
    kind: 'cpu',
    prepare: async () => ({ environment: {} }),
    async ask() {
      const { adapter } = await findAdapter({ require: 'cpu' });
      const { vendor, architecture, device, description } = adapter.info;
      const features = [...adapter.features].sort();
      return { adapter: { vendor, architecture, device, description, isFallbackAdapter: true, features } };
    },
    reject: () => undefined,
  },
  {
    kind: 'lavapipe',
    async prepare(system) {
      if (system.platform !== 'linux') return { reason: 'it is looked for on Linux only' };
      const drivers = (await system.vulkanDrivers()).filter((path) => /(^|\/)lvp_icd[^/]*\.json$/.test(path));
      const machine = system.architecture === 'x64' ? 'x86_64' : 'aarch64';
      const driver = drivers.find((path) => path.includes(machine)) ?? drivers[0];
      if (!driver) return { reason: 'its driver is not installed (Debian: mesa-vulkan-drivers 24 or newer)' };
      return { environment: { ...onlyDriver(driver), ...runtimeFolder(system) } };
    },
    reject: (adapter) =>
      /llvmpipe/.test(adapter.description) ? undefined : `${adapter.description} answered in its place`,
  },
  {
    kind: 'swiftshader',
    async prepare(system) {
      if (system.platform !== 'linux' || system.architecture !== 'x64') {
        return { reason: 'the package holds it for Linux on x64 only' };
      }
      const folder = await system.swiftShader();
      if (!folder) return { reason: 'the package is not installed' };
      const libraries = [folder, system.environment.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
      return {
        environment: {
          LD_LIBRARY_PATH: libraries,
          ...onlyDriver(join(folder, 'vk_swiftshader_icd.json')),
          ...runtimeFolder(system),
        },
      };
    },
    reject: (adapter) =>
      /swiftshader/i.test(adapter.description) ? undefined : `${adapter.description} answered in its place`,
  },
];

/** This machine, as it is. */
export const thisSystem = (environment: NodeJS.ProcessEnv = process.env): ProbeSystem => ({
  platform: process.platform,
  architecture: process.arch,
  environment,
  graphicsDevice: mayHaveGpu,
  vulkanDrivers: async () => (await Promise.all(DRIVER_FOLDERS.map(manifests))).flat(),
  async swiftShader() {
    const archive = findSwiftShader();
    return archive && unpackSwiftShader(archive);
  },
  probe: (withVariables) => probeInProcess(withVariables),
});

const DRIVER_FOLDERS = ['/etc', '/usr/local/share', '/usr/share'].map((at) => join(at, 'vulkan', 'icd.d'));

const manifests = (folder: string): Promise<string[]> =>
  readdir(folder).then(
    (names) => names.map((name) => join(folder, name)),
    () => [],
  );

/** The newer and the older name of the variable by which the Vulkan loader is held to one driver. */
const onlyDriver = (manifest: string) => ({ VK_DRIVER_FILES: manifest, VK_ICD_FILENAMES: manifest });

/** Mesa complains on every start where this is not set. */
const runtimeFolder = (system: ProbeSystem): Record<string, string> =>
  system.environment.XDG_RUNTIME_DIR ? {} : { XDG_RUNTIME_DIR: tmpdir() };
