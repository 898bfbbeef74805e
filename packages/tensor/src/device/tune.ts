// Measures kernels on the current adapter. The result is a table: nothing is ever timed while a program trains or samples.
import { grad } from '../autodiff/gradient.js';
import { sizeOf } from '../graph/shape.js';
import { attentionCandidates } from '../kernels/attention/choose.js';
import type { AttentionKernel } from '../kernels/attention/spec.js';
import { type MatmulShape, matmulCandidates } from '../kernels/matmul/choose.js';
import { attentionClass, matmulClass, type TuningTable } from '../kernels/tuning.js';
import { attention } from '../ops/attention/attention.js';
import { matmul } from '../ops/matmul/matmul.js';
import { hostNormal, key } from '../random/index.js';
import type { Tensor } from '../tensor.js';
import { Device } from './device.js';

/** Attention of one size: N queries and keys of H heads with d channels each. */
export interface AttentionShape {
  readonly batch: number;
  readonly tokens: number;
  readonly heads: number;
  readonly headDim: number;
}

/** What to measure, and for which shapes. */
export interface TuneOptions {
  readonly matmul?: readonly MatmulShape[];
  readonly attention?: readonly AttentionShape[];
  /** How many kernels of each class are tried, the fixed rules' one among them. Default: all there are. */
  readonly candidates?: number;
  /** How often each kernel is timed. Default 7. */
  readonly repetitions?: number;
  /** Called after each class of shapes. */
  readonly onProgress?: (progress: TuneProgress) => void;
  readonly signal?: AbortSignal;
}

/** One class that has been measured. */
export interface TuneProgress {
  readonly name: string;
  /** Median milliseconds of the fixed rules' kernel, and of the one that was kept. */
  readonly presetMs: number;
  readonly bestMs: number;
  readonly kernel: string;
  readonly candidates: number;
}

/** A kernel must gain this much to replace that of the fixed rules: less is noise. */
const worthwhile = 0.95;
/** How many kernels are timed against the best so far at once. */
const heat = 6;
/** After the first round, what is slower than the best by this factor is not timed again. */
const hopeless = 1.5;

/**
 * Times the kernels for products and attention of these shapes, in turns, and keeps the fastest of each class. A kernel's
 * result is compared with the fixed rules' kernel's before its time counts.
 */
export async function tune(device: Device, options: TuneOptions = {}): Promise<TuningTable> {
  const { candidates: most = Number.POSITIVE_INFINITY, repetitions = 7, onProgress, signal } = options;
  let table: TuningTable = {
    format: 'paris-tuning',
    version: 1,
    fingerprint: device.info.fingerprint,
    matmul: {},
    attention: {},
  };
  const measured = new Set<string>();
  const measure = async <C extends { readonly kernel: string }>(
    part: 'matmul' | 'attention',
    name: string,
    all: readonly C[],
    work: Work,
  ) => {
    if (measured.has(`${part} ${name}`) || signal?.aborted) return;
    measured.add(`${part} ${name}`);
    const candidates = all.slice(0, most);
    const forced = (choice: C) => {
      const tuning = { ...table, [part]: { ...table[part], [name]: choice } };
      return new Device(device.gpu, device.info, false, tuning);
    };
    const timed = (runners: readonly number[], dropFrom = hopeless) =>
      race(new Map(runners.map((i) => [i, forced(candidates[i]!)])), work, repetitions, dropFrom);
    // The best so far against a few others at once; at the end against the rules' kernel, which is the first.
    let best = 0;
    for (let at = 1; at < candidates.length; at += heat) {
      best = fastest(await timed([best, ...[...candidates.keys()].slice(at, at + heat)]), best);
    }
    const final = await timed([...new Set([0, best])], Number.POSITIVE_INFINITY); // both times are reported
    if (best > 0 && !(final[best]! < worthwhile * final[0]!)) best = 0;
    const kept = candidates[best]!;
    if (best > 0) table = { ...table, [part]: { ...table[part], [name]: kept } };
    onProgress?.({
      name: `${part} ${name}`,
      presetMs: final[0]!,
      bestMs: final[best]!,
      kernel: JSON.stringify(kept),
      candidates: candidates.length,
    });
  };

  const { limits } = device.gpu;
  for (const shape of options.matmul ?? []) {
    await measure('matmul', matmulClass(shape), matmulCandidates(shape, device.adapter, limits), productOf(shape));
  }
  for (const shape of options.attention ?? []) {
    for (const kernel of ['forward', 'backwardQuery', 'backwardKey'] as const) {
      const candidates = attentionCandidates(kernel, shape.headDim, device.adapter);
      await measure('attention', attentionClass(kernel, shape.headDim), candidates, attentionOf(kernel, shape));
    }
  }
  return table;
}

