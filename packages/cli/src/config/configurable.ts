// Commands whose options may be in a file: --config reads one, --print-config writes one.

import { ConfigError } from '@paris/files';
import { type Command, CommanderError, type Option } from 'commander';
import { printText } from '../print.js';
import { type ConfigFields, optionValue, readConfigFile, section } from './file.js';

/** What --config adds to a command's options. */
export interface ConfigFlags {
  config?: string;
  /** Fields of the network's config.json. */
  network?: ConfigFields;
}

/** Options that say something about one call, and nothing about what is trained. */
const ofOneCall: readonly string[] = ['--config', '--print-config', '--fresh', '--json', '--watch'];

/**
 * Adds --config and --print-config. Options that the command line names win over the file; `data` in it is the command's
 * argument, and `network` holds fields of config.json.
 * @param required - options that must be given, here or there, by attribute name
 * @param argument - the name of the command's argument, which a file may have, too
 */
export function configurable(command: Command, required: readonly string[], argument = 'data'): Command {
  return command
    .option('--config <file>', 'YAML or JSON file with options by their names; those of the command line win')
    .option('--print-config', 'print such a file with all options, their values and what they do')
    .hook('preAction', async (_, action) => {
      const { config } = action.opts<ConfigFlags>();
      if (config !== undefined) apply(action, config, await readConfigFile(config), argument);
      const options = action.options.filter(({ long, hidden }) => !hidden && !ofOneCall.includes(long!));
      if (action.opts<{ printConfig?: boolean }>().printConfig) {
        const { network } = action.opts<ConfigFlags>();
        const { configText } = await import('./print.js');
        printText(
          configText(`paris ${titleOf(action)}`, action, options, { argument, value: action.args[0], network }),
        );
        throw new CommanderError(0, 'paris.printed', '');
      }
      requireAll(action, required, argument);
    });
}

function apply(command: Command, file: string, fields: ConfigFields, argument: string): void {
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'network') command.setOptionValueWithSource(name, section(file, name, value), 'config');
    else if (name === argument) applyArgument(command, file, name, value);
    else applyOption(command, file, name, value);
  }
}

function applyOption(command: Command, file: string, name: string, value: ConfigFields[string]): void {
  const option = command.options.find(({ long }) => long === `--${name}`);
  if (!option) {
    const title = titleOf(command);
    const what = `${file}: ${JSON.stringify(name)} is no option of paris ${title}`;
    throw new ConfigError(
      'config',
      `${what}. paris ${title} --help lists them; fields of config.json go below "network:".`,
    );
  }
  if (ofOneCall.includes(option.long!)) {
    throw new ConfigError('config', `${file}: ${name} is for one call. Give it on the command line.`);
  }
  const parsed = optionValue(file, name, option, value);
  const key = option.attributeName();
  if (command.getOptionValueSource(key) !== 'cli') command.setOptionValueWithSource(key, parsed, 'config');
}

function applyArgument(command: Command, file: string, name: string, value: ConfigFields[string]): void {
  if (typeof value !== 'string' || value === '') {
    throw new ConfigError('config', `${file}: ${name} is ${JSON.stringify(value)}. It is the path of a folder.`);
  }
  if (command.args.length > 0) return;
  command.args = [value];
  command.processedArgs = [value];
}

/** As commander says it of options that are marked as required, which would be asked for before the file is read. */
function requireAll(command: Command, required: readonly string[], argument: string): void {
  if (command.args.length === 0) {
    command.error(`error: missing required argument '${argument}'`, { code: 'commander.missingArgument' });
  }
  for (const key of required) {
    if (command.getOptionValue(key) !== undefined) continue;
    const { flags } = command.options.find((option: Option) => option.attributeName() === key)!;
    command.error(`error: required option '${flags}' not specified`, {
      code: 'commander.missingMandatoryOptionValue',
    });
  }
}

/** `train expert` */
function titleOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${titleOf(parent)} ${command.name()}` : command.name();
}
