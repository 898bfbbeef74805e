// The paths of denoising diffusion models, whose noise is given by steps: β₁ … β_T. https://arxiv.org/abs/2006.11239, §2
import { checkName, ValueError } from '@paris/files'; // not of tensor: this is a chunk of its own in a page, and files' errors are one
import type { NoisePath } from './path.js';

/** How a model's noise was given when it was trained. */
export interface DdpmOptions {
  /**
   * `linear`: β grows evenly (DiT, PixArt); `scaled-linear`: √β does (Stable Diffusion); `cosine`: ᾱ falls as cos² (arXiv
   * 2102.09672, eq. 17), diffusers' `squaredcos_cap_v2`.
   */
  readonly betas: 'linear' | 'scaled-linear' | 'cosine';
  /** Of the first step; `cosine` has none. Default 0.0001 for `linear`, 0.00085 for `scaled-linear`. */
  readonly start?: number | undefined;
  /** Of the last step; `cosine` has none. Default 0.02 and 0.012. */
  readonly end?: number | undefined;
  /** T. Default 1000. */
  readonly steps?: number | undefined;
  /** Whether √ᾱ is moved and scaled so that the last step is noise alone (arXiv 2305.08891, algorithm 1). Default false. */
  readonly zeroSnr?: boolean | undefined;
}

const defaults = { linear: [0.0001, 0.02], 'scaled-linear': [0.00085, 0.012], cosine: [0, 0] } as const;
const defaultSteps = 1000;

/**
 * The path of a model that was trained on T steps. Step i, counted from 0, is at the time t = i / (T − 1), so a network that
 * wants whole steps has `timeScale: T − 1`, `timeRounding: 'nearest'`. There α² is ᾱ, the product of 1 − β up to the
 * step, and σ² = 1 − ᾱ; between steps the log-SNR is interpolated. Before step 1 the noise runs out evenly, σ/α = t·(T − 1) ·
 * (σ/α at step 1), for t = 0 is data without noise. At t = 1 a little data is left, as in training: α = 0.006 for `linear`. With
 * `zeroSnr` none is left, and after the last step but one the data runs out evenly: α/σ falls to 0 as 1 − t.
 *
 * Its name says all of it, so that a config.json does: `ddpm-linear`, or `ddpm-linear:0.0001:0.03:500` for other numbers,
 * `ddpm-cosine:500`, `ddpm-linear:zero-snr`.
 * @throws ValueError for other betas; unless 0 < start ≤ end < 1 and there are at least two steps, three with `zeroSnr`
 */
export function ddpmPath({ betas, start, end, steps = defaultSteps, zeroSnr = false }: DdpmOptions): NoisePath {
  checkName('ddpmPath', 'betas', betas, Object.keys(defaults));
  const isCosine = betas === 'cosine';
  const [first, last] = [start ?? defaults[betas][0], end ?? defaults[betas][1]];
  if (!isCosine && !(first > 0 && first <= last && last < 1))
    refuse(`betas run from ${first} to ${last}. They must lie between 0 and 1 and not fall`);
  const least = zeroSnr ? 3 : 2;
  if (!Number.isInteger(steps) || steps < least || steps > 1e6)
    refuse(`there are ${steps} steps. Give a whole number from ${least} to 10⁶`);
  const isUsual = first === defaults[betas][0] && last === defaults[betas][1] && steps === defaultSteps;
  const numbers = isCosine ? `:${steps}` : `:${first}:${last}:${steps}`;
  const name = `ddpm-${betas}${isUsual ? '' : numbers}${zeroSnr ? ':zero-snr' : ''}`;
  const levels = logSnrs(isCosine ? cosineBeta(steps) : evenBeta(betas, first, last, steps), steps);
  return pathThrough(name, zeroSnr ? withoutLastSignal(levels) : levels);
}

/**
 * The path that a name of {@link ddpmPath} says; undefined if it is no such name. It is called as it was asked for: `ddpm-cosine:1000`
 * says what `ddpm-cosine` does, and is looked for by its own name.
 */
export function ddpmPathByName(name: string): NoisePath | undefined {
  const options = optionsByName(name);
  return options && { ...ddpmPath(options), name };
}

function optionsByName(name: string): DdpmOptions | undefined {
  const even = /^ddpm-(linear|scaled-linear)((?::[\d.e-]+){3})?(:zero-snr)?$/.exec(name);
  const [, cosine, cosineSteps, cosineZero] = /^ddpm-(cosine)(?::(\d+))?(:zero-snr)?$/.exec(name) ?? [];
  if (cosine) return { betas: 'cosine', zeroSnr: !!cosineZero, ...(cosineSteps && { steps: Number(cosineSteps) }) };
  if (!even) return undefined;
  const [, betas, numbers, zero] = even;
  const [start, end, steps] = numbers?.slice(1).split(':').map(Number) ?? [];
  return { betas: betas as 'linear' | 'scaled-linear', start, end, steps, zeroSnr: zero !== undefined };
}

