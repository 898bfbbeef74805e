import { Command } from 'commander';
import { printText } from '../print.js';

export function infoCommand(): Command {
  return new Command('info')
    .description('say what a preset, a model, a run, a data folder, a codec or a picture is')
    .argument('<what>', 'dit-xl-2, router-b-2, …, a folder, or a PNG that was drawn')
    .option('--words', 'list the words that prompts can have, one a line, the most frequent first')
    .addHelpText(
      'after',
      '\nExamples:\n  paris info dit-xl-2\n  paris info my-model/\n  paris info my-model/ --words\n  paris info cat.png',
    )
    .action(async (what: string, { words }: { words?: boolean }) => {
      const { describe, listWords } = await import('../describe.js');
      printText(await (words ? listWords(what) : describe(what)));
    });
}
