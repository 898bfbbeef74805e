/**
 * The routed mixture as one `Denoiser`: Σ_k w_k(x_t, t) · v_k(x_t, t), eq. 7 of Decentralized Diffusion Models
 * (arXiv 2501.05450). At each evaluation: router → probabilities to the host → policy → weights → the chosen experts on
 * the pictures that need them → weighted sum. Guidance is inside, expert by expert: its two sides share the weights, so
 * that is the same as guiding the mixture. (A router that reads prompts is asked with the prompt, once.)
 */
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
import type { RoutingPolicy } from '@paris/router';
import { type Device, scalar, softmax, stack, type Tensor, type TreeOf, ValueError } from '@paris/tensor';
import {
  type Guidance,
  type GuidanceTerms,
  guidanceOf,
  guided,
  guidesAt,
  isGuided,
  type SettledGuidance,
  scaleAt,
} from '../guidance/guidance.js';
import { type ExpertLoad, type ExpertShelf, type LoadedExpert, residentShelf } from '../residency/shelf.js';
import { keyOfPicture, type PictureKeys } from '../samplers/noise.js';
import type { Denoised, Denoiser } from '../samplers/sampler.js';
import { assignBatch, checkWeights, type ExpertBatch } from './assignment.js';
import type { RoutingTelemetry, telemetryMeter } from './telemetry.js';

/** A router with its weights on the device. */
export interface LoadedRouter {
  readonly router: Router;
  readonly params: TreeOf<Tensor>;
}

/** What was decided for one picture at one model evaluation. */
export interface RoutingRecord {
  readonly step: number;
  /** Which evaluation of the step, from 0. */
  readonly evaluation: number;
  readonly time: number;
  /** The router's answer, [K]; that of a single expert is 1. */
  readonly probabilities: Float32Array;
  /** The policy's answer, [K]. */
  readonly weights: Float32Array;
  /** Where it was asked for. */
  readonly telemetry?: RoutingTelemetry;
}

