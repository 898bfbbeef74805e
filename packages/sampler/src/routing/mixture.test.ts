import {
  type Condition,
  cosinePath,
  type Expert,
  linearPath,
  type NoisyInput,
  type Objective,
  type Router,
} from '@paris/model';
import { full, type RoutingPolicy, top } from '@paris/router';
import { type Device, key, oneHot, ones, openDevice, type Tensor, type TreeOf, zeros } from '@paris/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mixture, type MixtureRequest, mixture, type RoutingRecord } from './mixture.js';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

type Affine = { gain: Tensor; offset: Tensor };
const linear: Objective = { prediction: 'velocity', path: 'linear' };
const shape = [2, 1, 2]; // C, H, W
const size = 4;

/** An expert that answers gain · x + offset + t + label, and notes the batches that it was traced with. */
function affine(objective = linear, traced: number[] = []): Expert {
  return {
    objective,
    init: () => ({ gain: ones([]), offset: zeros([]) }),
    apply: (params, { latents, time, condition }) => {
      traced.push(latents.shape[0]!);
      const { gain, offset } = params as Affine;
      const told = condition?.kind === 'label' ? time.add(condition.label.cast('f32')) : time;
      return latents
        .mul(gain)
        .add(offset)
        .add(told.reshape([-1, 1, 1, 1]));
    },
  };
}

/** A router with logits slope_k · (first value of x) + t · k. */
function sloped(clusters: number): Router {
  return {
    clusters,
    init: () => ({ slope: zeros([clusters]) }),
    logits: (params, { latents, time }) => {
      const first = latents.slice([null, [0, 1], [0, 1], [0, 1]]).reshape([-1, 1]);
      const numbers = device.tensor(Float32Array.from({ length: clusters }, (_, k) => k)) as Tensor;
      return first.mul((params as { slope: Tensor }).slope).add(time.reshape([-1, 1]).mul(numbers));
    },
  };
}

const scalarTensor = (value: number) => device.tensor(Float32Array.of(value), { shape: [] }) as Tensor;
const gains = [0.5, -1, 2];
const offsets = [1, 0, -3];
const slopes = [1, -1, 0.5];

function threeExperts(expert = affine()) {
  return gains.map((gain, k) => ({
    expert,
    params: { gain: scalarTensor(gain), offset: scalarTensor(offsets[k]!) } as TreeOf<Tensor>,
  }));
}

function threeWay(traced: number[] = []): Mixture {
  const router = { router: sloped(3), params: { slope: device.tensor(Float32Array.from(slopes)) as Tensor } };
  return mixture({ device, experts: threeExperts(affine(linear, traced)), router, path: linearPath });
}

const labels = (...values: number[]): Condition => ({
  kind: 'label',
  label: device.tensor(Uint32Array.from(values), { shape: [values.length], dtype: 'u32' }) as Tensor,
});
const request = (routing: RoutingPolicy, more: Partial<MixtureRequest> = {}): MixtureRequest => ({
  routing,
  key: key(0),
  ...more,
});

/** Five pictures, of which some prefer each expert. */
const values = Float32Array.from({ length: 5 * size }, (_, i) => Math.sin(3 * i) * 2);
const pictures = () => device.tensor(values, { shape: [5, ...shape] }) as Tensor;

/** The same mixture in plain float64. */
function reference(routing: RoutingPolicy, t: number, label: number[] = [0, 0, 0, 0, 0], guidance = 1) {
  const rows = Array.from({ length: 5 }, (_, i) => [...values.subarray(i * size, (i + 1) * size)]);
  const weights = rows.map((row, imageIndex) => {
    const logits = slopes.map((slope, k) => slope * row[0]! + t * k);
    const exps = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
    const total = exps.reduce((sum, e) => sum + e);
    const probabilities = Float32Array.from(exps, (e) => e / total);
    return routing(probabilities, { imageIndex, step: 0, evaluation: 0, time: t, key: key(0) });
  });
  // Guidance on a prediction that is linear in the label: u + g · (c − u) = … + g · label
  const velocity = rows.flatMap((row, i) =>
    row.map((x) =>
      gains.reduce((sum, gain, k) => sum + weights[i]![k]! * (gain * x + offsets[k]! + t + guidance * label[i]!), 0),
    ),
  );
  return { weights, velocity, sample: velocity.map((v, i) => values[i]! - t * v) };
}

