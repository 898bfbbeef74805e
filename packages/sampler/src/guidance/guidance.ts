/** Classifier-free guidance and its relatives: which, when, and the formulas, which are traced. */
import { type Condition, concatConditions } from '@paris/model';
import { concat, sqrt, type Tensor, ValueError } from '@paris/tensor';

/** The step that a scale is asked for. */
export interface GuidanceStep {
  /** 0 for the first step. */
  readonly step: number;
  readonly steps: number;
  /** Where the step begins: 1 is noise, 0 data. */
  readonly time: number;
}

/** How much a prompt is exaggerated, when, and how. */
export interface Guidance {
  /**
   * 1 follows the prompt as trained; more exaggerates it, at twice the cost. A list has a scale for each step, a function is
   * asked for each: `({ time }) => 1 + 3 * time` guides most where there is most noise. Steps of scale 1 cost nothing more.
   */
  readonly scale: number | readonly number[] | ((at: GuidanceStep) => number);
  /** From which share of the way on, as 1 − t: 0 is noise, 1 is data. Default 0. */
  readonly start?: number;
  /** Up to which share of the way (arXiv 2404.07724 finds that the middle is enough). Default 1. */
  readonly stop?: number;
  /** How far the result is scaled back to the deviation of the conditional, 0 to 1 (arXiv 2305.08891, eq. 15 and 16). Default 0. */
  readonly rescale?: number;
  /**
   * `cfg` (arXiv 2207.12598, default), or `apg`: only what is orthogonal to the picture that is predicted counts, so that large
   * scales saturate less (arXiv 2410.02416, without its momentum).
   */
  readonly kind?: 'cfg' | 'apg';
}

/** Guidance with its defaults filled in, and a number for each step where they differ. */
export type SettledGuidance = Required<Omit<Guidance, 'scale'>> & { readonly scale: number | readonly number[] };

/**
 * A number or an object with its defaults filled in.
 * @param times - the ends of the steps, for which a function is asked
 * @throws ValueError for a number out of its range, or another number of scales than of steps
 */
export function guidanceOf(tag: string, given: number | Guidance, times?: Float64Array): SettledGuidance {
  if (typeof given === 'number' && !isFloat(given)) {
    throw new ValueError(tag, `guidance is ${given}. Give a number such as 2.`);
  }
  const {
    scale: wanted,
    start = 0,
    stop = 1,
    rescale = 0,
    kind = 'cfg',
  } = typeof given === 'number' ? { scale: given } : given;
  const refuse = (name: string, value: unknown, wanted: string): never => {
    throw new ValueError(tag, `guidance.${name} is ${value}. Give ${wanted}.`);
  };
  const scale = scaleOf(wanted, times, refuse);
  if (!(start >= 0 && start <= 1)) refuse('start', start, 'a share from 0 to 1');
  if (!(stop >= start && stop <= 1)) refuse('stop', stop, `a share from start, ${start}, to 1`);
  if (!(rescale >= 0 && rescale <= 1)) refuse('rescale', rescale, 'a share from 0 to 1');
  if (kind !== 'cfg' && kind !== 'apg') refuse('kind', kind, `'cfg' or 'apg'`);
  return { scale, start, stop, rescale, kind };
}

/** Whether a number is finite on the device, where numbers are f32: an infinite scale makes NaN of equal predictions. */
function isFloat(x: number): boolean {
  return Number.isFinite(Math.fround(x));
}

function scaleOf(
  given: Guidance['scale'],
  times: Float64Array | undefined,
  refuse: (name: string, value: unknown, wanted: string) => never,
): number | readonly number[] {
  const steps = times && times.length - 1;
  if (typeof given === 'function' && steps === undefined)
    refuse('scale', 'a function', 'a number, or one for each step');
  const scale =
    typeof given === 'function'
      ? Array.from(times!.subarray(0, steps), (time, step) => given({ step, steps: steps!, time }))
      : given;
  if (typeof scale !== 'object') {
    if (!isFloat(scale)) refuse('scale', scale, 'a number such as 2');
    return scale;
  }
  if (scale.length !== (steps ?? scale.length))
    refuse('scale', `a list of ${scale.length}`, `${steps}, one for each step`);
  for (const [step, each] of scale.entries()) if (!isFloat(each)) refuse(`scale[${step}]`, each, 'a number such as 2');
  return scale;
}

