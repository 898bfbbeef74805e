// Under which licence somebody else's model is, as its model card says.
import { type FileSource, printable } from '@paris/files';

const unknown = 'not stated by its source';

/** The `license` of a README's front matter (its name, where the licence is "other"), or that none is stated. */
export async function licenceOf(source: FileSource): Promise<string> {
  if (!(await source.exists('README.md'))) return unknown;
  const [, matter = ''] =
    /^---\r?\n(.*?)\r?\n---/s.exec(
      new TextDecoder().decode(await source.read('README.md', undefined, { maxBytes: 2 ** 22 })),
    ) ?? [];
  const field = (name: string) =>
    new RegExp(`^${name}:[ \\t]*["']?([^"'\\r\\n]+?)["']?[ \\t]*$`, 'm').exec(matter)?.[1];
  const licence = field('license');
  const named = licence === 'other' ? field('license_name') : undefined;
  return (named ? `other: ${named}` : licence)?.slice(0, 200) ?? unknown;
}

/** What is said of a licence when a model is loaded: which it is, and whether it forbids commercial use, as far as its name says. */
export function saidLicence(licence: string): string {
  return `Its licence: ${printable(licence)}.${isNonCommercial(licence) ? ' It is for NonCommercial use only.' : ''}`;
}

/** Whether a licence forbids commercial use, as far as its name says. */
export function isNonCommercial(licence: string): boolean {
  return /(^|[-_ ])nc([-_ ]|$)|non-?commercial|research[- ]only/i.test(licence);
}