interface Work {
  readonly inputs: readonly { readonly shape: readonly number[] }[];
  run(inputs: readonly Tensor[]): Tensor;
}

function productOf({ m, n, k, batch }: MatmulShape): Work {
  const lead = batch > 1 ? [batch] : [];
  return {
    inputs: [{ shape: [...lead, m, k] }, { shape: [...lead, k, n] }],
    run: ([a, b]) => matmul(a!, b!),
  };
}

function attentionOf(kernel: AttentionKernel, { batch, tokens, heads, headDim }: AttentionShape): Work {
  const shape = [batch, tokens, heads, headDim];
  const loss = (q: Tensor, k: Tensor, v: Tensor) => attention(q, k, v).square().sum();
  return {
    inputs: [{ shape }, { shape }, { shape }],
    run: ([q, k, v]) => {
      if (kernel === 'forward') return attention(q!, k!, v!);
      if (kernel === 'backwardQuery') return grad((x: Tensor) => loss(x, k!, v!))(q!);
      return grad((x: Tensor) => loss(q!, x, v!))(k!);
    },
  };
}

/** Median milliseconds by candidate; those that fell out are not there. */
type Times = Readonly<Record<number, number>>;

function fastest(times: Times, otherwise: number): number {
  const ranked = Object.entries(times).sort(([, a], [, b]) => a - b);
  return ranked.length > 0 ? Number(ranked[0]![0]) : otherwise;
}

/**
 * Times the same work on devices that choose differently, in turns, and closes them. The first one's result is right. One
 * whose first time is more than `dropFrom` times the best first time falls out.
 */
async function race(
  devices: ReadonlyMap<number, Device>,
  { inputs, run }: Work,
  repetitions: number,
  dropFrom: number,
): Promise<Times> {
  const data = inputs.map(({ shape }, i) => hostNormal(key(i), sizeOf(shape)));
  const lanes: { candidate: number; device: Device; once(): Promise<void>; times: number[] }[] = [];
  let expected: ArrayLike<number> | undefined;
  for (const [candidate, device] of devices) {
    const step = device.compile((...tensors: Tensor[]) => run(tensors));
    const tensors = data.map((elements, i) => device.tensor(elements, { shape: inputs[i]!.shape }));
    const once = async () => (await step(...tensors)).dispose();
    // A driver may refuse a kernel, and a kernel may be wrong there: neither is a candidate.
    const made = await step(...tensors).catch(() => undefined);
    const result = await made?.read();
    expected ??= result;
    if (result && agrees(result, expected!)) lanes.push({ candidate, device, once, times: [] });
  }
  for (let round = 0; round < repetitions; round++) {
    const first = Math.min(...lanes.map(({ times }) => times[0] ?? Number.POSITIVE_INFINITY));
    for (const { device, once, times } of lanes) {
      if (round > 0 && times[0]! > dropFrom * first) continue;
      const start = performance.now();
      await once();
      await device.gpu.queue.onSubmittedWorkDone();
      times.push(performance.now() - start);
    }
  }
  for (const device of devices.values()) await device.close();
  const complete = lanes.filter(({ times }) => times.length === repetitions);
  return Object.fromEntries(complete.map(({ candidate, times }) => [candidate, median(times)]));
}

/** Equal up to what another order of additions changes. */
function agrees(actual: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) if (!(Math.abs(actual[i]! - expected[i]!) <= 1e-4 * largest)) return false;
  return actual.length === expected.length;
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
