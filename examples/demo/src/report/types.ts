// Everything the page shows, as plain data. `collect.ts` fills it from what the commands wrote; the page adds no figure of
// its own. Pictures are data URIs (`src`) in their own pixels: the browser enlarges them.

export interface PageInput {
  readonly command: string;
  readonly options: readonly (readonly [name: string, value: string])[];
  readonly adapter: string;
  readonly versions: readonly (readonly [name: string, version: string])[];
  readonly data: DataSummary;
  readonly clusters: readonly ClusterSummary[];
  readonly semantic: SemanticControl;
  readonly experts: readonly ExpertSummary[];
  readonly router: RouterSummary;
  readonly samples: Samples;
  /** The same prompts, drawn by the weights that come with the repository. */
  readonly released: Samples;
  readonly arms: readonly Arm[];
  readonly controls: readonly Control[];
  readonly timings: Timings;
  readonly sources: readonly { title: string; count: number; licence: string; attribution: string; url: string }[];
}

export interface DataSummary {
  readonly size: number;
  readonly train: number;
  readonly test: number;
  /** Different emoji: pictures of one emoji stay on one side of the split. */
  readonly groups: number;
}

export interface Picture {
  readonly src: string;
  readonly caption: string;
}

export interface ClusterSummary {
  readonly index: number;
  readonly train: number;
  readonly test: number;
  /** Words that are much more frequent here than elsewhere, the most telling first. */
  readonly words: readonly string[];
  /** Mean colours as CSS colours, the most frequent first, with their share of all pixels. */
  readonly colours: readonly { css: string; share: number }[];
  readonly categories: readonly { name: string; share: number }[];
  readonly pictures: readonly Picture[];
}

export interface SemanticControl {
  /** Mutual information of cluster and emoji category over held-out pictures, nats. */
  readonly mutualInformation: number;
  /** The 99th percentile of the same over random partitions of the same sizes. */
  readonly threshold: number;
  readonly partitions: number;
  readonly semantic: boolean;
}

export interface ExpertSummary {
  readonly index: number;
  readonly parameters: number;
  readonly steps: number;
  /** Pictures it has learned from, repeats included. */
  readonly seen: number;
  readonly loss: readonly number[];
  readonly imagesPerSecond: number;
  readonly sha256: string;
}

export interface RouterSummary {
  readonly parameters: number;
  readonly steps: number;
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  /** Share of the largest cluster: what always naming it would reach. */
  readonly majorityShare: number;
  readonly byTime: readonly { time: number; accuracy: number; balancedAccuracy: number }[];
}

export interface Samples {
  readonly size: number;
  readonly routing: string;
  readonly sampler: string;
  readonly guidance: number;
  readonly steps: number;
  readonly seed: number;
  readonly rows: readonly { prompt: string; pictures: readonly Sample[] }[];
}

export interface Sample {
  readonly src: string;
  /** Per step and expert the weight it had; [steps][K]. */
  readonly weights: readonly (readonly number[])[];
  /** The picture the model expected at some steps, noisiest first. */
  readonly film: readonly { step: number; src: string }[];
}

/** A way to denoise held-out pictures; all arms get the same noise at the same times. */
export interface Arm {
  readonly id: string;
  readonly name: string;
  readonly kind: 'single' | 'mixture' | 'control';
  /** Expert of a single arm. */
  readonly expert?: number | undefined;
  readonly loss: number;
  readonly standardError: number;
}

export interface Control {
  readonly name: string;
  /** One sentence with what was measured and what was required. */
  readonly detail: string;
  readonly passed: boolean;
  /** Whether a failure fails the demo; otherwise it changes a word on the page. */
  readonly gate: boolean;
}

export interface Timings {
  /** Time in which anything ran, seconds; several processes at once count once. */
  readonly totalSeconds: number;
  readonly interruptions: number;
  readonly tasks: readonly {
    id: string;
    label: string;
    seconds: number;
    spans: readonly (readonly [start: number, end: number])[];
  }[];
}
