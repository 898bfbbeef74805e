// What the demo runs, as data: stages in order, each with the `paris` commands that may run side by side. Whoever wants to
// do by hand what the demo does can read the commands here.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DemoOptions } from './options.js';

/** One `paris` command. */
export interface Task {
  readonly id: string;
  /** What the progress bar says. */
  readonly label: string;
  readonly args: readonly string[];
  /** A file, relative to the out folder, that is there when the task is complete. */
  readonly output: string;
}

export interface Stage {
  readonly id: string;
  readonly title: string;
  readonly tasks: readonly Task[];
  /**
   * Whether the stage may simply run again when its options change. Trained weights are not thrown away like that:
   * there other options are an error that names the difference.
   */
  readonly repeatable: boolean;
}

/** Where things lie below the out folder. */
export const layout = {
  photos: 'photos',
  captions: 'captions.csv',
  data: 'data',
  runs: 'runs',
  model: 'model',
  grid: 'samples/grid.png',
  trace: 'samples/samples.json',
  releasedGrid: 'samples/released.png',
  releasedTrace: 'samples/released.json',
  evaluation: 'evaluation.json',
  page: 'index.html',
  logs: 'logs',
} as const;

/** What the demo writes directly in the out folder, beside its ledger. */
export const outNames: readonly string[] = [...new Set(Object.values(layout).map((path) => path.split('/')[0]!))];

/** The weights that come with the repository: the same kind of model, trained for an hour. */
const released = fileURLToPath(new URL('../../../models/emoji', import.meta.url));
/** Pictures of a prompt that these draw: they are there to compare with. */
const MOST_RELEASED = 2;

/** `3` → `expert-03`, as `paris train expert` names the folder of a run. */
export const expertName = (cluster: number) => `expert-${String(cluster).padStart(2, '0')}`;

/** All stages between the pictures on disk and the page. */
export function stagesOf(options: DemoOptions): Stage[] {
  const at = (path: string) => join(options.out, path);
  const [data, runs, model] = [at(layout.data), at(layout.runs), at(layout.model)];
  const seed = ['--seed', String(options.seed)];
  return [
    single({
      id: 'prepare',
      title: `Prepare the pictures at ${options.size} px`,
      repeatable: false,
      args: [
        ...['prepare', at(layout.photos), '--captions', at(layout.captions)],
        ...flags({ size: options.size, holdout: options.holdout }),
        ...[...seed, '--fresh', '--out', data],
      ],
      output: `${layout.data}/manifest.json`,
    }),
    single({
      id: 'partition',
      title: `Partition them into ${options.clusters} clusters`,
      repeatable: false,
      args: ['partition', data, '--clusters', String(options.clusters), ...seed],
      output: `${layout.data}/partition/partition.json`,
    }),
    {
      id: 'train',
      title: `Train ${options.clusters} experts and the router, at most ${options.jobs} at once`,
      repeatable: false,
      tasks: trainings(options, data, runs),
    },
    single({
      id: 'assemble',
      title: 'Assemble the model folder',
      repeatable: true,
      args: ['assemble', runs, '--data', data, '--no-gate', '--out', model], // the controls of evaluate judge the experts
      output: `${layout.model}/model_index.json`,
    }),
    single({
      id: 'evaluate',
      title: 'Evaluate on pictures that no training saw',
      repeatable: true,
      args: ['evaluate', model, '--data', data, ...seed, '--out', at(layout.evaluation), '--no-page'],
      output: layout.evaluation,
    }),
    {
      id: 'sample',
      title: `Sample ${options.prompts.length} × ${options.count} pictures, and some of models/emoji beside them`,
      repeatable: true,
      tasks: samplings(options, model),
    },
  ];
}

/** A stage of one task. */
function single({ id, title, repeatable, args, output }: Omit<Stage, 'tasks'> & Omit<Task, 'label'>): Stage {
  return { id, title, repeatable, tasks: [{ id, label: id, args, output }] };
}

/** The experts, each alone, and the router. */
function trainings(options: DemoOptions, data: string, runs: string): Task[] {
  const { width, depth, heads, patch, batch, seed } = options;
  const training = (steps: number, learningRate: number) =>
    flags({ steps, batch, 'learning-rate': learningRate, width, depth, heads, patch, seed });
  const experts = Array.from({ length: options.clusters }, (_, cluster) => ({
    id: expertName(cluster),
    label: `expert ${cluster}`,
    args: [
      ...['train', 'expert', data, '--cluster', String(cluster), '--out', runs],
      ...training(options.steps, options.learningRate),
    ],
    output: `${layout.runs}/${expertName(cluster)}/model.safetensors`,
  }));
  const router = {
    id: 'router',
    label: 'router',
    args: [
      ...['train', 'router', data, '--out', runs, '--condition', 'words'],
      ...training(options.routerSteps, options.routerLearningRate),
    ],
    output: `${layout.runs}/router/model.safetensors`,
  };
  return [...experts, router];
}

/** The prompts, drawn by the model that was trained and by the released one. */
function samplings(options: DemoOptions, model: string): Task[] {
  const count = Math.min(MOST_RELEASED, options.count);
  return [
    sampling(options, { id: 'sample', model, count: options.count, grid: layout.grid, trace: layout.trace }),
    sampling(options, {
      ...{ id: 'released', model: released, count },
      ...{ grid: layout.releasedGrid, trace: layout.releasedTrace },
    }),
  ];
}

/** The prompts of the demo, drawn by a model. */
function sampling(
  { out, prompts, sampleSteps: steps, guidance, seed }: DemoOptions,
  { id, model, count, grid, trace }: { id: string; model: string; count: number; grid: string; trace: string },
): Task {
  const args = [
    ...['sample', model, ...prompts.flatMap((prompt) => ['--prompt', prompt])],
    '--allow-unknown', // a small part of the emoji may lack a word, after all that training
    ...flags({ count, routing: 'top2', steps, guidance, seed }),
    ...['--out', join(out, grid), '--trace', join(out, trace)],
  ];
  return { id, label: id, args, output: trace };
}

function flags(values: Record<string, string | number>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
