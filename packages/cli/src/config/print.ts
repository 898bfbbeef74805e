// The config file of a command as it stands: every option with its value and what it does.
import type { Command, Option } from 'commander';
import { stringify } from 'yaml';

/**
 * YAML with a comment above each option. Options without a value are comments.
 * @param values - by the options' attribute names
 */
export function configText(
  title: string,
  command: Command,
  options: readonly Option[],
  more: { readonly argument: string; readonly value: string | undefined; readonly network: object | undefined },
): string {
  const fields = options.flatMap((option) => {
    const name = option.long!.slice(2);
    const value = plain(command.getOptionValue(option.attributeName()));
    const choices = option.argChoices ? ` (${option.argChoices.join(', ')})` : '';
    return [`# ${option.description}${choices}`, field(name, value, option.required ? '…' : 'true'), ''];
  });
  return [
    `# ${title}. Options of the command line win over this file.`,
    '',
    `# the ${more.argument} folder`,
    field(more.argument, more.value, `${more.argument}/`),
    '',
    ...fields,
    "# fields of the network's config.json, which win over the options above",
    field('network', more.network, '{ modulation: zero }'),
  ].join('\n');
}

function field(name: string, value: unknown, example: string): string {
  return value === undefined ? `# ${name}: ${example}` : stringify({ [name]: value }).trimEnd();
}

/** What a file says for it: the name of what has one, a list of one thing as that thing. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? value[0] : value;
  if (typeof value === 'object' && value !== null && 'name' in value) return value.name;
  return value;
}
