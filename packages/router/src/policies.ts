// Which experts run for a picture, and with what weight. A policy is a plain function of the router's probabilities;
// what it keeps is renormalised. Definitions and names: Decentralized Diffusion Models, §4.2
// (https://arxiv.org/abs/2501.05450), which found stochastic choices far worse than top(1) and top(2).
import { hostPow, type Key, ValueError } from '@paris/tensor/host';

/**
 * From the router's probabilities [K] of one picture to weights [K] that sum to 1, zero where the expert does not run.
 */
export type RoutingPolicy = (probabilities: Float32Array, at: RoutingStep) => Float32Array;

/** The point of sampling at which a policy is called. */
export interface RoutingStep {
  /** Which picture of all that are asked for, from 0, in whatever batch it is. */
  readonly imageIndex: number;
  readonly step: number;
  /** Which evaluation within the step: Heun asks twice. */
  readonly evaluation: number;
  /** In [0, 1]; 1 is noise. */
  readonly time: number;
  /** This policy's last answer for this picture. */
  readonly previousWeights?: Float32Array;
  /** Differs by picture, step and evaluation. */
  readonly key: Key;
  /** The experts whose weights are on the device, where some are not. */
  readonly resident?: ReadonlySet<number>;
}

/** The k most probable experts; of equal ones the lower index. @throws ValueError if there are fewer than k experts */
export function top(k: number): RoutingPolicy {
  requireCount('top', k);
  return (probabilities) => {
    check('top', probabilities);
    if (k > probabilities.length) {
      throw new ValueError('top', `asked for ${k} experts of ${probabilities.length}. Ask for no more than there are.`);
    }
    return keep(probabilities, byProbability(probabilities).slice(0, k));
  };
}

/** Every expert: the exact mixture of eq. 7. */
export function full(): RoutingPolicy {
  return (probabilities) => {
    check('full', probabilities);
    return keep(probabilities, probabilities.keys());
  };
}

/** Experts with at least this probability; the most probable one if there is none. */
export function threshold(least: number): RoutingPolicy {
  requireFraction('threshold', least);
  const bound = Math.fround(least); // as precise as what it is compared with: 0.7 in f32 lies below 0.7
  return (probabilities) => {
    check('threshold', probabilities);
    const [first, ...rest] = byProbability(probabilities);
    return keep(probabilities, [first!, ...rest.filter((k) => probabilities[k]! >= bound)]);
  };
}

/** The fewest experts that together have at least this probability, the most probable first. */
export function nucleus(mass: number): RoutingPolicy {
  requireFraction('nucleus', mass);
  return (probabilities) => {
    check('nucleus', probabilities);
    return keep(probabilities, nucleusOf(probabilities, mass));
  };
}

/** n draws with replacement, each of weight 1/n: the mean over many keys is the full mixture. */
export function sample(n: number): RoutingPolicy {
  requireCount('sample', n);
  return (probabilities, { key }) => {
    check('sample', probabilities);
    const weights = new Float32Array(probabilities.length);
    for (let i = 0; i < n; i++) weights[draw(probabilities, [...probabilities.keys()], key.foldIn(i))]! += 1 / n;
    return weights;
  };
}

/** One draw from the nucleus of this mass. */
export function nucleusSample(mass: number): RoutingPolicy {
  requireFraction('nucleusSample', mass);
  return (probabilities, { key }) => {
    check('nucleusSample', probabilities);
    return keep(new Float32Array(probabilities.length).fill(1), [
      draw(probabilities, nucleusOf(probabilities, mass), key),
    ]);
  };
}

/** The expert of each picture's true cluster, as evaluations on held-out pictures use it. */
export function oracle(labels: ArrayLike<number>): RoutingPolicy {
  return (probabilities, { imageIndex }) => {
    const label = labels[imageIndex];
    if (label === undefined || !Number.isInteger(label) || label < 0 || label >= probabilities.length) {
      throw new ValueError(
        'oracle',
        `picture ${imageIndex} needs a label from 0 to ${probabilities.length - 1}, got ${label}. Give one for each picture.`,
      );
    }
    return new Float32Array(probabilities.length).fill(1, label, label + 1);
  };
}

/** Decides once, at the first evaluation, and keeps to it. */
export function latched(policy: RoutingPolicy): RoutingPolicy {
  return (probabilities, at) => at.previousWeights ?? policy(probabilities, at);
}

/** Decides at the first evaluation of every n-th step and keeps to it in between. */
export function every(n: number, policy: RoutingPolicy): RoutingPolicy {
  requireCount('every', n);
  return (probabilities, at) => {
    const due = at.step % n === 0 && at.evaluation === 0;
    return due || !at.previousWeights ? policy(probabilities, at) : at.previousWeights;
  };
}

/**
 * A policy that gets softmax(logits / temperature) instead of softmax(logits): below 1 the router is surer than it was
 * trained to be, above 1 less so; 1 is the posterior that the theory wants. DDM compares 0.5, 1 and 2 (Table 2). The
 * router's logits need not be known, for softmax(l / T)_k = p_k^(1/T) / Σ_j p_j^(1/T).
 */
