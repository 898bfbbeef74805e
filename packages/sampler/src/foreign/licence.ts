// Under which licence somebody else's model is, as its model card says.
import { type FileSource, printable } from '@paris/files';

const unknown = 'not stated by its source';

/** The `license` of a README's front matter (its name, where that is "other"; with AND, where it is a list), or that none is stated. */
export async function licenceOf(source: FileSource): Promise<string> {
  if (!(await source.exists('README.md'))) return unknown;
  const [, matter = ''] =
    /^---\r?\n(.*?)\r?\n---/s.exec(
      new TextDecoder().decode(await source.read('README.md', undefined, { maxBytes: 2 ** 22 })),
    ) ?? [];
  const [name] = valuesOf(matter, 'license_name');
  const licences = valuesOf(matter, 'license').map((each) => (each === 'other' && name ? `other: ${name}` : each));
  return licences.join(' AND ').slice(0, 200) || unknown;
}

/** What a field of YAML holds: one text, also of several lines, or the texts of a list; nothing if it is not there. */
function valuesOf(matter: string, field: string): string[] {
  const lines = matter.split(/\r?\n/);
  const at = lines.findIndex((line) => line.startsWith(`${field}:`));
  if (at < 0) return [];
  const after = lines.slice(at + 1);
  const end = after.findIndex((line) => /^[^\s#-]/.test(line)); // the next field
  const below = after.slice(0, end < 0 ? undefined : end).map((line) => line.trim());
  const first = scalar(lines[at]!.slice(field.length + 1));
  const items = below.filter((line) => /^-\s/.test(line)).map((line) => scalar(line.slice(1)));
  if (first === '' && items.length > 0) return items.filter((item) => item !== '');
  if (/^\[.*\]$/.test(first)) return first.slice(1, -1).split(',').map(scalar);
  const isBlock = /^[|>][-+\d]*$/.test(first);
  const text = [...(isBlock ? below : [first, ...below.map(scalar)])].filter((line) => line !== '').join(' ');
  return text === '' ? [] : [text];
}

/** A text without its quotes, or without the comment after it. */
function scalar(text: string): string {
  const trimmed = text.trim();
  const [, , quoted] = /^(["'])(.*?)\1\s*(?:#.*)?$/.exec(trimmed) ?? [];
  return quoted ?? trimmed.replace(/(^|\s)#.*$/, '').trim();
}

/** What is said of a licence when a model is loaded: which it is, and whether it forbids commercial use, as far as its name says. */
export function saidLicence(licence: string): string {
  return `Its licence: ${printable(licence)}.${isNonCommercial(licence) ? ' It is for NonCommercial use only.' : ''}`;
}

/** Whether a licence forbids commercial use, as far as its name says. */
export function isNonCommercial(licence: string): boolean {
  return /(^|[-_ ])nc([-_ ]|$)|non-?commercial|research[- ]only/i.test(licence);
}