async function expectClose(actual: Tensor, expected: number[]): Promise<void> {
  const got = [...(await actual.read())];
  expect(got).toHaveLength(expected.length);
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(expected[i]!, 4);
}

describe.each([
  ['top1', top(1)],
  ['top2', top(2)],
  ['full', full()],
] as const)('mixture, %s', (_, routing) => {
  it('is the weighted sum of the chosen experts, picture by picture', async () => {
    using latents = pictures();
    const run = threeWay().start(5, request(routing));
    run.startStep(0);
    const { velocity, sample } = await run.denoiser(latents, 0.75);
    const expected = reference(routing, 0.75);
    expect(velocity.shape).toEqual([5, ...shape]);
    await expectClose(velocity, expected.velocity);
    await expectClose(sample, expected.sample);
    for (const [i, [record]] of run.records.entries()) {
      for (const [k, weight] of record!.weights.entries()) expect(weight).toBeCloseTo(expected.weights[i]![k]!, 5);
    }
  });

  it('guides by the condition of each picture', async () => {
    using latents = pictures();
    const own = [3, 0, 1, 2, 5];
    const conditions = { condition: labels(...own), unconditional: labels(0, 0, 0, 0, 0), guidance: 2.5 };
    const { velocity } = await threeWay().start(5, request(routing, conditions)).denoiser(latents, 0.5);
    await expectClose(velocity, reference(routing, 0.5, own, 2.5).velocity);
  });
});

