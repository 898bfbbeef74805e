// Options that several commands have: each has one name, one check and one default.
import { weightFormats } from '@paris/model/options';
import { type Command, Option } from 'commander';
import { collected } from './config/file.js';
import { bytes, number, seed, whole } from './option-values.js';

/** `--expert`, for models with experts of the user's own. */
export function expertsOption(): Option {
  return new Option('--expert <file>', 'a module with your own defineArchitecture(…); may be given several times')
    .argParser(collected)
    .default([]);
}

/** `--memory-budget` */
export function memoryBudgetOption(): Option {
  const what = 'for all weights, as 2GB: experts then come and go as they are needed';
  return new Option('--memory-budget <bytes>', what).argParser(bytes);
}

/** `--weights`. @param what - how weights are written, and in what form if nothing is said */
export function weightsOption(what: string): Option {
  return new Option('--weights <format>', what).choices(weightFormats);
}

/** `--dropout` of a network that draws by captions or classes. */
export function dropoutOption(): Option {
  return new Option('--dropout <share>', 'share of pictures without their caption or class')
    .argParser(number({ min: 0, max: 1 }))
    .default(0.1);
}

/** What decides which pictures of a data folder no training sees, and which words it knows. */
export function splitOptions(command: Command): Command {
  return command
    .option('--holdout <share>', 'share of the groups that no training sees', number({ min: 0, max: 1 }), 0.1)
    .option('--seed <n>', 'decides the split', seed, 0)
    .option('--vocabulary <words>', 'most words in the vocabulary', whole(0), 1000);
}

/** `--no-near-copies` */
export function nearCopiesOption(): Option {
  const what = 'do not look for pictures that are the same but for a mirror or a file format';
  return new Option('--no-near-copies', what);
}