/** What one batch asks of the mixture: policy, randomness, condition and guidance. */
export interface MixtureRequest {
  readonly routing: RoutingPolicy;
  readonly key: PictureKeys;
  /** One row for each picture of the batch, on the device. Left out for experts without one. */
  readonly condition?: Condition | undefined;
  /** As many rows; needed for guidance other than 1. */
  readonly unconditional?: Condition | undefined;
  /** Default 1: the conditional prediction alone, at half the cost. A scale may be a list for the steps, and no function. */
  readonly guidance?: number | Guidance | undefined;
  /** Index of the batch's first picture, for policies and keys. Default 0. */
  readonly firstImage?: number | undefined;
  /**
   * Adds {@link RoutingTelemetry} to each record: a product of the experts' velocities and one more wait for the device
   * at each evaluation. Default false.
   */
  readonly telemetry?: boolean | undefined;
  /** Ends waiting for an expert's weights, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** One batch being sampled. */
export interface MixtureRun {
  readonly denoiser: Denoiser;
  /** Says which step the evaluations from now on belong to. */
  startStep(step: number): void;
  /** By picture of the batch, then by evaluation. */
  readonly records: readonly RoutingRecord[][];
  /** How many pictures each expert has run (without padding; guidance counts once), [K]. */
  readonly expertPictures: readonly number[];
}

/** A mixture that is ready to sample: its compiled functions are kept from one run to the next. */
export interface Mixture {
  /**
   * Begins a batch of so many pictures; nothing runs before the denoiser is called.
   * @throws ValueError for guidance other than 1 without both conditions.
   */
  start(batch: number, request: MixtureRequest): MixtureRun;
}

/**
 * Experts and router as one model.
 * @param options.experts - with their weights, or a shelf that brings those when they are wanted. The pictures are the same.
 * @param options.path - the path that is sampled on and that the router was trained on; experts of other paths are
 *   asked at the time of equal log-SNR
 * @throws ValueError if there is no expert, several without a router, or a router of another K; for an unknown path
 */
export function mixture(options: {
  readonly device: Device;
  readonly experts: readonly LoadedExpert[] | ExpertShelf;
  readonly router?: LoadedRouter | undefined;
  readonly path: NoisePath;
  readonly paths?: readonly NoisePath[];
}): Mixture {
  const { device, router, path, paths = [] } = options;
  const shelf = 'acquire' in options.experts ? options.experts : residentShelf(options.experts);
  const { experts } = shelf;
  check(experts, router);
  const expertPaths = experts.map((expert) => noisePath(expert.objective.path, [path, ...paths]));
  const askRouter = router && device.compile(routerForward(router.router));
  // Experts of one config share an object, and so one plan for all their weights.
  const forwards = new Map([...new Set(experts)].map((expert) => [expert, device.compile(forward(expert))]));
  const routerParams = router && toFlat(router.params);
  let meter: Promise<ReturnType<typeof telemetryMeter>> | undefined;
  const meterOf = () => (meter ??= import('./telemetry.js').then((chunk) => chunk.telemetryMeter(device, stack)));

  const probabilitiesOf = async (latents: Tensor, time: number, condition?: Condition): Promise<Float32Array[]> => {
    const batch = latents.shape[0]!;
    if (!askRouter || !routerParams) return Array.from({ length: batch }, () => Float32Array.of(1));
    const answer = await askRouter(routerParams, { latents, time: scalar(time), ...(condition ? { condition } : {}) });
    const all = (await answer.read().finally(() => answer.dispose())) as Float32Array;
    return Array.from({ length: batch }, (_, i) => all.slice(i * experts.length, (i + 1) * experts.length));
  };

  const runExpert = async (
    batch: ExpertBatch,
    params: Params,
    latents: Tensor,
    time: number,
    { condition, unconditional }: MixtureRequest,
    guidance: GuidanceTerms | undefined,
  ) => {
    const expert = experts[batch.expert]!;
    const at = predictionCoefficients(expert.objective.prediction, expertPaths[batch.expert]!, path, time);
    const bucket = batch.pictures.length;
    const pictures = device.tensor(batch.pictures, { shape: [bucket], dtype: 'u32' });
    const weights = device.tensor(batch.weights, { shape: [latents.shape[0]!, bucket] });
    const sides = guidance && unconditional ? { unconditional, guidance } : {};
    try {
      return await forwards.get(expert)!(params, {
        latents,
        pictures,
        weights,
        time: scalar(at.time),
        at: scalars(at),
        ...(condition ? { condition } : {}),
        ...sides,
      });
    } finally {
      pictures.dispose();
      weights.dispose();
    }
  };

  return {
    start(batch, request) {
      const { routing, key, condition, unconditional, firstImage = 0, telemetry = false } = request;
      const guidance = guidanceOf('guidance', request.guidance ?? 1);
      if (isGuided(guidance) && !(condition && unconditional)) {
        const what = `guidance ${guidance.scale} needs a prompt to be guided by`;
        throw new ValueError('guidance', `${what}. Give one, or guidance 1.`);
      }
      const records: RoutingRecord[][] = Array.from({ length: batch }, () => []);
      const expertPictures = experts.map(() => 0);
      let [step, evaluation] = [0, 0];
      const denoiser: Denoiser = async (latents, time) => {
        const began = performance.now();
        const terms = guidesAt(guidance, time, step) ? termsOf(guidance, step) : undefined;
        const resident = shelf.residency && { resident: shelf.resident };
        const decisions = (await probabilitiesOf(latents, time, condition)).map((probabilities, i) => {
          const imageIndex = firstImage + i;
          const previousWeights = records[i]!.at(-1)?.weights;
          const own = keyOfPicture(key, imageIndex).foldIn(step).foldIn(evaluation);
          const at = {
            ...{ imageIndex, step, evaluation, time, key: own },
            ...(previousWeights && { previousWeights }),
            ...resident,
          };
          const weights = routing(probabilities, at);
          checkWeights(weights, experts.length, imageIndex);
          records[i]!.push({ step, evaluation, time, probabilities, weights });
          return { probabilities, weights, at };
        });
        evaluation += 1;
        const batches = assignBatch(decisions.map(({ weights }) => weights));
        const parts: Denoised[] = []; // in the order of the experts, whatever the order in which they run
        const loads: ExpertLoad[] = [];
        let result: Denoised | undefined;
        try {
          for (const i of residentFirst(batches, shelf.resident)) {
            const { expert, count } = batches[i]!;
            const lease = await shelf.acquire(expert, request.signal);
            if (lease.load) loads.push(lease.load);
            try {
              parts[i] = await runExpert(batches[i]!, lease.params, latents, time, request, terms);
            } finally {
              lease.release();
            }
            expertPictures[expert]! += count;
          }
          result = await sum(device, parts);
          if (telemetry) {
            const swaps = shelf.residency && loads;
            const measured = await (await meterOf())({ routing, decisions, batches, parts, swaps, began });
            for (const [i, telemetry] of measured.entries()) records[i]!.push({ ...records[i]!.pop()!, telemetry });
          }
          return result;
        } finally {
          for (const part of Object.values(parts)) if (part !== result) release(part); // some may have not run
        }
      };
      const startStep = (next: number) => {
        [step, evaluation] = [next, 0];
      };
      return { denoiser, startStep, records, expertPictures };
    },
  };
}

/**
 * Places in the list, those of experts that are on the device first: the others would drive them out before their turn. All
 * pictures that an expert was brought for run at once.
 */
function residentFirst(batches: readonly ExpertBatch[], resident: ReadonlySet<number>): number[] {
  const isThere = (i: number) => Number(resident.has(batches[i]!.expert));
  return [...batches.keys()].sort((a, b) => isThere(b) - isThere(a)); // a stable sort
}

/** Latents [B, C, H, W] at one time → probabilities [B, K]. */
function routerForward(router: Router) {
  return (params: Params, input: NoisyInput) =>
    softmax(router.logits(toTree(params), { ...input, time: everyRow(input.time, input.latents.shape[0]!) }), 1);
}

interface ForwardInput {
  readonly latents: Tensor;
  /** u32 [bucket] */
  readonly pictures: Tensor;
  /** [B, bucket] */
  readonly weights: Tensor;
  readonly time: Tensor;
  readonly at: PredictionScalars;
  readonly condition?: Condition;
  readonly unconditional?: Condition;
  readonly guidance?: GuidanceTerms;
}

/** One expert on its pictures of a batch, guided, converted to the sampler's path, weighted and put in their places. */
function forward(expert: Expert) {
  const limit = sampleLimits[expert.objective.prediction];
  return (weightsByName: Params, input: ForwardInput): Denoised => {
    const params = toTree(weightsByName);
    const { pictures, weights, at, guidance } = input;
    const bucket = pictures.shape[0]!;
    const latents = gatherRows(input.latents, pictures); // [bucket, C, H, W]
    const seen = latents.mul(at.latentsScale);
    const time = everyRow(input.time, bucket);
    const predict = (x: Tensor, t: Tensor, condition?: Condition) =>
      expert.apply(params, { latents: x, time: t, ...(condition ? { condition } : {}) });
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

/** Guidance as inputs of a compiled function. */
function termsOf(guidance: SettledGuidance, step: number): GuidanceTerms {
  const { rescale, kind } = guidance;
  return { scale: scalar(scaleAt(guidance, step)), ...(rescale > 0 ? { rescale: scalar(rescale) } : {}), kind };
}

/** A scalar for each row of a batch, [B]. */
function everyRow(value: Tensor, batch: number): Tensor {
  return value.reshape([1]).expand([batch]);
}

function scalars({ time: _, ...at }: PredictionCoefficients): PredictionScalars {
  return Object.fromEntries(Object.entries(at).map(([name, value]) => [name, scalar(value)])) as PredictionScalars;
}

/** The parts' sum, computed; a single part is its own sum. */
async function sum(device: Device, parts: readonly Denoised[]): Promise<Denoised> {
  const total = parts.reduce((all, part) => ({
    sample: all.sample.add(part.sample),
    velocity: all.velocity.add(part.velocity),
  }));
  if (parts.length > 1) await device.run(total);
  return total;
}

function release({ sample, velocity }: Denoised): void {
  sample.dispose();
  velocity.dispose();
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