/** β of step i, from 0. */
type Betas = (i: number) => number;

function evenBeta(betas: DdpmOptions['betas'], first: number, last: number, steps: number): Betas {
  return (i) => {
    const share = i / (steps - 1);
    return betas === 'linear'
      ? first + (last - first) * share
      : (Math.sqrt(first) + (Math.sqrt(last) - Math.sqrt(first)) * share) ** 2;
  };
}

/** β = 1 − f(i + 1) / f(i), at most 0.999, with f(i) = cos²(π/2 · (i/T + 0.008) / 1.008): arXiv 2102.09672, eq. 17. */
function cosineBeta(steps: number): Betas {
  const f = (i: number) => Math.cos((Math.PI / 2) * ((i / steps + 0.008) / 1.008)) ** 2;
  return (i) => Math.min(1 - f(i + 1) / f(i), 0.999);
}

/** ln(ᾱ / (1 − ᾱ)) of each step. */
function logSnrs(beta: Betas, steps: number): Float64Array {
  let logProduct = 0;
  return Float64Array.from({ length: steps }, (_, i) => {
    logProduct += Math.log1p(-beta(i));
    return logProduct - Math.log(-Math.expm1(logProduct));
  });
}

/** √ᾱ less that of the last step, scaled so that the first keeps its own: arXiv 2305.08891, algorithm 1. */
function withoutLastSignal(levels: Float64Array): Float64Array {
  const roots = levels.map((level) => Math.sqrt(1 / (1 + Math.exp(-level))));
  const [first, last] = [roots[0]!, roots.at(-1)!];
  return roots.map((root) => {
    const square = (((root - last) * first) / (first - last)) ** 2;
    return Math.log(square) - Math.log1p(-square); // −∞ at the last
  });
}

/** The variance-preserving path that has these log-SNRs, which fall, at equal distances. The last may be −∞. */
function pathThrough(name: string, levels: Float64Array): NoisePath {
  const last = levels.length - 1;
  const endsInNoise = levels[last] === Number.NEGATIVE_INFINITY;
  /** The last step with some data. */
  const end = endsInNoise ? last - 1 : last;
  /** The log-SNR at a time, and its derivative by the time; the first step apart, and one that ends in noise. */
  const at = (t: number): { logSnr: number; slope: number } => {
    const place = t * last;
    if (place < 1) return { logSnr: levels[1]! - 2 * Math.log(place), slope: (-2 * last) / place };
    if (place > end) {
      const left = last - place;
      return { logSnr: levels[end]! + 2 * Math.log(left), slope: (-2 * last) / left };
    }
    const i = Math.min(Math.floor(place), end - 1);
    const slope = levels[i + 1]! - levels[i]!;
    return { logSnr: levels[i]! + slope * (place - i), slope: slope * last };
  };
  const isNoise = (t: number) => endsInNoise && t === 1;
  // α² = 1 / (1 + e^−λ), so dα/dλ = α σ² / 2 and dσ/dλ = −σ α² / 2.
  const alpha = (t: number) => (isNoise(t) ? 0 : Math.sqrt(1 / (1 + Math.exp(-at(t).logSnr))));
  const sigma = (t: number) => (t === 0 ? 0 : isNoise(t) ? 1 : Math.sqrt(1 / (1 + Math.exp(at(t).logSnr))));
  return {
    name,
    alpha,
    sigma,
    alphaPrime: (t) => {
      if (t === 0) return 0;
      return isNoise(t) ? -last * Math.exp(levels[end]! / 2) : (at(t).slope * alpha(t) * sigma(t) ** 2) / 2;
    },
    sigmaPrime: (t) => {
      if (t === 0) return last * Math.exp(-levels[1]! / 2);
      return isNoise(t) ? 0 : (-at(t).slope * sigma(t) * alpha(t) ** 2) / 2;
    },
    timeAtLogSnr: (l) => {
      if (l > levels[1]!) return Math.exp((levels[1]! - l) / 2) / last;
      if (l <= levels[last]!) return 1;
      if (l < levels[end]!) return (last - Math.exp((l - levels[end]!) / 2)) / last;
      let [low, high] = [1, end]; // levels[low] ≥ l ≥ levels[high]
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (levels[middle]! >= l) low = middle;
        else high = middle;
      }
      return (low + (l - levels[low]!) / (levels[high]! - levels[low]!)) / last;
    },
  };
}

function refuse(what: string): never {
  throw new ValueError('ddpmPath', `${what}.`);
}
