// `paris train router`.
import { ValueError } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { type GrownPart, grownParts } from '@paris/router/options';
import type { RouterPrior, RouterStart } from '@paris/trainer';
import { type ConditionName, conditionNames, ROUTER_RUN } from '@paris/trainer/options';
import { Command, Option } from 'commander';
import { configurable } from '../../config/configurable.js';
import { gpuAction } from '../../gpu.js';
import { number } from '../../option-values.js';
import { checkRunOutputs, common, type Flags, pathOption, runFolder, trainingFlags, watched } from './flags.js';

interface RouterFlags extends Flags {
  condition: ConditionName;
  dropout: number;
  prior: RouterPrior;
  path: string;
  from?: string;
  learns: GrownPart;
}

/** Trains the router. */
export function trainRouterCommand(): Command {
  const command = new Command('router')
    .description('train the router, from the training pictures of all clusters')
    .argument('[data]', 'data folder; router and partition of it are opened')
    .addOption(pathOption('the path that will be sampled on'))
    .addOption(
      new Option(
        '--prior <which>',
        'how often clusters are drawn: in the proportions of the data, as the theory wants it, or all as often',
      )
        .choices(['natural', 'balanced'])
        .default('natural'),
    )
    .addOption(
      new Option(
        '--condition <what>',
        'what the router reads in addition to the noisy picture: what the experts read (words, text, label), or none as in Paris',
      )
        .choices(conditionNames)
        .default('none'),
    )
    .option(
      '--dropout <share>',
      'share of pictures without their caption or class, with a --condition or that of the router of --from',
      number({ min: 0, max: 1 }),
      0.1,
    );
  whatToStartFrom(command);
  configurable(command, ['out']);
  checkRunOutputs(command, ({ from }: RouterFlags) => ({
    name: ROUTER_RUN,
    reads: [['the router to start from', from]],
  }));
  return gpuAction(
    trainingFlags(command),
    async (context, flags: RouterFlags, data: string) => {
      const { routerConfig, trainRouter } = await import('@paris/trainer');
      const { routerTransformer } = await import('@paris/router');
      const base = routerConfig(flags, flags.condition);
      await watched(context, flags, ROUTER_RUN, () =>
        trainRouter({
          ...common(context, flags, data),
          architecture: routerTransformer,
          config: (format) => ({ ...base(format), ...flags.network }),
          conditionDropout: routerDropout(flags),
          path: flags.path,
          prior: flags.prior,
          from: routerStart(flags),
        }),
      );
      return 0;
    },
    (flags) => runFolder(flags, ROUTER_RUN),
  );
}

/** @throws ValueError for a part that is trained where nothing stays */
export function routerStart({ from, learns }: Pick<RouterFlags, 'from' | 'learns'>): RouterStart | undefined {
  if (from !== undefined) return { store: nodeStore(from), learns };
  if (learns === 'head') return undefined; // the default
  throw new ValueError('train', '--learns says what of an old router is trained. Give that, too: --from FOLDER.');
}

/** An old router's condition stays, and only its files say whether there is one: without one nothing is dropped. */
export function routerDropout({
  condition,
  dropout,
  from,
}: Pick<RouterFlags, 'condition' | 'dropout' | 'from'>): number {
  return condition === 'none' && from === undefined ? 0 : dropout;
}

function whatToStartFrom(command: Command): void {
  command
    .addOption(
      new Option(
        '--from <folder>',
        'the run of a router, or a model, to start from: its size, condition and path stay, and new clusters get rows of their own',
      ),
    )
    .addOption(
      new Option('--learns <part>', 'with --from: what is trained, the rows of new clusters, the head, or all of it')
        .choices(grownParts)
        .default('head'),
    );
}
