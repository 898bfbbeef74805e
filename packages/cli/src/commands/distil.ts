// `paris distil`.
import { nodeStore } from '@paris/files/node';
import type { WeightFormat } from '@paris/model';
import { parseRoutingPolicy } from '@paris/router/options';
import { STUDENT_RUN, type TimeDensity } from '@paris/trainer/options';
import { Command, Option } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { configurable } from '../config/configurable.js';
import { collected } from '../config/file.js';
import { gpuAction } from '../gpu.js';
import { loadArchitecture } from '../modules.js';
import { number, parsed, some } from '../option-values.js';
import { dropoutOption, weightsOption } from '../shared-options.js';
import { common, type Flags, learningFlags, runFolder, runsOf, timesOption, watched } from './train/flags.js';

interface DistilFlags extends Flags {
  data: string;
  runs?: string;
  teacher: string;
  guidance: number;
  dropout: number;
  times: TimeDensity;
  expert: string[];
  licence?: string;
  weights?: WeightFormat;
}

export function distilCommand(): Command {
  const command = new Command('distil')
    .description('train one student from a whole model: it costs one expert to sample, and needs no router')
    .argument('[model]', 'model folder: the teacher')
    .option('--data <folder>', 'pictures to learn on: the data folder that the teacher was trained on', path)
    .option('--out <folder>', "the student's model folder: a new or an empty one, or a model to replace", path)
    .option('--runs <folder>', 'where the run is kept (default: the name of --out with -runs)', path);
  howToTeach(command);
  command
    .option(
      '--expert <file>',
      "a module with the architecture of the teacher's experts; repeat it for more",
      collected,
      [],
    )
    .option('--licence <text>', "licence of the model (default: those of the pictures and the teacher's)", some)
    .addOption(weightsOption('how weights are written (default: as they were trained)'));
  configurable(command, ['data', 'out'], 'model');
  checkOutputs(command, 'distil', (flags: DistilFlags, [model]) => ({
    folders: [
      ['the model folder', flags.out],
      ['the folder of runs', runsOf(flags)],
    ],
    reads: [
      ['the teacher', model],
      ['the data folder', flags.data],
      ['the tuning table', flags.tuning],
      ...flags.expert.map((file) => ['the module', file] as const),
    ],
  }));
  learningFlags(command, {}).addHelpText('after', examples);
  return gpuAction(
    command,
    async (context, flags: DistilFlags, model: string) => {
      const { distil } = await import('@paris/trainer');
      const { width, depth, heads, patch } = flags as Partial<Flags>;
      const runs = { ...flags, out: runsOf(flags) };
      const experts = await Promise.all(flags.expert.map(loadArchitecture));
      await watched(context, runs, STUDENT_RUN, () =>
        distil({
          ...common(context, runs, flags.data),
          ...{ model: nodeStore(model), out: nodeStore(flags.out) },
          ...{ teacher: flags.teacher, guidance: flags.guidance, conditionDropout: flags.dropout, times: flags.times },
          size: { width, depth, heads, patch },
          ...{ network: flags.network, architectures: { experts } },
          ...{ licence: flags.licence, weights: flags.weights },
        }),
      );
      context.reporter.close();
      context.reporter.info(`the student → ${flags.out}`);
      return 0;
    },
    (flags) => runFolder({ ...flags, out: runsOf(flags) }, STUDENT_RUN),
  );
}

function howToTeach(command: Command): void {
  command
    .addOption(
      new Option(
        '--teacher <who>',
        "who teaches a picture: oracle (its cluster's expert), or by the router a policy such as top2",
      )
        .argParser(parsed(teacherName))
        .default('oracle'),
    )
    .option('--guidance <x>', 'guidance that is taught: the student then samples without', number({}), 1)
    .addOption(dropoutOption())
    .addOption(timesOption());
}

function teacherName(text: string): string {
  if (text !== 'oracle') parseRoutingPolicy(text);
  return text;
}

const examples = `
Examples:
  paris distil my-model/ --data data/ --out my-student/
  paris distil my-model/ --data data/ --out my-student/ --teacher top2 --guidance 2 --steps 4000
  paris sample my-student/ --prompt "smiling cat face" --out grid.png`;
