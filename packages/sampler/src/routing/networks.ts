// The networks of a mixture, compiled once and asked at each evaluation.
import {
  type Condition,
  convertPrediction,
  type Expert,
  gatherCondition,
  gatherRows,
  type NoisePath,
  type NoisyInput,
  noisePath,
  type Params,
  type PredictionCoefficients,
  type PredictionScalars,
  predictionCoefficients,
  type Router,
  sampleLimits,
  toFlat,
  toTree,
} from '@paris/model';
import { type Device, ShapeError, scalar, softmax, type Tensor, type TreeOf, ValueError } from '@paris/tensor';
import { type GuidanceTerms, guided } from '../guidance/guidance.js';
import type { Denoised } from '../samplers/sampler.js';
import type { ExpertBatch } from './assignment.js';

/** A router with its weights on the device. */
export interface LoadedRouter {
  readonly router: Router;
  readonly params: TreeOf<Tensor>;
}

/** What both sides of an expert's guidance are given; see `MixtureRequest`. */
interface Conditions {
  readonly condition?: Condition | undefined;
  readonly unconditional?: Condition | undefined;
}

/** The router and the experts of a mixture as compiled functions. */
export class MixtureNetworks {
  private readonly paths: readonly NoisePath[];
  private readonly forwards: ReadonlyMap<Expert, ReturnType<typeof compiledExpert>>;
  private readonly ask: ((latents: Tensor, time: number, condition?: Condition) => Promise<Tensor>) | undefined;

  /** @throws ValueError if there is no expert, several without a router, or a router of another K; for an unknown path */
  constructor(
    private readonly device: Device,
    private readonly experts: readonly Expert[],
    router: LoadedRouter | undefined,
    private readonly path: NoisePath,
    paths: readonly NoisePath[],
  ) {
    check(experts, router);
    this.paths = experts.map((expert) => noisePath(expert.objective.path, [path, ...paths]));
    // Experts of one config share an object, and so one plan for all their weights.
    this.forwards = new Map([...new Set(experts)].map((expert) => [expert, compiledExpert(device, expert)]));
    this.ask = router && compiledRouter(device, router);
  }

  /** The router's answer for each picture, [K]; that of a single expert is 1. */
  async probabilities(latents: Tensor, time: number, condition?: Condition): Promise<Float32Array[]> {
    const batch = latents.shape[0]!;
    if (!this.ask) return Array.from({ length: batch }, () => Float32Array.of(1));
    const answer = await this.ask(latents, time, condition);
    const all = (await answer.read().finally(() => answer.dispose())) as Float32Array;
    const clusters = this.experts.length;
    return Array.from({ length: batch }, (_, i) => all.slice(i * clusters, (i + 1) * clusters));
  }

  /** What an expert says of its pictures of a batch, weighted, in their places; zero elsewhere. */
  async predict(
    { expert: k, pictures: list, weights: shares }: ExpertBatch,
    params: Params,
    latents: Tensor,
    time: number,
    { condition, unconditional }: Conditions,
    guidance: GuidanceTerms | undefined,
  ): Promise<Denoised> {
    const expert = this.experts[k]!;
    const at = predictionCoefficients(expert.objective.prediction, this.paths[k]!, this.path, time);
    const pictures = this.device.tensor(list, { shape: [list.length], dtype: 'u32' });
    const weights = this.device.tensor(shares, { shape: [latents.shape[0]!, list.length] });
    try {
      return await this.forwards.get(expert)!(params, {
        latents,
        pictures,
        weights,
        time: scalar(at.time),
        at: scalars(at),
        ...(condition ? { condition } : {}),
        ...(guidance && unconditional ? { unconditional, guidance } : {}),
      });
    } finally {
      pictures.dispose();
      weights.dispose();
    }
  }
}

function compiledRouter(device: Device, { router, params }: LoadedRouter) {
  const weights = toFlat(params);
  const ask = device.compile(routerForward(router));
  return (latents: Tensor, time: number, condition?: Condition) =>
    ask(weights, { latents, time: scalar(time), ...(condition ? { condition } : {}) });
}

function compiledExpert(device: Device, expert: Expert) {
  return device.compile(expertForward(expert));
}

