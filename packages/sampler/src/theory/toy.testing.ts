/**
 * Decentralized diffusion at the size of a toy: points of a mixture in the plane, four clusters, an expert and its part
 * of the batch for each, a router, and for comparison a random partition of the same points and one model of the same
 * compute. Experts of all seeds and partitions train in one stack of batched products; isolation is in the data that
 * each row of the stack draws from.
 */
import { type Expert, linearPath, type Router } from '@paris/model';
import { full, type RoutingPolicy } from '@paris/router';
import {
  concat,
  cos,
  crossEntropy,
  type Device,
  embedding,
  floor,
  hostNormal,
  hostPermutation,
  hostUniform,
  type Key,
  key,
  normal,
  silu,
  sin,
  type Tensor,
  type TensorKey,
  type TreeOf,
  uniform,
  valueAndGrad,
} from '@paris/tensor';
import { adamw, cosineDecay, type TrainState } from '@paris/tensor/optim';
import type { LoadedExpert } from '../residency/shelf.js';
import { mixture } from '../routing/mixture.js';
import type { LoadedRouter } from '../routing/networks.js';
import { euler } from '../samplers/euler.js';
import { uniformTimes } from '../schedules/schedules.js';

export interface ToyOptions {
  /** Trainings from other points, first weights and noise. */
  readonly seeds: number;
  readonly trainingSteps: number;
  /** Points that are drawn from each model, and four times as many fresh ones that they are compared with. */
  readonly samples: number;
}

/** Energy distances to fresh data, one a seed. */
export interface ToyResult {
  /** Experts of true clusters, routed. */
  readonly routed: number[];
  /** Experts of random clusters, routed by a router trained on those. */
  readonly random: number[];
  /** One model of the compute of four experts and the router. */
  readonly monolith: number[];
  /** The routed experts of true clusters, each sent where its neighbour should go: what a broken route costs. */
  readonly misrouted: number[];
  /** As many points of the data itself. */
  readonly data: number[];
  /** Multiply-accumulates of a training step: of four experts and a router, and of the monolith. */
  readonly macs: { readonly decentralized: number; readonly monolith: number };
}

const K = 4;
const masses = [0.4, 0.3, 0.2, 0.1];
/** Where clusters 0, 1 and 2 end, as a share of all points. */
const ends = [0.4, 0.7, 0.9];
const spread = 0.1;
const points = 4000;
const width = 32;
/** Of a batch: the monolith's are as many as those of all experts and the router, whose last layer is the wider one. */
const rows = { expert: 64, router: 128, monolith: 392 };
const samplingSteps = 25;

/** Four clusters in the corners of a square, each of four Gaussians: 16 modes, one turned against the next. */
function modes(cluster: number): number[][] {
  const corner = [Math.sign(cluster % 2 || -1), cluster < 2 ? -1 : 1];
  return [0, 1, 2, 3].map((i) => {
    const angle = (Math.PI / 2) * i + 0.4 * cluster;
    return [1.1 * corner[0]! + 0.55 * Math.cos(angle), 1.1 * corner[1]! + 0.55 * Math.sin(angle)];
  });
}

/** A point for each of the clusters named, row-major [N, 2]. */
function draw(clusters: readonly number[], from: Key): Float32Array {
  const noise = hostNormal(from, 2 * clusters.length);
  const mode = hostUniform(from.foldIn(0), clusters.length);
  return Float32Array.from(noise, (z, i) => {
    const means = modes(clusters[i >> 1]!);
    return means[Math.floor(mode[i >> 1]! * means.length)]![i & 1]! + spread * z;
  });
}

/** `count` of the data's points: their clusters by chance. */
function fresh(count: number, from: Key): Float32Array {
  return draw([...hostUniform(from.foldIn(1), count)].map(clusterAt), from);
}

/** Where the share of the clusters before reaches `place`, from 0 to 1. */
function clusterAt(place: number): number {
  return ends.filter((end) => place >= end).length;
}

