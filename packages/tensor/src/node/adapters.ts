// Which WebGPU adapters this machine has, which of them to take, and what to tell the user about it.
import { NoAdapterError, ValueError } from '../errors.js';
import { type AdapterKind, CANDIDATES, type Candidate, type ProbeSystem, thisSystem } from './candidates.js';
import type { AdapterFacts } from './probe-process.js';

/** One adapter that was looked for. */
export type AdapterProbe =
  | {
      kind: AdapterKind;
      works: true;
      /** The variables that a process needs from its start to get this adapter. Empty for a real GPU. */
      environment: Record<string, string>;
      adapter?: AdapterFacts;
    }
  | {
      kind: AdapterKind;
      works: false;
      /** In one sentence. */
      reason: string;
    };

/** An adapter that was found and answered. */
export type WorkingAdapter = Extract<AdapterProbe, { works: true }>;

/** What `--adapter` takes. */
export const ADAPTER_CHOICES = ['auto', 'gpu', 'cpu', 'lavapipe', 'swiftshader'] as const;
/** An adapter by name, or `auto` for the first that works. */
export type AdapterChoice = (typeof ADAPTER_CHOICES)[number];

/** Says that this process was started with the environment of that adapter. */
const STARTED_FOR = 'PARIS_ADAPTER_STARTED';

/**
 * Looks for every adapter, each in a process of its own, and changes nothing in this one.
 *
 * @returns one entry per adapter in the order of preference: a real GPU, `@paris/cpu`, the system's
 * software Vulkan, SwiftShader
 */
export async function probeAdapters(system: ProbeSystem = thisSystem()): Promise<AdapterProbe[]> {
  const probes: AdapterProbe[] = [];
  for (const candidate of CANDIDATES) probes.push(await probeOne(candidate, system));
  return probes;
}

/**
 * The adapter to use: the first that works, or the one asked for. `auto` honours the variable `PARIS_ADAPTER`.
 *
 * @throws NoAdapterError that says what was tried and what to install
 */
export async function chooseAdapter(
  options: { adapter?: AdapterChoice | undefined } = {},
  system: ProbeSystem = thisSystem(),
): Promise<WorkingAdapter> {
  const wanted = wantedAdapter(options, system);
  const started = CANDIDATES.find((candidate) => candidate.kind === system.environment[STARTED_FOR]);
  if (started && (wanted === 'auto' || wanted === started.kind)) {
    return { kind: started.kind, works: true, environment: {} };
  }
  const probes: AdapterProbe[] = [];
  for (const candidate of CANDIDATES) {
    if (wanted !== 'auto' && candidate.kind !== wanted) continue;
    const probe = await probeOne(candidate, system);
    if (probe.works) return probe;
    probes.push(probe);
  }
  throw new NoAdapterError('adapter', noAdapterMessage(probes));
}

/** What to add to the environment of a process so that it gets `adapter`, and so that it does not look again. */
export function adapterEnvironment(adapter: WorkingAdapter): Record<string, string> {
  return { ...adapter.environment, PARIS_ADAPTER: adapter.kind, [STARTED_FOR]: adapter.kind };
}

/** One line for the user: `adapter: lavapipe, llvmpipe: Mesa 25.0.7 (f16, subgroups)`. */
export function describeAdapter(probe: WorkingAdapter): string {
  return `adapter: ${probe.kind}${probe.adapter ? `, ${facts(probe.adapter)}` : ''}`;
}

/** What `paris doctor` found. */
export interface Diagnosis {
  /** In the order of preference. */
  readonly adapters: readonly AdapterProbe[];
  /** The adapter that a command with the same options takes; null if it has none. */
  readonly taken: AdapterKind | null;
  /** What `paris doctor` prints: every adapter that was tried, why each failed, and which one is taken. */
  readonly text: string;
}

/** Looks for every adapter, and says which of them {@link chooseAdapter} takes with these options. */
export async function doctor(
  options: { adapter?: AdapterChoice | undefined } = {},
  system: ProbeSystem = thisSystem(),
): Promise<Diagnosis> {
  const wanted = wantedAdapter(options, system);
  const adapters = await probeAdapters(system);
  const taken = adapters.find(({ kind, works }) => works && (wanted === 'auto' || kind === wanted))?.kind ?? null;
  const lines = adapters.map((probe, i) => {
    const found = probe.works ? `works${probe.adapter ? `: ${facts(probe.adapter)}` : ''}` : `no: ${probe.reason}`;
    return `  ${i + 1}. ${probe.kind.padEnd(11)} ${found}`;
  });
  const hint = taken !== 'gpu' && lacksDawn(adapters) ? ` ${INSTALL_DAWN}` : '';
  const verdict = taken
    ? `Taken: ${taken}. Another one: --adapter NAME.${hint}`
    : `${wanted === 'auto' ? 'None works' : `${wanted}, which is asked for, does not work`}. ${advice(adapters)}`;
  return { adapters, taken, text: ['WebGPU adapters, in the order of preference:', ...lines, verdict].join('\n') };
}

/** `auto` honours the variable `PARIS_ADAPTER`. @throws ValueError for a name that there is not */
function wantedAdapter(
  { adapter = 'auto' }: { adapter?: AdapterChoice | undefined },
  system: ProbeSystem,
): AdapterChoice {
  return parseChoice(adapter === 'auto' ? system.environment.PARIS_ADAPTER || 'auto' : adapter);
}

async function probeOne(candidate: Candidate, system: ProbeSystem): Promise<AdapterProbe> {
  const { kind } = candidate;
  const failed = (reason: string): AdapterProbe => ({ kind, works: false, reason });
  try {
    const prepared = await candidate.prepare(system);
    if ('reason' in prepared) return failed(prepared.reason);
    const { environment } = prepared;
    const variables = { ...system.environment, ...environment };
    const outcome = await (candidate.ask?.() ?? system.probe(variables));
    if ('reason' in outcome) return failed(outcome.reason);
    const rejected = candidate.reject(outcome.adapter);
    if (rejected) return failed(rejected);
    return { kind, works: true, environment, adapter: outcome.adapter };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function parseChoice(name: string): AdapterChoice {
  const choice = ADAPTER_CHOICES.find((one) => one === name);
  if (choice) return choice;
  throw new ValueError('adapter', `there is no adapter called ${name}. Take one of ${ADAPTER_CHOICES.join(', ')}.`);
}

function noAdapterMessage(probes: readonly AdapterProbe[]): string {
  const tried = probes.map((probe) => `${probe.kind}: ${probe.works ? 'works' : probe.reason}`).join('; ');
  return `no WebGPU adapter works (${tried}). ${advice(probes)}`;
}

const INSTALL_DAWN = 'Install Dawn for Node: npm install webgpu.';

function lacksDawn(probes: readonly AdapterProbe[]): boolean {
  return probes.some((probe) => !probe.works && /package webgpu is not installed/.test(probe.reason));
}

function advice(probes: readonly AdapterProbe[]): string {
  return lacksDawn(probes) ? INSTALL_DAWN : 'Without --adapter, a GPU is taken where there is one, else the CPU.';
}

// Features worth a word in one line; the rest is in the probe.
const NOTABLE: Record<string, string> = {
  'shader-f16': 'f16',
  subgroups: 'subgroups',
  'chromium-experimental-subgroup-matrix': 'subgroup matrix',
};

function facts(adapter: AdapterFacts): string {
  const features = Object.keys(NOTABLE).filter((feature) => adapter.features.includes(feature));
  return `${adapter.description || adapter.device} (${features.map((feature) => NOTABLE[feature]).join(', ') || 'core features only'})`;
}
