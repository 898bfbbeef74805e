// From one file to a graph of `paris` commands: an expert for each cluster, the router, and what needs them all.
import { ConfigError, describeIssue } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { expertRunName, partitionIn, trainingOptions } from '@paris/trainer';
import { Command } from 'commander';
import * as z from 'zod';
import { assembleCommand } from '../commands/assemble.js';
import { evaluateCommand } from '../commands/evaluate.js';
import { type Flags, trainingOf } from '../commands/train/flags.js';
import { trainCommand } from '../commands/train.js';
import { type ConfigFields, collected, optionValue, readConfigFile } from '../config/file.js';

/** One `paris` command. */
export interface Job {
  /** `expert-03`, `router`, `assemble`, `evaluate`. */
  readonly id: string;
  /** Arguments after `paris`. */
  readonly args: readonly string[];
  /** Ids of the jobs that must be done before. */
  readonly after: readonly string[];
}

/** All jobs. */
export interface Plan {
  /** Folders that its jobs read and write. */
  readonly places: { readonly data: string; readonly runs: string; readonly model: string };
  /** One for each cluster, which differ in that alone and need nothing. */
  readonly experts: readonly Job[];
  /** The others, each after those that it needs. */
  readonly others: readonly Job[];
}

/** What a job waits for, all experts as one: `experts`, `router`. */
export function neededBy({ after }: Job, { experts }: Plan): string[] {
  const isExpert = (id: string) => experts.some((expert) => expert.id === id);
  return [...new Set(after.map((id) => (isExpert(id) ? 'experts' : id)))];
}

const fields = z.record(z.string(), z.json());
const planSchema = z.strictObject({
  data: z.string().min(1),
  runs: z.string().min(1),
  model: z.string().min(1),
  expert: fields.default({}),
  router: fields.default({}),
  assemble: fields.default({}),
  evaluate: z.union([fields, z.literal(false)]).default({}),
});

/**
 * Reads a plan. Its paths are relative to the folder in which one stands, as on the command line.
 * @throws ConfigError for a file that is no plan, or has options that a command does not take; ValueError or OutputError for what
 *   one of its commands refuses before it begins; CheckpointError if the data folder is not partitioned
 */
export async function readPlan(file: string): Promise<Plan> {
  const content = await readConfigFile(file);
  const parsed = planSchema.safeParse(content);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => describeIssue(issue, content)).join('; ');
    throw new ConfigError('launch', `${file} is no plan: ${problems}. paris launch --help shows one.`);
  }
  const { data, runs, model, expert, router, assemble, evaluate } = parsed.data;
  const { clusters } = await partitionIn(nodeStore(data), data, 'launch', data);
  const config = (name: string, section: ConfigFields) =>
    Object.keys(section).length > 0 ? ['--config', `${file}#${name}`] : [];
  const experts = Array.from({ length: clusters }, (_, k): Job => {
    const args = ['train', 'expert', data, '--cluster', String(k), '--out', runs, ...config('expert', expert)];
    return { id: expertRunName(k), args, after: [] };
  });
  const others: Job[] = [
    { id: 'router', args: ['train', 'router', data, '--out', runs, ...config('router', router)], after: [] },
    {
      id: 'assemble',
      args: ['assemble', runs, '--data', data, '--out', model, ...flags(file, 'assemble', assembleCommand(), assemble)],
      after: [...experts.map(({ id }) => id), 'router'],
    },
  ];
  if (evaluate !== false) {
    const options = flags(file, 'evaluate', evaluateCommand(), evaluate);
    others.push({ id: 'evaluate', args: ['evaluate', model, '--data', data, ...options], after: ['assemble'] });
  }
  for (const name of ['expert', 'router', 'assemble', 'evaluate'] as const) {
    assertOwn(file, name, parsed.data[name] || {});
  }
  for (const { args } of [...experts, ...others]) await checkJob(args);
  return { places: { data, runs, model }, experts, others };
}

/** What the plan says itself of each command. */
const said: Readonly<Record<string, readonly string[]>> = {
  expert: ['data', 'cluster', 'out'],
  router: ['data', 'out'],
  assemble: ['data', 'out'],
  evaluate: ['data'],
};

/** @throws ConfigError for an option that the plan would give a second time */
function assertOwn(file: string, name: string, section: ConfigFields): void {
  const key = Object.keys(section).find((key) => said[name]!.includes(key));
  if (key === undefined) return;
  const what = `${file}: ${name}.${key} comes from data, runs and model of the plan`;
  throw new ConfigError('launch', `${what}. Set it there, and take it out here.`);
}

/** A section of the plan as options of a command. @throws ConfigError for one that it does not take */
function flags(file: string, name: string, command: Command, section: ConfigFields): string[] {
  return Object.entries(section).flatMap(([key, value]) => {
    const option = command.options.find(({ long }) => long === `--${key}`);
    if (!option) throw new ConfigError('launch', `${file}: ${name}.${key} is no option of paris ${name}.`);
    optionValue(file, `${name}.${key}`, option, value);
    if (typeof value === 'boolean') return value ? [`--${key}`] : [];
    const values = option.parseArg === collected ? [value].flat() : [value];
    return values.flatMap((each) => [`--${key}`, String(each)]);
  });
}

/** Everything that a command refuses before it begins. */
async function checkJob(args: readonly string[]): Promise<void> {
  const train = trainCommand();
  const paris = new Command('paris').enablePositionalOptions(); // as the program has it
  const own = [assembleCommand(), evaluateCommand()];
  for (const command of [train, ...own]) paris.addCommand(command);
  for (const command of [paris, train, ...train.commands, ...own]) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  for (const command of own) command.action(() => undefined);
  for (const command of train.commands) {
    command.action((_: string, training: Flags) => void trainingOptions(trainingOf(training)));
  }
  await paris.parseAsync(args, { from: 'user' });
}
