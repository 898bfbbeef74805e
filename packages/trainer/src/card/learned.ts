// What a model card says of the pictures that each network learned from.
import { printable } from '@paris/files';
import { expertFolder, type LearnedFrom, type ModelIndex, presentExperts } from '@paris/model';
import { countsText, picturesOf } from '../assemble/learned-from.js';

/** A table of the networks, and what is to be known of those that are absent. */
export function learnedSection(index: Pick<ModelIndex, 'clusters' | 'absent' | 'learnedFrom'>): string {
  const { absent = [], learnedFrom = {} } = index;
  return [
    '## What it learned from',
    '',
    '| network | pictures | licences | sources |',
    '|---|---|---|---|',
    ...rowsOf(index).map(([name, of]) => learnedRow(name, of)),
    ...(absent.length > 0
      ? [
          '',
          "An expert that is absent was not trained yet, or was withdrawn. The router's probability of its cluster goes to the others in",
          'proportion to theirs.',
        ]
      : []),
    ...(Object.keys(learnedFrom).length === 0 ? ['', 'The index does not say what its networks learned from.'] : []),
  ].join('\n');
}

function rowsOf({ clusters, absent, learnedFrom = {} }: Pick<ModelIndex, 'clusters' | 'absent' | 'learnedFrom'>) {
  const present = new Set(presentExperts({ clusters, absent }));
  const experts = Array.from({ length: clusters }, (_, k): [string, LearnedFrom | undefined | 'absent'] => [
    `expert ${k}`,
    present.has(k) ? learnedFrom[expertFolder(k)] : 'absent',
  ]);
  return clusters > 1 ? [...experts, ['router', learnedFrom.router] as const] : experts;
}

function learnedRow(name: string, of: LearnedFrom | undefined | 'absent'): string {
  if (of === 'absent') return `| ${name} | absent | | |`;
  if (!of) return `| ${name} | not known | | |`;
  const sources = of.sources ? cell(countsText(of.sources)) || 'none named' : 'too many to list';
  return `| ${name} | ${picturesOf(of)} | ${cell(countsText(of.licences))} | ${sources} |`;
}

/** Text that somebody else wrote as one cell of a table: no line, link, tag or column of its own. */
function cell(text: string): string {
  const line = printable(text.length > 2000 ? `${text.slice(0, 2000)}…` : text);
  return line.replace(/[\\`*_{}[\]<>|#!&]/g, (character) => `\\${character}`);
}
