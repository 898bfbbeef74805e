// Measures the time of each kernel by the GPU's clock: every dispatch has its own pass, between two timestamps. It is loaded only on
// request, and imports nothing, because shared code would become a separate file in every page's bundle.
import type { KernelCost } from '../compile/cost.js';
import type { Device } from './device.js';

/** One run of a kernel. */
export interface KernelRun extends KernelCost {
  /** The ops in it: `matmul+add`. */
  readonly name: string;
  /** From the first kernel's beginning. */
  readonly startMs: number;
  readonly ms: number;
}

/** All runs of one name. */
export interface KernelProfile {
  readonly name: string;
  readonly runs: number;
  readonly ms: number;
  /** Where the kernel holds a product or an attention; these alone are counted. */
  readonly tflopsPerSecond: number | undefined;
  /** If everything was read and written once. */
  readonly gigabytesPerSecond: number;
  /** The part of the time that the adapter's roofline allows: 1 is as fast as it can be by arithmetic or by memory. */
  readonly ofRoofline: number;
}

/** What the adapter reached: a copy of 64 MB (16 on a CPU), and a product of 2048³ (256³) in f32. */
export interface Roofline {
  readonly gigabytesPerSecond: number;
  readonly tflopsPerSecond: number;
}

/** Where the time went, kernel by kernel; see `Device.profile`. */
export interface Profile {
  readonly adapter: string;
  /** From the call to the end of the GPU's work, by the host's clock. */
  readonly wallMs: number;
  /** In kernels. */
  readonly gpuMs: number;
  readonly roofline: Roofline;
  /** By time, the longest first. */
  readonly kernels: readonly KernelProfile[];
  /** In the order in which they ran. */
  readonly runs: readonly KernelRun[];
}

/** Runs a function and says what its kernels took. */
export async function profile(device: Device, fn: () => unknown): Promise<Profile> {
  const roofline = rooflines.get(device) ?? (await measured(device));
  const { wallMs, runs } = await timed(device, fn);
  const names = new Map<string, KernelRun[]>();
  for (const run of runs) names.set(run.name, [...(names.get(run.name) ?? []), run]);
  const kernels = [...names].map(([name, same]) => summary(name, same, roofline)).sort((a, b) => b.ms - a.ms);
  return { adapter: device.info.adapter, wallMs, gpuMs: sum(runs, ({ ms }) => ms), roofline, kernels, runs };
}

function summary(name: string, runs: readonly KernelRun[], roofline: Roofline): KernelProfile {
  const ms = sum(runs, (run) => run.ms);
  const [flops, bytes] = [sum(runs, (run) => run.flops ?? 0), sum(runs, (run) => run.bytes)];
  const least = Math.max(flops / 1e9 / roofline.tflopsPerSecond, bytes / 1e6 / roofline.gigabytesPerSecond);
  return {
    name,
    runs: runs.length,
    ms,
    tflopsPerSecond: flops > 0 ? perMs(flops / 1e9, ms) : undefined,
    gigabytesPerSecond: perMs(bytes / 1e6, ms),
    ofRoofline: perMs(least, ms),
  };
}

const rooflines = new WeakMap<Device, Roofline>();

async function measured(device: Device): Promise<Roofline> {
  const [numbers, n] = device.info.software ? [2 ** 22, 256] : [2 ** 24, 2048];
  const x = device.tensor(new Float32Array(numbers).fill(1));
  const a = device.tensor(new Float32Array(n * n).fill(1 / n), { shape: [n, n] });
  const best = async (fn: () => { dispose(): void }) => {
    const once = async () => (await device.run(fn())).dispose();
    await once();
    const { runs } = await timed(device, async () => {
      for (let i = 0; i < 5; i++) await once();
    });
    return runs.reduce((least, run) => (run.ms < least.ms ? run : least));
  };
  try {
    const [copy, product] = [await best(() => x.neg()), await best(() => a.matmul(a))];
    const roofline = {
      gigabytesPerSecond: perMs(copy.bytes / 1e6, copy.ms),
      tflopsPerSecond: perMs(product.flops! / 1e9, product.ms),
    };
    rooflines.set(device, roofline);
    return roofline;
  } finally {
    x.dispose();
    a.dispose();
  }
}

async function timed(device: Device, fn: () => unknown): Promise<{ wallMs: number; runs: KernelRun[] }> {
  const timer = new KernelTimer(device.gpu);
  device.timer = timer;
  const start = performance.now();
  try {
    await fn();
    await device.gpu.queue.onSubmittedWorkDone();
  } finally {
    device.timer = undefined;
  }
  const wallMs = performance.now() - start;
  return { wallMs, runs: await timer.read() };
}

// GPUBufferUsage, spelled out: the constants are not global everywhere that WebGPU is.
const [mapRead, copySource, copyTarget, queryResolve] = [1, 4, 8, 512];
/** WebGPU's limit for a set. */
const queriesPerSet = 4096;

/** Takes the times of dispatches while a profile is made. */
export class KernelTimer {
  private readonly sets: { set: GPUQuerySet; used: number; resolved?: GPUBuffer; read?: GPUBuffer }[] = [];
  private readonly kernels: (KernelCost & { readonly name: string })[] = [];
  private open: typeof this.sets = [];

  constructor(private readonly gpu: GPUDevice) {}

  /** What the pass of a dispatch is begun with. */
  pass(name: string, { flops, bytes }: KernelCost): GPUComputePassDescriptor {
    let at = this.open.at(-1);
    if (!at || at.used === queriesPerSet) {
      at = { set: this.gpu.createQuerySet({ type: 'timestamp', count: queriesPerSet }), used: 0 };
      this.sets.push(at);
      this.open.push(at);
    }
    this.kernels.push({ name, flops, bytes });
    const first = at.used;
    at.used += 2;
    return { timestampWrites: { querySet: at.set, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 } };
  }

  /** At the end of an encoder. */
  resolve(encoder: GPUCommandEncoder): void {
    for (const at of this.open) {
      const size = at.used * 8;
      at.resolved = this.gpu.createBuffer({ size, usage: queryResolve | copySource });
      at.read = this.gpu.createBuffer({ size, usage: mapRead | copyTarget });
      encoder.resolveQuerySet(at.set, 0, at.used, at.resolved, 0);
      encoder.copyBufferToBuffer(at.resolved, 0, at.read, 0, size);
    }
    this.open = [];
  }

  async read(): Promise<KernelRun[]> {
    const times: bigint[] = [];
    for (const { set, resolved, read } of this.sets) {
      await read!.mapAsync(1);
      times.push(...new BigUint64Array(read!.getMappedRange()));
      read!.destroy();
      resolved!.destroy();
      set.destroy();
    }
    const inMs = (from: bigint, to: bigint) => Number(to - from) / 1e6;
    return this.kernels.map((kernel, i) => ({
      ...kernel,
      startMs: inMs(times[0]!, times[2 * i]!),
      ms: Math.max(0, inMs(times[2 * i]!, times[2 * i + 1]!)),
    }));
  }
}

/** Rates over times that the clock may be too coarse for: 0 where it saw none. */
function perMs(amount: number, ms: number): number {
  return ms > 0 ? amount / ms : 0;
}

function sum<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((total, item) => total + of(item), 0);
}
