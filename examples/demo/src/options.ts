// The demo's options. The defaults are sized for two CPU cores; a real GPU takes more of everything.

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';

export interface DemoOptions {
  /** As `paris --adapter`; undefined lets `paris` choose. */
  readonly adapter?: string | undefined;
  readonly jobs: number;
  readonly size: number;
  readonly holdout: number;
  readonly patch: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly batch: number;
  readonly steps: number;
  readonly routerSteps: number;
  readonly learningRate: number;
  readonly routerLearningRate: number;
  readonly clusters: number;
  readonly seed: number;
  readonly prompts: readonly string[];
  /** Pictures per prompt. */
  readonly count: number;
  readonly sampleSteps: number;
  readonly guidance: number;
  /** Emoji groups to take; undefined takes all. */
  readonly limit?: number | undefined;
  readonly out: string;
  readonly fresh: boolean;
}

/** Words that many captions hold; as a whole most of them are no caption. */
const defaultPrompts = [
  'smiling face',
  'cat face',
  'red heart',
  'large blue circle',
  'green book',
  'clock face',
  'waving hand dark skin tone',
  'flag',
];

/**
 * Parses the command line. `--help` and mistakes end the process with commander's text.
 * @param argv - the arguments, without node and script
 * @param folder - what a relative --out starts from
 */
export function parseOptions(argv: readonly string[], folder: string): DemoOptions {
  const command = new Command('npm run demo --')
    .description('Trains 8 experts and a router on emoji, samples from them, and writes a page about it.')
    .option('--adapter <name>', 'the adapter to use; see `npx paris doctor` (default: the best there is)')
    .option('--jobs <n>', 'training processes at once', positive, availableParallelism())
    .option('--size <px>', 'edge length of the pictures', positive, 16)
    .option('--holdout <share>', 'share of the emoji that no training sees', Number, 0.04)
    .option('--patch <px>', 'edge length of a patch', positive, 4)
    .option('--width <n>', 'channels of the transformer', positive, 64)
    .option('--depth <n>', 'blocks of the transformer', positive, 3)
    .option('--heads <n>', 'attention heads', positive, 4)
    .option('--batch <n>', 'pictures per training step', positive, 16)
    .option('--steps <n>', 'training steps of each expert', positive, 1600)
    .option('--router-steps <n>', 'training steps of the router (default: 0.45 × --steps)', positive)
    .option('--learning-rate <x>', 'peak learning rate of the experts (default: 0.64 / width)', rate)
    .option('--router-learning-rate <x>', 'peak learning rate of the router (default: 0.192 / width)', rate)
    .option('--clusters <n>', 'clusters, and so experts', positive, 8)
    .option('--seed <n>', 'seed of everything random', natural, 0)
    .addOption(
      new Option('--prompts <list>', 'what to sample, separated by semicolons')
        .argParser(list)
        .default(defaultPrompts, `"${defaultPrompts.join('; ')}"`),
    )
    .option('--count <n>', 'pictures per prompt', positive, 4)
    .option('--sample-steps <n>', 'sampling steps', positive, 24)
    .option('--guidance <n>', 'classifier-free guidance scale', Number, 2)
    .option('--limit <n>', 'take only about this many different emoji', positive)
    .option(
      '--out <folder>',
      'where everything is written: a new or an empty folder, or one to resume',
      path,
      'out/demo',
    )
    .option('--fresh', 'move an earlier run aside and start again', false)
    .allowExcessArguments(false);
  const given = command.parse(argv, { from: 'user' }).opts<Given>();
  return {
    ...given,
    routerSteps: given.routerSteps ?? Math.ceil(0.45 * given.steps),
    learningRate: given.learningRate ?? RATE_TIMES_WIDTH.expert / given.width,
    routerLearningRate: given.routerLearningRate ?? RATE_TIMES_WIDTH.router / given.width,
    out: resolve(folder, given.out),
  };
}

type Derived = 'routerSteps' | 'learningRate' | 'routerLearningRate';
type Given = Omit<DemoOptions, Derived> & Partial<Pick<DemoOptions, Derived>>;

/**
 * 0.01 and 0.003 at width 64 learned fastest among those tried in a few hundred steps. Adam's rate for hidden weights
 * goes with 1 / width (Yang et al. 2022, arXiv 2203.03466, table 3), so that wide experts do not diverge.
 */
const RATE_TIMES_WIDTH = { expert: 0.64, router: 0.192 } as const;

function rate(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

function natural(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number, 0 or more.');
  return value;
}

function positive(text: string): number {
  const value = natural(text);
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.');
  return value;
}

function path(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

function list(text: string): string[] {
  const prompts = text
    .split(';')
    .map((prompt) => prompt.trim())
    .filter(Boolean);
  if (prompts.length === 0) throw new InvalidArgumentError('It holds no prompt.');
  return prompts;
}
