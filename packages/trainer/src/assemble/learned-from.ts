// What each network of a model learned from, by licence and by source: from the runs' data.json to the model's index.
import { expertFolder, type LearnedFrom, type ModelIndex } from '@paris/model';
import type { RunData } from '../run/data.js';

/** So many sources of one network are listed; where every picture has its own, the counts by licence must do. */
const mostSources = 500;

/** Of one run. */
export function learnedFromRun({ licences, sources }: Pick<RunData, 'licences' | 'sources'>): LearnedFrom {
  return { licences, ...(Object.keys(sources).length <= mostSources && { sources }) };
}

/** The experts' counts added up; sources only if every expert lists them. */
export function sumOfExperts({ learnedFrom = {} }: Pick<ModelIndex, 'learnedFrom'>): LearnedFrom {
  const experts = Object.entries(learnedFrom).flatMap(([folder, each]) => (isExpertFolder(folder) ? [each] : []));
  const listed = experts.flatMap(({ sources }) => (sources ? [sources] : []));
  return {
    licences: added(experts.map(({ licences }) => licences)),
    ...(listed.length === experts.length && { sources: added(listed) }),
  };
}

/** How many pictures a network learned from. */
export function picturesOf({ licences }: LearnedFrom): number {
  return Object.values(licences).reduce((sum, count) => sum + count, 0);
}

/** `MIT (12 pictures), CC0-1.0 (1 picture)` */
export function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} (${count} ${count === 1 ? 'picture' : 'pictures'})`)
    .join(', ');
}

/** `experts/03` → whether it is one. */
function isExpertFolder(folder: string): boolean {
  return folder.startsWith(expertFolder(0).slice(0, -2));
}

function added(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const each of all) {
    for (const [name, count] of Object.entries(each)) counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
