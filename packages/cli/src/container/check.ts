// Why a container has no GPU for WebGPU. Dawn needs Vulkan, which images for computing lack: its loader, a manifest that names a
// driver, the driver's library, a device node, and, of NVIDIA's container toolkit, the capability that brings the last three.
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';

/** What is looked for, in the order in which Vulkan needs it. */
export type ContainerPart = 'loader' | 'manifest' | 'driver library' | 'device node' | 'capability';

/** One thing that was looked for. */
export interface ContainerFinding {
  readonly part: ContainerPart;
  readonly ok: boolean;
  /** Where it is, or what is missing, in one sentence. */
  readonly found: string;
  /** The line that adds it, and of what that is a line. */
  readonly add?: { readonly to: 'Containerfile' | 'command'; readonly line: string };
}

/** A driver that a manifest names. */
interface Driver {
  readonly manifest: string;
  readonly library: string;
}

const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const libraryFolders = [
  `/usr/lib/${machine}-linux-gnu`,
  `/lib/${machine}-linux-gnu`,
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
];
const manifestFolders = ['/etc/vulkan/icd.d', '/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];
const install = (packages: string) =>
  `RUN apt-get update && apt-get install -y --no-install-recommends ${packages} && rm -rf /var/lib/apt/lists/*`;
const capabilities = 'compute,utility,graphics';

/**
 * Looks for all that a GPU needs in a Linux container.
 * @param root - the folder that the container has as `/`
 * @param environment - its variables
 */
export async function checkContainer(
  root = '/',
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ContainerFinding[]> {
  const drivers = await driversIn(root, environment);
  const hardware = drivers.find(({ library }) => isHardware(library));
  const nodes = await deviceNodes(root);
  const isNvidia = hardware ? /nvidia/i.test(hardware.library) : nodes.nvidia.length > 0 || nodes.render.length === 0;
  return [
    await loaderIn(root, environment),
    manifestOf(hardware, drivers, isNvidia),
    await libraryOf(hardware, root, environment, isNvidia),
    nodeOf(nodes, isNvidia),
    ...(isNvidia ? [capabilityIn(environment)] : []),
  ];
}

/** A line for each finding, with what adds it. */
export function formatContainer(findings: readonly ContainerFinding[]): string {
  const lines = findings.flatMap(({ part, ok, found, add }) => [
    `${ok ? 'ok     ' : 'MISSING'} ${part}: ${found}`,
    ...(add
      ? [`        ${add.to === 'Containerfile' ? 'in the Containerfile' : 'on the command line'}: ${add.line}`]
      : []),
  ]);
  const missing = findings.filter(({ ok }) => !ok).length;
  const verdict =
    missing === 0
      ? 'All that Vulkan needs is there. paris doctor says whether the GPU answers.'
      : `${missing} of ${findings.length} are missing: WebGPU cannot reach a GPU here.`;
  return [...lines, verdict].join('\n');
}

async function loaderIn(root: string, environment: NodeJS.ProcessEnv): Promise<ContainerFinding> {
  const path = await findLibrary('libvulkan.so.1', root, environment);
  if (path) return { part: 'loader', ok: true, found: path };
  const found = "there is no libvulkan.so.1, Vulkan's loader";
  return { part: 'loader', ok: false, found, add: { to: 'Containerfile', line: install('libvulkan1') } };
}

function manifestOf(hardware: Driver | undefined, drivers: readonly Driver[], isNvidia: boolean): ContainerFinding {
  if (hardware) return { part: 'manifest', ok: true, found: hardware.manifest };
  const [other] = drivers;
  const found = other
    ? `the only driver is ${other.library}, which is software (${other.manifest})`
    : `no manifest names a driver in ${manifestFolders.join(', ')}`;
  const json = '{"file_format_version":"1.0.1","ICD":{"library_path":"libGLX_nvidia.so.0","api_version":"1.3.0"}}';
  const line = isNvidia
    ? `RUN mkdir -p /etc/vulkan/icd.d && echo '${json}' > /etc/vulkan/icd.d/nvidia_icd.json`
    : install('mesa-vulkan-drivers');
  return { part: 'manifest', ok: false, found, add: { to: 'Containerfile', line } };
}

async function libraryOf(
  driver: Driver | undefined,
  root: string,
  environment: NodeJS.ProcessEnv,
  isNvidia: boolean,
): Promise<ContainerFinding> {
  const part = 'driver library';
  const name = driver?.library ?? (isNvidia ? 'libGLX_nvidia.so.0' : 'the driver of the manifest');
  const path = driver?.library.includes('/')
    ? await existing(root, isAbsolute(name) ? name : join(dirname(driver.manifest), name))
    : await findLibrary(name, root, environment);
  if (path) {
    // NVIDIA's library is linked with X's client libraries, also where there is no display.
    const needs = /libGLX_nvidia/.test(name) ? ['libX11.so.6', 'libXext.so.6'] : [];
    for (const each of needs) {
      if (await findLibrary(each, root, environment)) continue;
      const add = { to: 'Containerfile', line: install('libx11-6 libxext6') } as const;
      return { part, ok: false, found: `${path} needs ${each}, which is not there`, add };
    }
    return { part, ok: true, found: path };
  }
  const add = isNvidia
    ? ({ to: 'command', line: `docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=${capabilities} …` } as const)
    : ({ to: 'Containerfile', line: install('mesa-vulkan-drivers') } as const);
  const from = isNvidia ? '; it comes from the host, with the capability graphics' : '';
  return { part, ok: false, found: `${name} is not there${from}`, add };
}

function nodeOf(nodes: Awaited<ReturnType<typeof deviceNodes>>, isNvidia: boolean): ContainerFinding {
  const part = 'device node';
  const found = isNvidia ? nodes.nvidia : nodes.render;
  const isComplete = isNvidia ? found.length > 0 && nodes.control : found.length > 0;
  if (isComplete) return { part, ok: true, found: found.join(', ') };
  const missing = !isNvidia ? '/dev/dri/renderD128' : found.length === 0 ? '/dev/nvidia0' : '/dev/nvidiactl';
  const line = isNvidia ? 'docker run --gpus all …' : 'docker run --device /dev/dri …';
  return { part, ok: false, found: `there is no ${missing}`, add: { to: 'command', line } };
}

function capabilityIn({ NVIDIA_DRIVER_CAPABILITIES: value }: NodeJS.ProcessEnv): ContainerFinding {
  const part = 'capability';
  const has = new Set((value ?? '').split(','));
  const name = 'NVIDIA_DRIVER_CAPABILITIES';
  if (has.has('graphics') || has.has('all')) return { part, ok: true, found: `${name} is ${value}` };
  const found = value ? `${name} is ${value}, without graphics` : `${name} is not set, and graphics is not the default`;
  return { part, ok: false, found, add: { to: 'Containerfile', line: `ENV ${name}=${capabilities}` } };
}

async function driversIn(root: string, environment: NodeJS.ProcessEnv): Promise<Driver[]> {
  const given = environment.VK_DRIVER_FILES || environment.VK_ICD_FILENAMES;
  const paths = given
    ? given.split(':').filter((path) => path !== '')
    : (await Promise.all(manifestFolders.map((folder) => filesIn(root, folder, /\.json$/)))).flat();
  const drivers: Driver[] = [];
  for (const manifest of paths) {
    const library = await libraryNamed(join(root, manifest));
    if (library !== undefined) drivers.push({ manifest, library });
  }
  return drivers;
}

/** `ICD.library_path` of a manifest; undefined where it has none. */
async function libraryNamed(path: string): Promise<string | undefined> {
  try {
    const json: unknown = JSON.parse(await readFile(path, 'utf8'));
    const library = (json as { ICD?: { library_path?: unknown } } | null)?.ICD?.library_path;
    return typeof library === 'string' ? library : undefined;
  } catch {
    return undefined;
  }
}

/** lavapipe and SwiftShader compute on the CPU. */
function isHardware(library: string): boolean {
  return !/lvp|swiftshader/i.test(library);
}

async function deviceNodes(root: string): Promise<{ nvidia: string[]; control: boolean; render: string[] }> {
  return {
    nvidia: await filesIn(root, '/dev', /^nvidia\d+$/),
    control: (await existing(root, '/dev/nvidiactl')) !== undefined,
    render: await filesIn(root, '/dev/dri', /^renderD\d+$/),
  };
}

async function findLibrary(name: string, root: string, { LD_LIBRARY_PATH = '' }: NodeJS.ProcessEnv) {
  const own = LD_LIBRARY_PATH.split(':').filter((folder) => isAbsolute(folder));
  for (const folder of [...own, ...libraryFolders]) {
    const path = await existing(root, join(folder, name));
    if (path) return path;
  }
  return undefined;
}

async function existing(root: string, path: string): Promise<string | undefined> {
  return stat(join(root, path)).then(
    () => path,
    () => undefined,
  );
}

async function filesIn(root: string, folder: string, name: RegExp): Promise<string[]> {
  const names = await readdir(join(root, folder)).catch(() => []);
  return names
    .filter((each) => name.test(each))
    .sort()
    .map((each) => join(folder, each));
}