/** The scale of a step. */
export function scaleAt({ scale }: Pick<SettledGuidance, 'scale'>, step: number): number {
  return typeof scale === 'number' ? scale : (scale[step] ?? 1);
}

/** Whether there is something to guide in any step. */
export function isGuided({ scale }: Pick<SettledGuidance, 'scale'>): boolean {
  return typeof scale === 'number' ? scale !== 1 : scale.some((each) => each !== 1);
}

/** Whether there is something to guide at a time of a step. */
export function guidesAt(guidance: SettledGuidance, time: number, step: number): boolean {
  return scaleAt(guidance, step) !== 1 && 1 - time >= guidance.start && 1 - time <= guidance.stop;
}

/** A network that is asked for its prediction: `expert.apply` with its parameters. */
export type Predict = (latents: Tensor, time: Tensor, condition?: Condition) => Tensor;

/** What guides one call: tensors of one element are inputs, so that other numbers are the same plan. */
export interface GuidanceTerms {
  readonly scale: Tensor;
  /** Left out: none. */
  readonly rescale?: Tensor;
  readonly kind: 'cfg' | 'apg';
}

/** The two sides between which guidance leads. */
export interface GuidedConditions {
  readonly condition: Condition;
  readonly unconditional: Condition;
}

/**
 * unconditional + guidance · (conditional − unconditional), arXiv 2207.12598 eq. 6 with guidance = 1 + w. Both come
 * from one call on a batch of twice the size. For guidance 1 ask `predict` itself: it is the conditional alone.
 * @param latents - [B, C, H, W]
 * @param time - [B]
 * @param guidance - a tensor of one element: an input, so another guidance is the same plan
 */
export function classifierFreeGuidance(
  predict: Predict,
  latents: Tensor,
  time: Tensor,
  conditions: GuidedConditions,
  guidance: Tensor,
): Tensor {
  return guided(predict, latents, time, conditions, { scale: guidance, kind: 'cfg' }, (output) => output);
}

/**
 * A guided prediction, [B, C, H, W], of any kind.
 * @param sampleOf - x̂₀ from a prediction; only `apg` asks for it
 */
export function guided(
  predict: Predict,
  latents: Tensor,
  time: Tensor,
  conditions: GuidedConditions,
  { scale, rescale, kind }: GuidanceTerms,
  sampleOf: (output: Tensor) => Tensor,
): Tensor {
  const batch = latents.shape[0]!;
  const both = predict(
    concat([latents, latents], 0),
    concat([time, time], 0),
    concatConditions(conditions.condition, conditions.unconditional),
  );
  const rest = latents.shape.slice(1).map(() => null);
  const conditional = both.slice([[0, batch], ...rest]);
  const unconditional = both.slice([[batch, 2 * batch], ...rest]);
  const difference = conditional.sub(unconditional);
  const output =
    kind === 'cfg'
      ? unconditional.add(difference.mul(scale))
      : conditional.add(orthogonal(difference, sampleOf(conditional)).mul(scale.sub(1)));
  if (!rescale) return output;
  const factor = deviations(conditional).div(deviations(output).maximum(tiny)); // [B, 1, 1, 1]
  return output.mul(factor.mul(rescale).add(rescale.rsub(1)));
}

const tiny = 1e-12;

/** What is left of x, picture by picture, without its part along `direction`. */
function orthogonal(x: Tensor, direction: Tensor): Tensor {
  const axes = direction.shape.map((_, axis) => axis).slice(1);
  const total = (of: Tensor) => of.sum(axes, { keepDims: true }); // [B, 1, 1, 1]
  const along = total(x.mul(direction)).div(total(direction.square()).maximum(tiny));
  return x.sub(direction.mul(along));
}

/** The standard deviation of each picture's numbers, [B, 1, 1, 1]. */
function deviations(x: Tensor): Tensor {
  const axes = x.shape.map((_, axis) => axis).slice(1);
  const centred = x.sub(x.mean(axes, { keepDims: true }));
  return sqrt(centred.square().mean(axes, { keepDims: true }));
}
