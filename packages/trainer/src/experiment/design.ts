// An experiment is data: variants of a training × seeds × what is measured of each, and the claims that the numbers are held
// against. The same few lines of code carry all of them out.
import type { StatisticsOptions } from '@paris/clustering';
import type { Objective } from '@paris/model';
import type { TransformerSize } from '../train/defaults.js';

/** How pictures become clusters. */
export type Clustering = 'semantic' | 'random' | 'balanced';

/** How a router is trained. */
export interface RouterPlan {
  readonly size: TransformerSize;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Share of the training pictures that it sees. */
  readonly share: number;
  /** Whether it reads the prompt: its words or, where the data has them, the features of captions or classes that experts take. */
  readonly reads: 'words' | 'none';
}

/** A way to route, as a row of the table. */
export interface Arm {
  readonly name: string;
  /** A policy by its name, or `oracle`: the expert of the cluster of the picture that a caption comes from. */
  readonly routing: string;
}

/** One way to spend the budget of an experiment. */
export interface Variant {
  readonly name: string;
  readonly clusters: number;
  readonly clustering: Clustering;
  /** Steps of each expert, and pictures in each of them. */
  readonly steps: number;
  readonly batchSize: number;
  /** What expert k predicts is entry k of the list, in turn. */
  readonly objectives: readonly Objective[];
  /** Absent for one expert. */
  readonly router?: RouterPlan | undefined;
  /** An earlier variant whose experts these are: only the router differs. */
  readonly expertsOf?: string | undefined;
  /**
   * An earlier variant whose mixture teaches this one: a single student, which has seen no other target (see `trainStudent`). `routing`
   * says who teaches a picture.
   */
  readonly taughtBy?: { readonly variant: string; readonly routing: string } | undefined;
  readonly arms: readonly Arm[];
}

/** What is measured of each variant. */
export interface Measuring {
  /** Noise levels of the held-out loss. */
  readonly times: number;
  /** Pictures drawn for each arm. */
  readonly pictures: number;
  readonly sampleSteps: number;
  readonly guidance: number;
  /** Whether pictures are drawn with twice the steps as well: how far they move is the step-refinement error. */
  readonly refine: boolean;
  /** Settings of the built-in encoder, whose features are compared. */
  readonly features: Partial<StatisticsOptions>;
}

/** Something that a paper found, as a comparison of two rows. */
export interface Claim {
  /** The paper, and where in it. */
  readonly source: string;
  readonly statement: string;
  /** What it measured there. */
  readonly published: string;
  /** Rows, `variant/arm`. */
  readonly better: string;
  readonly worse: string;
}

/** What a paper printed for a row. */
export interface Published {
  readonly source: string;
  readonly row: string;
  readonly value: string;
}

/** An experiment as a whole. */
export interface Design {
  readonly name: string;
  readonly title: string;
  readonly question: string;
  /** How the budget is shared, in words. */
  readonly budget: string;
  readonly seeds: readonly number[];
  readonly size: TransformerSize;
  readonly learningRate: number;
  readonly conditionDropout: number;
  readonly measuring: Measuring;
  readonly variants: readonly Variant[];
  /** The row that others are compared with. */
  readonly reference: string;
  readonly claims: readonly Claim[];
  readonly published: readonly Published[];
}

/** `paris/top2`: a row of the table. */
export function rowName(variant: string, arm: string): string {
  return `${variant}/${arm}`;
}

/** `router on a tenth` → `router-on-a-tenth`: the folder of a variant. */
export function folderName(variant: string): string {
  return variant.replaceAll(/[^\w.+]+/g, '-');
}
