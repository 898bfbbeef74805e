// The solvers as k-diffusion and diffusers write them: in x/α and σ/α, with λ = −ln(σ/α) and expm1. Written down from the
// papers, independent of the code that is tested; times start below 1, for there λ is infinite.
import type { NoisePath } from '@paris/model';

export type Method = 'ddim' | 'ddim-1' | 'euler-ancestral' | 'dpmpp-2m' | 'dpmpp-2m-sde' | 'unipc';

/** What `method` makes of `start`, in float64. */
export function reference(
  method: Method,
  path: NoisePath,
  times: Float64Array,
  start: readonly number[],
  expected: (x: number, t: number) => number,
  noise: (step: number, draw: number) => Float64Array,
): Float64Array {
  const sigmas = Array.from(times, (t) => path.sigma(t) / path.alpha(t));
  const models: Float64Array[] = [];
  let x: Float64Array = Float64Array.from(start, (value) => value / path.alpha(times[0]!));
  let before: Float64Array = x;
  for (let i = 0; i + 1 < times.length; i++) {
    const model = x.map((value) => expected(value * path.alpha(times[i]!), times[i]!));
    models.unshift(model);
    if (method === 'unipc' && i > 0) x = unified(before, models, sigmas.slice(Math.max(0, i - 2), i + 1));
    before = x;
    x = steps[method](x, models, sigmas.slice(Math.max(0, i - 1), i + 2), () => noise(i, 0));
  }
  return x.map((value) => value * path.alpha(times.at(-1)!));
}

type Step = (x: Float64Array, models: Float64Array[], sigmas: number[], noise: () => Float64Array) => Float64Array;
const last = (sigmas: number[]): [number, number] => [sigmas.at(-2)!, sigmas.at(-1)!];

/** Euler in σ to `down`, and noise of deviation `up`. */
const ancestral: Step = (x, [model], sigmas, noise) => {
  const [sigma, next] = last(sigmas);
  const up = Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2);
  const down = Math.sqrt(next ** 2 - up ** 2);
  const drawn = up > 0 ? noise() : x.map(() => 0);
  return x.map((value, i) => value + ((value - model![i]!) / sigma) * (down - sigma) + drawn[i]! * up);
};

const multistep: Step = (x, [model, older], sigmas) => {
  const [sigma, next] = last(sigmas);
  if (next === 0) return Float64Array.from(model!);
  const h = Math.log(sigma) - Math.log(next);
  const r = older && (Math.log(sigmas[0]!) - Math.log(sigma)) / h;
  return x.map((value, i) => {
    const data = r ? (1 + 1 / (2 * r)) * model![i]! - (1 / (2 * r)) * older![i]! : model![i]!;
    return (next / sigma) * value - Math.expm1(-h) * data;
  });
};

const steps: Record<Method, Step> = {
  ddim: (x, [model], sigmas) => {
    const [sigma, next] = last(sigmas);
    return x.map((value, i) => value + ((value - model![i]!) / sigma) * (next - sigma));
  },
  'ddim-1': ancestral,
  'euler-ancestral': ancestral,
  'dpmpp-2m': multistep,
  'dpmpp-2m-sde': (x, [model, older], sigmas, noise) => {
    const [sigma, next] = last(sigmas);
    if (next === 0) return Float64Array.from(model!);
    const h = Math.log(sigma) - Math.log(next);
    const r = older && (Math.log(sigmas[0]!) - Math.log(sigma)) / h;
    const drawn = noise();
    return x.map((value, i) => {
      let result = (next / sigma) * Math.exp(-h) * value - Math.expm1(-2 * h) * model![i]!;
      if (r) result += 0.5 * -Math.expm1(-2 * h) * (1 / r) * (model![i]! - older![i]!);
      return result + next * Math.sqrt(-Math.expm1(-2 * h)) * drawn[i]!;
    });
  },
  unipc: multistep,
};

/** UniC (diffusers' `multistep_uni_c_bh_update`, bh2): from `before` at the last but one of `sigmas` to the last. */
function unified(before: Float64Array, [now, m0, m1]: Float64Array[], sigmas: number[]): Float64Array {
  const [sigma, next] = last(sigmas);
  const h = Math.log(sigma) - Math.log(next);
  const hh = -h;
  const phi1 = Math.expm1(hh);
  let [rho, rhoNow, rk] = [0, 0.5, 1];
  if (m1) {
    rk = -(Math.log(sigmas[0]!) - Math.log(sigma)) / h;
    const b1 = (phi1 / hh - 1) / phi1;
    const b2 = (2 * ((phi1 / hh - 1) / hh - 0.5)) / phi1;
    // [1 1; rk 1] · [rho, rhoNow] = [b1, b2]
    rho = (b2 - b1) / (rk - 1);
    rhoNow = b1 - rho;
  }
  return before.map((value, i) => {
    const d1 = m1 ? (m1[i]! - m0![i]!) / rk : 0;
    return (next / sigma) * value - phi1 * m0![i]! - phi1 * (rho * d1 + rhoNow * (now![i]! - m0![i]!));
  });
}
