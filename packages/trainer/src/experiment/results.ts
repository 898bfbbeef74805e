// From measurements to a table: means over seeds with intervals, differences from the reference in pairs, and what the
// intervals say of each claim. Nothing here is decided by hand.
import { type Interval, studentMean } from '../evaluate/intervals.js';
import { type Claim, type Design, rowName } from './design.js';
import type { Measured, Values } from './measure-variant.js';

/** A number over seeds. */
export interface OverSeeds {
  mean: number;
  /** 95 %, Student's t over seeds; absent for one seed. */
  interval?: Interval | undefined;
  /** By seed, in their order. */
  values: number[];
}

/** A row of the table. */
export interface ResultRow {
  row: string;
  metrics: { [metric: string]: OverSeeds };
  /** This row minus the reference, seed by seed. */
  differences: { [metric: string]: OverSeeds };
  /** Held-out loss by noise level, mean over seeds. */
  curve: number[];
}

/** What the intervals say: a difference that lies on the claim's side, on the other side, or around 0. */
export type Verdict = 'agrees' | 'disagrees' | 'undecided';

/** A claim beside what was found. */
export interface ClaimResult extends Claim {
  found: { metric: string; difference: OverSeeds; verdict: Verdict }[];
}

/** results.json. */
export interface ExperimentResults {
  version: 1;
  name: string;
  design: Design;
  data: { sha256: string; count: number; heldOut: number; size: number };
  seeds: number[];
  rows: ResultRow[];
  /** Of the reference's data: training pictures, and the model without training. */
  bounds: { row: string; metrics: { [metric: string]: OverSeeds } }[];
  /** Of each variant as a whole. */
  variants: { variant: string; metrics: { [metric: string]: OverSeeds } }[];
  claims: ClaimResult[];
}

/** Whether less or more of a metric is better; of the others neither is. */
export const metricDirections: Readonly<Record<string, 'less' | 'more'>> = {
  loss: 'less',
  kernel: 'less',
  slicedWasserstein: 'less',
  frechet: 'less',
  clippedDensity: 'more',
  clippedCoverage: 'more',
  condition: 'more',
};

/** The metrics that claims about the quality of pictures are held against; loss is that of held-out pictures. */
const CLAIM_METRICS = ['loss', 'kernel', 'slicedWasserstein', 'frechet'];

/** All measurements of an experiment. */
export interface AllMeasured {
  measured: readonly { seed: number; variant: string; measured: Measured }[];
  bounds: readonly { seed: number; measured: Measured }[];
  data: ExperimentResults['data'];
}

/** The table of an experiment. */
export function summarise(design: Design, { measured, bounds, data }: AllMeasured): ExperimentResults {
  const of = (variant: string) => measured.filter((each) => each.variant === variant).map((each) => each.measured);
  const bySeed = new Map<string, Values[]>();
  const curves = new Map<string, number[]>();
  for (const { name, arms } of design.variants) {
    for (const arm of arms) {
      const row = rowName(name, arm.name);
      bySeed.set(
        row,
        of(name).map((each) => each.arms[arm.name]!),
      );
      curves.set(row, meanCurve(of(name).map((each) => each.curves[arm.name]!)));
    }
  }
  const reference = bySeed.get(design.reference)!;
  const boundNames = Object.keys(bounds[0]?.measured.arms ?? {});
  return {
    version: 1,
    name: design.name,
    design,
    data,
    seeds: [...design.seeds],
    rows: [...bySeed].map(([row, values]) => ({
      row,
      metrics: overSeeds(values),
      differences: row === design.reference ? {} : overSeeds(pairwise(values, reference)),
      curve: curves.get(row)!,
    })),
    bounds: boundNames.map((row) => ({ row, metrics: overSeeds(bounds.map((each) => each.measured.arms[row]!)) })),
    variants: design.variants.map(({ name }) => ({
      variant: name,
      metrics: overSeeds(of(name).map((each) => each.variant)),
    })),
    claims: design.claims
      .filter(({ better, worse }) => bySeed.has(better) && bySeed.has(worse))
      .map((claim) => ({ ...claim, found: verdicts(bySeed.get(claim.better)!, bySeed.get(claim.worse)!) })),
  };
}

function verdicts(better: readonly Values[], worse: readonly Values[]): ClaimResult['found'] {
  const differences = overSeeds(pairwise(better, worse));
  return CLAIM_METRICS.flatMap((metric) => {
    const difference = differences[metric];
    return difference ? [{ metric, difference, verdict: verdictOf(difference, metricDirections[metric]!) }] : [];
  });
}

/** @param direction - which sign of the difference the claim wants */
export function verdictOf({ interval }: Pick<OverSeeds, 'interval'>, direction: 'less' | 'more'): Verdict {
  if (!interval) return 'undecided';
  const [low, high] = direction === 'less' ? interval : [-interval[1], -interval[0]];
  if (high < 0) return 'agrees';
  return low > 0 ? 'disagrees' : 'undecided';
}

/** a − b of each seed, of the metrics that both have. */
function pairwise(a: readonly Values[], b: readonly Values[]): Values[] {
  return a.map((own, seed) => {
    const other = b[seed]!;
    const shared = Object.keys(own).filter((metric) => other[metric] !== undefined);
    return Object.fromEntries(shared.map((metric) => [metric, own[metric]! - other[metric]!]));
  });
}

/** Of metrics that every seed has. */
function overSeeds(bySeed: readonly Values[]): { [metric: string]: OverSeeds } {
  const metrics = Object.keys(bySeed[0] ?? {}).filter((metric) =>
    bySeed.every((values) => values[metric] !== undefined),
  );
  return Object.fromEntries(
    metrics.map((metric) => {
      const values = bySeed.map((own) => own[metric]!);
      const { mean, interval } = studentMean(values);
      return [metric, { mean, ...(interval && { interval }), values }];
    }),
  );
}

function meanCurve(curves: readonly (readonly number[])[]): number[] {
  return (curves[0] ?? []).map((_, t) => curves.reduce((sum, curve) => sum + curve[t]!, 0) / curves.length);
}
