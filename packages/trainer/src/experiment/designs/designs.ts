// All experiments, by name.
import { checkName } from '@paris/files';
import { ValueError } from '@paris/tensor';
import type { Design } from '../design.js';
import { type ExperimentSize, experimentSizes, type SizeName } from '../sizes.js';
import { alignmentDesign } from './alignment.js';
import { clustersDesign } from './clusters.js';
import { computeDesign } from './compute.js';
import { mainDesign } from './main.js';
import { type ExperimentName, experimentNames } from './names.js';
import { objectivesDesign } from './objectives.js';

const designs: Readonly<Record<ExperimentName, (size: ExperimentSize) => Design>> = {
  main: mainDesign,
  clusters: clustersDesign,
  objectives: objectivesDesign,
  alignment: alignmentDesign,
  compute: computeDesign,
};

/** What is to be otherwise than a size has it. */
export interface DesignChange {
  readonly seeds?: readonly number[] | undefined;
  readonly steps?: number | undefined;
  /** Pictures drawn for each row. */
  readonly pictures?: number | undefined;
  /** Of the transformers; a head for every 16 channels, and learning rates that go with 1 / width (arXiv 2203.03466, table 3). */
  readonly width?: number | undefined;
  readonly depth?: number | undefined;
}

/**
 * An experiment by its name, at one of the two sizes.
 * @throws ValueError for an unknown name or size, or seeds that are none
 */
export function experimentDesign(name: string, size: SizeName, change: DesignChange = {}): Design {
  const make = Object.hasOwn(designs, name) ? designs[name as ExperimentName] : undefined;
  if (!make) {
    throw new ValueError('experiment', `there is no experiment "${name}". Known: ${experimentNames.join(', ')}.`);
  }
  checkName('experiment', 'the size', size, Object.keys(experimentSizes));
  const usual = experimentSizes[size];
  const { seeds = usual.seeds, steps = usual.steps, pictures = usual.measuring.pictures } = change;
  const { width = usual.size.width, depth = usual.size.depth } = change;
  if (seeds.length === 0 || new Set(seeds).size !== seeds.length) {
    throw new ValueError('experiment', `the seeds are [${seeds.join(', ')}]. Give one or more, each once.`);
  }
  const heads = width === usual.size.width ? usual.size.heads : Math.max(1, Math.round(width / 16));
  const wider = width / usual.size.width;
  return make({
    ...usual,
    ...{ seeds, steps, measuring: { ...usual.measuring, pictures } },
    size: { ...usual.size, width, depth, heads },
    learningRate: usual.learningRate / wider,
    routerLearningRate: usual.routerLearningRate / wider,
  });
}