describe('mixture', () => {
  it('runs each expert on its own pictures only, padded to a power of two', async () => {
    const traced: number[] = [];
    using latents = pictures();
    const run = threeWay(traced).start(5, request(top(1)));
    await run.denoiser(latents, 0.75);
    const chosen = reference(top(1), 0.75).weights.map((row) => row.indexOf(1));
    const counts = gains.map((_, k) => chosen.filter((expert) => expert === k).length);
    expect(run.expertPictures).toEqual(counts);
    const buckets = counts.filter((count) => count > 0).map((count) => 2 ** Math.ceil(Math.log2(count)));
    expect(new Set(traced)).toEqual(new Set(buckets));
  });

  it('with guidance 1 asks for the conditional alone, with any other for both in one call', async () => {
    const traced: number[] = [];
    using latents = pictures();
    const conditions = { condition: labels(1, 1, 1, 1, 1), unconditional: labels(0, 0, 0, 0, 0) };
    const model = threeWay(traced);
    await model.start(5, request(full(), { ...conditions, guidance: 1 })).denoiser(latents, 0.5);
    expect(new Set(traced)).toEqual(new Set([8]));
    traced.length = 0;
    await model.start(5, request(full(), { ...conditions, guidance: 4 })).denoiser(latents, 0.5);
    expect(new Set(traced)).toEqual(new Set([16]));
  });

  it('says what was decided when, and hands policies the same', async () => {
    const asked: object[] = [];
    const spy: RoutingPolicy = (probabilities, { key: own, ...at }) => {
      asked.push({ ...at, words: own.words.join() });
      return top(1)(probabilities, { key: own, ...at });
    };
    using latents = pictures();
    const run = threeWay().start(5, request(spy, { firstImage: 10 }));
    run.startStep(3);
    await run.denoiser(latents, 0.5);
    await run.denoiser(latents, 0.25);
    expect(run.records[4]!.map(({ step, evaluation, time }) => [step, evaluation, time])).toEqual([
      [3, 0, 0.5],
      [3, 1, 0.25],
    ]);
    expect(asked[4]).toMatchObject({ imageIndex: 14, step: 3, evaluation: 0, time: 0.5 });
    expect(asked[9]).toMatchObject({ imageIndex: 14, evaluation: 1, previousWeights: run.records[4]![0]!.weights });
    expect(new Set(asked.map((at) => (at as { words: string }).words)).size).toBe(10);
    expect(asked[0]).not.toHaveProperty('previousWeights');
  });

  it('measures what it did where telemetry is asked for, and does the same', async () => {
    using latents = pictures();
    const model = threeWay();
    const plain = await model.start(5, request(top(2))).denoiser(latents, 0.5);
    const run = model.start(5, request(top(2), { telemetry: true }));
    const watched = await run.denoiser(latents, 0.5);
    expect(await watched.velocity.read()).toEqual(await plain.velocity.read());
    for (const [{ weights, probabilities, telemetry }] of run.records as [RoutingRecord][]) {
      const { entropy, nearTie, cosines, milliseconds } = telemetry!;
      expect(entropy).toBeCloseTo(
        probabilities.reduce((sum, p) => sum - p * Math.log(p), 0),
        9,
      );
      expect(nearTie).toBe(false);
      expect(milliseconds).toBeGreaterThan(0);
      for (let j = 0; j < 3; j++) {
        for (let k = 0; k < 3; k++) {
          expect(Number.isNaN(cosines[3 * j + k]!)).toBe(weights[j] === 0 || weights[k] === 0);
          if (j === k && weights[j]! > 0) expect(cosines[3 * j + k]).toBeCloseTo(1, 5);
        }
      }
    }
  });

  it('makes no buffer, pipeline or bind group once it has seen the shapes', async () => {
    using latents = pictures();
    const run = threeWay().start(5, request(full()));
    const step = async () => {
      const { sample, velocity } = await run.denoiser(latents, 0.5);
      await velocity.read();
      sample.dispose();
      velocity.dispose();
    };
    for (let warm = 0; warm < 4; warm++) await step();
    const before = device.counters;
    for (let i = 0; i < 3; i++) await step();
    const { buffersCreated, pipelinesCreated, bytesAllocated } = device.counters;
    expect({ buffersCreated, pipelinesCreated, bytesAllocated }).toEqual({
      buffersCreated: before.buffersCreated,
      pipelinesCreated: before.pipelinesCreated,
      bytesAllocated: before.bytesAllocated,
    });
  });

  it('asks an ε-expert of the cosine path at the time of equal SNR, and speaks of the linear path', async () => {
    // A perfect answer for a data point: ε = (x − (1 − t)·x₀) / t on the sampler's path, x₀ = 0.6 everywhere.
    const t = 0.4;
    const s = (2 / Math.PI) * Math.atan(t / (1 - t));
    const [alpha, sigma] = [Math.cos((Math.PI / 2) * s), Math.sin((Math.PI / 2) * s)];
    const expert: Expert = {
      objective: { prediction: 'epsilon', path: 'cosine' },
      init: () => ({ unused: zeros([]) }),
      apply: (params, { latents, time }) =>
        latents
          .sub(0.6 * alpha)
          .mul(1 / sigma)
          .add(time.sub(s).reshape([-1, 1, 1, 1]))
          .add((params as { unused: Tensor }).unused),
    };
    const experts = [{ expert, params: { unused: scalarTensor(0) } as TreeOf<Tensor> }];
    using latents = pictures();
    const run = mixture({ device, experts, path: linearPath }).start(5, request(top(1)));
    const { sample, velocity } = await run.denoiser(latents, t);
    await expectClose(sample, new Array(20).fill(0.6));
    await expectClose(
      velocity,
      [...values].map((x) => (x - (1 - t) * 0.6) / t - 0.6),
    );
    expect(run.records[0]![0]!.weights).toEqual(Float32Array.of(1));
  });

  it('samples on the cosine path too', async () => {
    const t = 0.3;
    const [own] = threeExperts(affine({ prediction: 'velocity', path: 'cosine' }));
    using latents = pictures();
    const { velocity, sample } = await mixture({ device, experts: [own!], path: cosinePath })
      .start(5, request(full()))
      .denoiser(latents, t);
    const v = [...values].map((x) => 0.5 * x + 1 + t);
    await expectClose(velocity, v);
    const [a, b] = [cosinePath.alpha(t), cosinePath.sigma(t)];
    await expectClose(
      sample,
      v.map((speed, i) => a * values[i]! - (b * speed) / (Math.PI / 2)),
    );
  });

  it('asks a router that reads prompts with the prompt of each picture', async () => {
    const reading: Router = {
      ...sloped(3),
      logits: (_, { condition }) => {
        if (condition?.kind !== 'label') throw new Error('no prompt');
        return oneHot(condition.label, 3).cast('f32').mul(9); // e⁹ to 1 for the expert that the label names
      },
    };
    const router = { router: reading, params: { slope: scalarTensor(0) as Tensor } };
    const labels = Uint32Array.of(2, 0, 1, 1, 2);
    const condition = { kind: 'label', label: device.tensor(labels, { shape: [5] }) } as const;
    const run = mixture({ device, experts: threeExperts(), router, path: linearPath }).start(5, {
      ...request(top(1)),
      condition,
    });
    using latents = pictures();
    const { sample, velocity } = await run.denoiser(latents, 1);
    for (const tensor of [sample, velocity]) tensor.dispose();
    expect(run.records.map(([record]) => record!.weights.indexOf(1))).toEqual([...labels]);
  });

  it('releases what it has made when an expert fails', async () => {
    const failing: Expert = {
      ...affine(),
      apply: () => {
        throw new Error('no such layer');
      },
    };
    const experts = threeExperts();
    experts[2] = { ...experts[2]!, expert: failing };
    const router = { router: sloped(3), params: { slope: device.tensor(Float32Array.from(slopes)) as Tensor } };
    const run = mixture({ device, experts, router, path: linearPath }).start(5, request(full()));
    using latents = pictures();
    for (let warm = 0; warm < 2; warm++) await expect(run.denoiser(latents, 0.5)).rejects.toThrow('no such layer');
    const before = device.counters.buffersCreated;
    for (let i = 0; i < 4; i++) await expect(run.denoiser(latents, 0.5)).rejects.toThrow('no such layer');
    expect(device.counters.buffersCreated).toBe(before);
  });

  it.each([
    [
      'one channel',
      ({ latents }: NoisyInput) => latents.slice([null, [0, 1], null, null]),
      '[expert] the answer is [8,1,1,2], not [8,2,1,2].',
    ],
    [
      'one picture',
      ({ latents }: NoisyInput) => latents.slice([[0, 1], null, null, null]),
      '[expert] the answer is [1,2,1,2], not [8,2,1,2].',
    ],
    ['a number', () => ones([]), '[expert] the answer is [], not [8,2,1,2].'],
  ])('refuses %s where an expert is asked for a batch', async (_, apply, message) => {
    const expert: Expert = { ...affine(), apply: (_, input) => apply(input) };
    const experts = threeExperts(expert).slice(0, 1);
    const run = mixture({ device, experts, path: linearPath }).start(5, request(full()));
    using latents = pictures();
    await expect(run.denoiser(latents, 0.5)).rejects.toThrow(message);
  });

  it('refuses a router that answers for one picture only', async () => {
    const short: Router = { ...sloped(3), logits: () => zeros([1, 3]) };
    const router = { router: short, params: { slope: scalarTensor(0) as Tensor } };
    const run = mixture({ device, experts: threeExperts(), router, path: linearPath }).start(5, request(full()));
    using latents = pictures();
    await expect(run.denoiser(latents, 0.5)).rejects.toThrow('[router] the answer is [1,3], not [5,3].');
  });

  it('refuses what does not fit together', async () => {
    const experts = threeExperts();
    const router = { router: sloped(2), params: { slope: device.tensor(Float32Array.of(1, 2)) as Tensor } };
    expect(() => mixture({ device, experts: [], path: linearPath })).toThrow('[mixture] there is no expert.');
    expect(() => mixture({ device, experts, path: linearPath })).toThrow(
      '[mixture] 3 experts have no router. Pass the one trained with them.',
    );
    expect(() => mixture({ device, experts, router, path: linearPath })).toThrow(
      '[mixture] the router knows 2 clusters, there are 3 experts. Pass the router that was trained with them.',
    );
    const odd = threeExperts(affine({ prediction: 'velocity', path: 'zigzag' }));
    expect(() => mixture({ device, experts: odd.slice(0, 1), path: linearPath })).toThrow(
      'no noise path is called "zigzag"',
    );
    expect(() => threeWay().start(5, request(full(), { guidance: 2 }))).toThrow(
      '[guidance] guidance 2 needs a prompt to be guided by. Give one, or guidance 1.',
    );
    using latents = pictures();
    const bad = threeWay().start(
      5,
      request(() => Float32Array.of(0.5, 0.2, 0)),
    );
    await expect(bad.denoiser(latents, 0.5)).rejects.toThrow('[routing] the policy gave picture 0 the weights [0.5, ');
  });
});
