// A config file: the options of a command by their names, in YAML or JSON. Each value is checked as the option's own would be;
// a mistake is one sentence with the path of the field.
import { readFile } from 'node:fs/promises';
import { ConfigError } from '@paris/files';
import type { Json } from '@paris/trainer';
import type { Option } from 'commander';
import type { Document } from 'yaml';
import { path } from '../check-outputs.js';

/** Fields of a config file. */
export type ConfigFields = { readonly [name: string]: Json };

/**
 * The fields of a file, or of one section of it: `model.yaml#expert`.
 * @throws ConfigError if it cannot be read, is no YAML or JSON, or holds something else than a mapping
 */
export async function readConfigFile(path: string): Promise<ConfigFields> {
  const { file, name } = sectionOf(path);
  const fields = await readFields(file);
  if (name === undefined) return fields;
  if (fields[name] !== undefined) return section(file, name, fields[name]);
  throw new ConfigError(
    'config',
    `${file} has no section ${name}. It has ${Object.keys(fields).join(', ') || 'none'}.`,
  );
}

/** `model.yaml#expert` → the file and the name of its section. */
export function sectionOf(path: string): { file: string; name?: string | undefined } {
  const [, file = path, name] = /^(.+)#([\w-]+)$/.exec(path) ?? [];
  return { file, name };
}

async function readFields(file: string): Promise<ConfigFields> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError('config', `the config file ${file} cannot be read (${cause.code}). Check its path.`, {
      cause,
    });
  });
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { prettyErrors: true, version: '1.2' });
  const [error] = document.errors;
  if (error) {
    const line = error.linePos?.[0].line;
    const what = error.message.split('\n')[0]!.replace(/(?: at line \d+, column \d+)?:?$/, '');
    throw new ConfigError('config', `${file}${line === undefined ? '' : `, line ${line}`}: ${what}. Correct the YAML.`);
  }
  const fields = plainValues(file, document);
  if (fields === null) return {};
  if (isMapping(fields)) return fields;
  throw new ConfigError('config', `${file} holds no options. Write one a line, such as "steps: 1000".`);
}

function plainValues(file: string, document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw new ConfigError('config', `${file} uses aliases (*name). Write the values out.`, { cause });
  }
}

/**
 * The value of an option as the command line would have made it.
 * @throws ConfigError, naming the field, for a value that the option does not take
 */
export function optionValue(file: string, name: string, option: Option, value: Json): unknown {
  const refuse = (why: string) => new ConfigError('config', `${file}: ${name} is ${JSON.stringify(value)}. ${why}`);
  if (value === null) throw new ConfigError('config', `${file}: ${name} has no value. Give one, or remove the line.`);
  if (!option.required) {
    if (typeof value === 'boolean') return value;
    throw refuse('It is true or false.');
  }
  const texts = [value].flat().map((each) => {
    if (typeof each === 'string' || typeof each === 'number') return String(each);
    throw refuse('It is a text, a number or a list of them.');
  });
  const { parseArg } = option;
  if (!parseArg) {
    if (texts.length === 1) return texts[0];
    throw refuse('It is a single value.');
  }
  if (parseArg === path && texts.length > 1) throw refuse('It is a single path.');
  try {
    if (parseArg === collected) return texts;
    return parseArg(texts.join(','), undefined);
  } catch (error) {
    throw refuse((error as Error).message);
  }
}

/** The parser of an option that may be given several times. */
export function collected(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** @throws ConfigError if a field that holds further fields is something else */
export function section(file: string, name: string, value: Json): ConfigFields {
  if (isMapping(value)) return value;
  throw new ConfigError('config', `${file}: ${name} is ${JSON.stringify(value)}. It is a mapping of fields to values.`);
}

function isMapping(value: unknown): value is ConfigFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
