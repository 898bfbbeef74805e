import { printable } from '@paris/files';
import { ADAPTER_CHOICES, type AdapterChoice, describeAdapter, runWithAdapter } from '@paris/tensor/node';
import { Command, Option } from 'commander';
import { leaveSignalsToChild } from '../stop.js';

export function execCommand(): Command {
  return new Command('exec')
    .description('run a program with the environment that its WebGPU adapter needs')
    .usage('[options] -- <command> [arguments...]')
    .addOption(new Option('--adapter <name>', 'which GPU to use').choices(ADAPTER_CHOICES).default('auto'))
    .argument('<command...>', 'the program and its arguments')
    .passThroughOptions()
    .addHelpText('after', '\nExample:\n  paris exec -- node app.js')
    .action(async (argv: string[], options: { adapter: AdapterChoice }) => {
      process.exitCode = await runWithAdapter(argv, {
        adapter: options.adapter,
        onAdapter: (adapter) => {
          console.error(printable(describeAdapter(adapter)));
          leaveSignalsToChild();
        },
      });
    });
}