/** Trains everything and samples from it. */
export async function runToy(device: Device, { seeds, trainingSteps, samples }: ToyOptions): Promise<ToyResult> {
  // Two tables a seed: the points by true cluster, and the same in random order, cut at the same places.
  const tables = Array.from({ length: seeds }, (_, seed) => {
    const own = key(seed).foldIn(1);
    const sorted = draw(
      Array.from({ length: points }, (_, i) => clusterAt(i / points)),
      own,
    );
    const order = hostPermutation(own.foldIn(1), points);
    return [sorted, Float32Array.from(sorted, (_, i) => sorted[2 * order[i >> 1]! + (i & 1)]!)];
  }).flat();
  const table = device.tensor(Float32Array.from(tables.flatMap((each) => [...each])), {
    shape: [tables.length * points, 2],
  });
  const starts = [0, ...ends].map((end) => end * points);

  const train = <R extends { readonly start: number; readonly count: number }>(
    ranges: readonly R[],
    batch: number,
    outputs: number,
    loss: (outputs: Tensor, at: { target: Tensor; label: Tensor }) => Tensor,
    seed: number,
  ) => trainStack(device, table as Tensor, ranges, { batch, outputs, loss, steps: trainingSteps, key: key(seed) });
  const whole = tables.map((_, i) => ({ start: i * points, count: points }));
  const parts = whole.flatMap(({ start }) =>
    masses.map((mass, k) => ({ start: start + starts[k]!, count: mass * points })),
  );
  const meanSquare = (output: Tensor, { target }: { target: Tensor }) => output.sub(target).square().mean([1, 2]).sum();
  const experts = await train(parts, rows.expert, 2, meanSquare, 100);
  const monoliths = await train(
    whole.filter((_, i) => i % 2 === 0),
    rows.monolith,
    2,
    meanSquare,
    101,
  );
  const routers = await train(
    whole,
    rows.router,
    K,
    (logits, { label }) => crossEntropy(logits.reshape([-1, K]), label).mean(),
    102,
  );

  const result: ToyResult = {
    ...{ routed: [], random: [], monolith: [], misrouted: [], data: [] },
    macs: {
      decentralized: K * rows.expert * networkMacs(2) + rows.router * networkMacs(K),
      monolith: rows.monolith * networkMacs(2),
    },
  };
  for (let seed = 0; seed < seeds; seed++) {
    const data = fresh(4 * samples, key(seed).foldIn(2));
    const within = meanDistance(data, data, true);
    const compare = (found: Float32Array) => energyDistance(found, data, within);
    const partition = (table: number, shift = 0) =>
      masses.map((_, k) => ({ expert: network, params: one(experts, K * table + ((k + shift) % K)) }));
    const route = (table: number): LoadedRouter => ({ router: classifier, params: one(routers, table) });
    const sampled = (experts: LoadedExpert[], router?: LoadedRouter) =>
      sampleFrom(device, experts, router, samples, key(seed));
    result.routed.push(compare(await sampled(partition(2 * seed), route(2 * seed))));
    result.misrouted.push(compare(await sampled(partition(2 * seed, 1), route(2 * seed))));
    result.random.push(compare(await sampled(partition(2 * seed + 1), route(2 * seed + 1))));
    result.monolith.push(compare(await sampled([{ expert: network, params: one(monoliths, seed) }])));
    result.data.push(compare(fresh(samples, key(seed).foldIn(3))));
  }
  return result;
}

/** An MLP for each row of a stack: weights [G, in, out], biases [G, 1, out]. */
interface Stack {
  readonly weights: Tensor[];
  readonly biases: Tensor[];
}

const features = 2 + 7;
const layers = (outputs: number) =>
  [
    [features, width],
    [width, width],
    [width, outputs],
  ] as const;
const networkMacs = (outputs: number) => layers(outputs).reduce((sum, [inputs, each]) => sum + inputs * each, 0);

/** x [G, B, 2] and t [G, B, 1] → [G, B, outputs]. */
function forward({ weights, biases }: Stack, x: Tensor, t: Tensor): Tensor {
  const waves = [1, 2, 4].flatMap((n) => [cos(t.mul(n * Math.PI)), sin(t.mul(n * Math.PI))]);
  return weights.reduce(
    (h, weight, i) => {
      const next = h.matmul(weight).add(biases[i]!);
      return i + 1 < weights.length ? silu(next) : next;
    },
    concat([x, t, ...waves], 2),
  );
}