/**
 * Traced: the router's answer as probabilities.
 * @returns from weights by name, and latents [B, C, H, W] with one time or one each, to [B, K]
 */
export function routerForward(router: Router): (params: Params, input: NoisyInput) => Tensor {
  return (params, input) => {
    const batch = input.latents.shape[0]!;
    const logits = router.logits(toTree(params), { ...input, time: everyRow(input.time, batch) });
    return softmax(ofShape('router', logits, [batch, router.clusters]), 1);
  };
}

/** What a network of somebody's own answered: another shape would be spread over all pictures, or fail far from here. */
function ofShape(network: 'expert' | 'router', answer: Tensor, wanted: readonly number[]): Tensor {
  if (answer.shape.join() === wanted.join()) return answer;
  throw new ShapeError(network, `the answer is [${answer.shape}], not [${wanted}]. Return that.`);
}

/** What an expert is asked in a batch. */
export interface ExpertInput {
  /** [B, C, H, W] */
  readonly latents: Tensor;
  /** u32 [bucket] */
  readonly pictures: Tensor;
  /** [B, bucket] */
  readonly weights: Tensor;
  /** As the expert learned it: one for all pictures, or [bucket]. */
  readonly time: Tensor;
  /** Likewise; each is [bucket, 1, 1, 1] if pictures differ. */
  readonly at: PredictionScalars;
  /** Of all pictures of the batch. */
  readonly condition?: Condition | undefined;
  readonly unconditional?: Condition | undefined;
  readonly guidance?: GuidanceTerms | undefined;
}

/**
 * Traced: one expert on its pictures of a batch, guided, converted to the sampler's path, weighted and put in their places.
 * @returns from weights by name to a prediction for the whole batch, [B, C, H, W]
 */
export function expertForward(expert: Expert): (params: Params, input: ExpertInput) => Denoised {
  const limit = sampleLimits[expert.objective.prediction];
  return (weightsByName, input) => {
    const params = toTree(weightsByName);
    const { pictures, weights, at, guidance } = input;
    const bucket = pictures.shape[0]!;
    const latents = gatherRows(input.latents, pictures); // [bucket, C, H, W]
    const seen = latents.mul(at.latentsScale);
    const time = everyRow(input.time, bucket);
    const predict = (x: Tensor, t: Tensor, condition?: Condition) =>
      ofShape('expert', expert.apply(params, { latents: x, time: t, ...(condition ? { condition } : {}) }), x.shape);
    const condition = input.condition && gatherCondition(input.condition, pictures);
    const unconditional = input.unconditional && gatherCondition(input.unconditional, pictures);
    const sampleOf = (output: Tensor) => convertPrediction(latents, output, at, limit).sample;
    const output =
      guidance && condition && unconditional
        ? guided(predict, seen, time, { condition, unconditional }, guidance, sampleOf)
        : predict(seen, time, condition);
    const { sample, velocity } = convertPrediction(latents, output, at, limit);
    const place = (rows: Tensor) => weights.matmul(rows.reshape([bucket, -1])).reshape(input.latents.shape);
    return { sample: place(sample), velocity: place(velocity) };
  };
}

/** A time for each row of a batch, [B]: one for all is repeated. */
function everyRow(time: Tensor, batch: number): Tensor {
  return time.rank === 1 ? time : time.reshape([1]).expand([batch]);
}

function scalars({ time: _, ...at }: PredictionCoefficients): PredictionScalars {
  return Object.fromEntries(Object.entries(at).map(([name, value]) => [name, scalar(value)])) as PredictionScalars;
}

function check(experts: readonly Expert[], router: LoadedRouter | undefined): void {
  if (experts.length === 0) throw new ValueError('mixture', 'there is no expert. Pass at least one.');
  if (!router && experts.length > 1) {
    throw new ValueError('mixture', `${experts.length} experts have no router. Pass the one trained with them.`);
  }
  if (!router || router.router.clusters === experts.length) return;
  const { clusters } = router.router;
  throw new ValueError(
    'mixture',
    `the router knows ${clusters} clusters, there are ${experts.length} experts. Pass the router that was trained with them.`,
  );
}