export function tempered(temperature: number, policy: RoutingPolicy): RoutingPolicy {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new ValueError('tempered', `the temperature must be a number above 0, got ${temperature}.`);
  }
  const power = Math.min(1 / temperature, Number.MAX_VALUE); // infinite, it would make NaN of the largest
  return (probabilities, at) => {
    check('tempered', probabilities);
    const largest = probabilities.reduce((a, b) => Math.max(a, b)); // its power is 1: nothing underflows to 0 everywhere
    const powers = Array.from(probabilities, (p) => hostPow(p / largest, power));
    const total = powers.reduce((sum, each) => sum + each);
    return policy(
      Float32Array.from(powers, (each) => each / total),
      at,
    );
  };
}

/**
 * A policy that sees these experts only: their probabilities, renormalised. If all of them are 0, each counts the same.
 * @param experts - their indices; at least one
 */
export function among(experts: Iterable<number>, policy: RoutingPolicy): RoutingPolicy {
  const chosen = [...new Set(experts)];
  if (chosen.length === 0) throw new ValueError('among', 'there is no expert to choose from. Name at least one.');
  return (probabilities, at) => {
    check('among', probabilities);
    const unknown = chosen.find((k) => probabilities[k] === undefined);
    if (unknown !== undefined) {
      throw new ValueError(
        'among',
        `there is no expert ${unknown}. Name experts from 0 to ${probabilities.length - 1}.`,
      );
    }
    const isPossible = chosen.some((k) => probabilities[k]! > 0);
    return policy(keep(isPossible ? probabilities : new Float32Array(probabilities.length).fill(1), chosen), at);
  };
}

/**
 * A policy among the experts whose weights are on the device, so that sampling waits for no other; where none is, among all.
 * Its pictures depend on what is there.
 */
export function amongResident(policy: RoutingPolicy): RoutingPolicy {
  return (probabilities, at) =>
    (at.resident && at.resident.size > 0 ? among(at.resident, policy) : policy)(probabilities, at);
}

/**
 * A policy by its name on a command line or in a model's index: `full`, `top2`, `threshold0.05`, `nucleus0.9`,
 * `sample1`; with `@` and a number a tempered one, `top2@0.5`; after `resident-` one that is {@link amongResident}.
 * @throws ValueError that lists the forms
 */
export function parseRoutingPolicy(name: string): RoutingPolicy {
  const [, resident, kind, number, temperature] =
    /^(resident-)?([a-z]+)(\d+(?:\.\d+)?)?(?:@(\d+(?:\.\d+)?))?$/.exec(name) ?? [];
  const named = numbered.get(kind ?? '');
  const policy =
    kind === 'full' && number === undefined
      ? full()
      : named && number !== undefined
        ? named(Number(number))
        : undefined;
  const whole = policy && temperature !== undefined ? tempered(Number(temperature), policy) : policy;
  if (whole) return resident ? amongResident(whole) : whole;
  throw new ValueError(
    'routing',
    `there is no policy "${name}". Write full, top2, threshold0.05, nucleus0.9 or sample1 with your own number, ` +
      'and @0.5 after it for a temperature, resident- before it for the experts that are loaded.',
  );
}

const numbered = new Map(Object.entries({ top, threshold, nucleus, sample }));

/** The kept probabilities, divided by their sum. */
function keep(probabilities: Float32Array, kept: Iterable<number>): Float32Array {
  const weights = new Float32Array(probabilities.length);
  const indices = [...kept];
  const total = indices.reduce((sum, k) => sum + probabilities[k]!, 0); // in float64
  for (const k of indices) weights[k] = probabilities[k]! / total;
  return weights;
}

/** Indices, the most probable first; equals in the order of their indices. */
function byProbability(probabilities: Float32Array): number[] {
  return [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
}

function nucleusOf(probabilities: Float32Array, mass: number): number[] {
  const kept: number[] = [];
  let total = 0;
  for (const k of byProbability(probabilities)) {
    if (total >= mass) break;
    kept.push(k);
    total += probabilities[k]!;
  }
  return kept;
}

/** One of the indices, by their probabilities. */
function draw(probabilities: Float32Array, indices: readonly number[], key: Key): number {
  const total = indices.reduce((sum, k) => sum + probabilities[k]!, 0);
  let left = key.uniform() * total;
  let chosen = -1;
  for (const k of indices) {
    if (probabilities[k] === 0) continue;
    chosen = k; // the last possible one, should rounding leave something over
    left -= probabilities[k]!;
    if (left < 0) break;
  }
  return chosen;
}

function requireCount(tag: string, n: number): void {
  if (!Number.isInteger(n) || n < 1)
    throw new ValueError(tag, `the number must be a whole number from 1 on, got ${n}.`);
}

function requireFraction(tag: string, x: number): void {
  if (!(x > 0 && x <= 1))
    throw new ValueError(tag, `the probability must lie above 0 and not above 1, got ${x}. Write 0.9 for 90 %.`);
}

/** These come from outside code: a NaN here would silently pick no expert, or a wrong one. */
function check(tag: string, probabilities: Float32Array): void {
  let total = 0;
  for (const p of probabilities) {
    if (!(p >= 0))
      throw new ValueError(tag, `a probability must be a number from 0 to 1, got ${p}. Apply softmax first.`);
    total += p;
  }
  if (!(Math.abs(total - 1) < 1e-3)) {
    throw new ValueError(tag, `the probabilities must sum to 1, got ${total.toFixed(4)}. Apply softmax first.`);
  }
}
