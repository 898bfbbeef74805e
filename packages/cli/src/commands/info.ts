import { Command } from 'commander';
import { describe } from '../describe.js';
import { printText } from '../print.js';

export function infoCommand(): Command {
  return new Command('info')
    .description('say what a preset, a model, a run or a data folder is')
    .argument('<what>', 'dit-xl-2, router-b-2, … or a folder')
    .addHelpText('after', '\nExamples:\n  paris info dit-xl-2\n  paris info my-model/')
    .action(async (what: string) => printText(await describe(what)));
}