/** Trains one network for each range of the table's rows; each draws its batches from its own range alone. */
async function trainStack(
  device: Device,
  table: Tensor,
  ranges: readonly { readonly start: number; readonly count: number }[],
  options: {
    readonly batch: number;
    readonly outputs: number;
    readonly steps: number;
    readonly key: Key;
    readonly loss: (outputs: Tensor, at: { target: Tensor; label: Tensor }) => Tensor;
  },
): Promise<Stack> {
  const { batch, outputs, steps, loss } = options;
  const G = ranges.length;
  const column = (values: number[]) => device.tensor(Float32Array.from(values), { shape: [G, 1] }) as Tensor;
  const [start, count] = [column(ranges.map((range) => range.start)), column(ranges.map((range) => range.count))];
  const optimizer = adamw({ learningRate: cosineDecay(1e-2, steps) });
  const step = device.compile(
    (state: TrainState<Stack>, draws: TensorKey) => {
      const place = uniform(draws.foldIn(0), [G, batch]);
      const row = floor(place.mul(count)).add(start).cast('u32').reshape([-1]);
      const x0 = embedding(table, row).reshape([G, batch, 2]);
      const label = ends.reduce<Tensor>(
        (sum, end) => sum.add(place.greaterEqual(end).cast('u32')),
        place.less(0).cast('u32'),
      );
      const t = uniform(draws.foldIn(1), [G, batch, 1]);
      const noise = normal(draws.foldIn(2), [G, batch, 2]);
      const x = x0.add(noise.sub(x0).mul(t));
      const at = { target: noise.sub(x0), label: label.reshape([-1]) };
      const [value, gradients] = valueAndGrad((params: Stack) => loss(forward(params, x, t), at))(state.params);
      return { state: optimizer.update(state, gradients), value };
    },
    { donate: [0] },
  );
  const init: Stack = {
    weights: layers(outputs).map(([inputs, each], i) =>
      normal(options.key.foldIn(i), [G, inputs, each]).mul(Math.sqrt(1 / inputs)),
    ),
    biases: layers(outputs).map(([, each]) => normal(options.key.foldIn(9), [G, 1, each]).mul(0)),
  };
  let state = await device.run(optimizer.init(init));
  for (let i = 0; i < steps; i++) {
    const next = await step(state, options.key.foldIn(1000 + i));
    next.value.dispose();
    state = next.state;
  }
  return state.params;
}

/** The network of one row, still a stack. */
function one({ weights, biases }: Stack, row: number): TreeOf<Tensor> {
  const cut = (tensor: Tensor) => tensor.slice([[row, row + 1], null, null]);
  return { weights: weights.map(cut), biases: biases.map(cut) } as unknown as TreeOf<Tensor>;
}

const network: Expert = {
  objective: { prediction: 'velocity', path: 'linear' },
  init: () => {
    throw new Error('these train in a stack');
  },
  apply: (params, { latents, time }) =>
    forward(params as unknown as Stack, latents.reshape([1, -1, 2]), time.reshape([1, -1, 1])).reshape(latents.shape),
};

const classifier: Router = {
  clusters: K,
  init: network.init,
  logits: (params, { latents, time }) =>
    forward(params as unknown as Stack, latents.reshape([1, -1, 2]), time.reshape([1, -1, 1])).reshape([-1, K]),
};

async function sampleFrom(
  device: Device,
  experts: readonly LoadedExpert[],
  router: LoadedRouter | undefined,
  count: number,
  seed: Key,
  routing: RoutingPolicy = full(),
): Promise<Float32Array> {
  const loaded = await device.run({ experts: experts.map(({ params }) => params), router: router?.params ?? {} });
  const model = mixture({
    device,
    experts: experts.map(({ expert }, k) => ({ expert, params: loaded.experts[k]! })),
    router: router && { router: router.router, params: loaded.router as TreeOf<Tensor> },
    path: linearPath,
  });
  using initial = device.tensor(hostNormal(seed.foldIn(4), 2 * count), { shape: [count, 2, 1, 1] }) as Tensor;
  const { denoiser } = model.start(count, { routing, key: seed });
  let found = new Float32Array();
  const options = { times: uniformTimes(samplingSteps), path: linearPath };
  for await (const { latents, time } of euler(denoiser, initial, options)) {
    if (time === 0) found = (await latents.read()) as Float32Array<ArrayBuffer>;
  }
  return found;
}

/**
 * 2 E|X − Y| − E|X − X′| − E|Y − Y′| (Székely and Rizzo 2013, https://doi.org/10.1016/j.jspi.2013.03.018), without bias:
 * zero on average where both are drawn alike, so it can come out below zero.
 */
function energyDistance(x: Float32Array, y: Float32Array, withinY: number): number {
  return 2 * meanDistance(x, y, false) - meanDistance(x, x, true) - withinY;
}

function meanDistance(x: Float32Array, y: Float32Array, same: boolean): number {
  let sum = 0;
  for (let i = 0; i < x.length; i += 2) {
    for (let j = 0; j < y.length; j += 2) sum += Math.sqrt((x[i]! - y[j]!) ** 2 + (x[i + 1]! - y[j + 1]!) ** 2);
  }
  const [n, m] = [x.length / 2, y.length / 2];
  return sum / (n * (same ? m - 1 : m));
}
