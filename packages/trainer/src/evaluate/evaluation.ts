// What an evaluation finds out: the contents of evaluation.json.
import type { Interval } from './intervals.js';

/** A mean over pictures and its standard error. */
export interface Estimate {
  mean: number;
  standardError: number;
  /** 95 %, by the bootstrap over pictures; absent in evaluations of earlier versions and where no mean is estimated. */
  interval?: Interval | undefined;
}

/** How well the router distinguishes clusters, at one noise level or over all. */
export interface RouterScore {
  /** Share of (picture, time) pairs with the right cluster on top. */
  accuracy: number;
  /** The mean of the clusters' own shares, over the clusters that occur; 1 / K by chance, whatever the sizes. */
  balancedAccuracy: number;
  /** Mean of −ln p(true cluster). */
  crossEntropy: number;
  /**
   * Expected calibration error (arXiv 1706.04599, eq. 3): |mean confidence − share right| over 15 bins of the confidence,
   * which is the largest probability; 0 where a router that says 70 % is right in 70 %.
   */
  calibrationError: number;
}

/** Whether clusters follow the category of the pictures, which they were not made from. */
export interface SemanticsResult {
  categories: number;
  /** Mutual information of cluster and category, in nats. */
  nats: number;
  /** The 99th percentile of it over random partitions of the same sizes. */
  threshold: number;
  partitions: number;
  /** Whether the clusters may be called semantic: nats > threshold. */
  semantic: boolean;
}

/** The router's scores and the losses of experts and mixtures on the held-out pictures. */
export interface Evaluation {
  version: 1;
  /** Held-out pictures of the clusters whose experts are there. */
  count: number;
  clusters: number;
  /** Clusters whose expert is absent: their pictures are left out. Left out: none. */
  absent?: number[] | undefined;
  seed: number;
  /** The noise levels, midpoints of equal parts of [0, 1]. */
  times: number[];
  router: RouterScore & {
    /** Of the accuracy: 95 %, by the bootstrap over pictures. */
    accuracyInterval?: Interval | undefined;
    /** Share of the largest cluster among the pictures: what always naming it would score. */
    majorityShare: number;
    byTime: (RouterScore & { time: number })[];
  };
  /** Mean squared error of the prediction, over pixels, times and pictures; the same noise for all. */
  losses: {
    /** Each expert alone, on all pictures; 0 for one that is absent. */
    experts: Estimate[];
    /** The expert that is best alone. */
    bestExpert: number;
    /** By routing policy: top1, top2, full. */
    policies: { [policy: string]: Estimate };
    /** top2 with each picture's weights taken from another picture. */
    permuted: Estimate;
    /** The expert of each picture's own cluster. */
    oracle: Estimate;
    /** Mean over pictures by time, in the order of `times`: for curves. */
    byTime: { [arm: string]: number[] };
  };
  /** Paired over pictures: mean of (first − second); negative where the first is better. */
  differences: { [name in 'top2 − best expert' | 'top2 − permuted']: Estimate };
  /** Absent where pictures have no category. */
  semantics?: { heldOut: SemanticsResult; training: SemanticsResult } | undefined;
}
