// Whether the experts that are picked are those that know the picture, and whether stable sampling means good pictures.
import type { Design } from '../design.js';
import { type ExperimentSize, settingsOf, shared, student } from '../sizes.js';

const SOURCE = 'Expert-Data Alignment (arXiv 2602.02685)';

/** @param size - how large everything is */
export function alignmentDesign(size: ExperimentSize): Design {
  const { clusters } = size;
  const arms = ['oracle', 'top1', 'top2', 'top3', 'full'].map((routing) => ({ name: routing, routing }));
  return {
    name: 'alignment',
    title: 'Stability against quality',
    question: 'Do picked experts err less than the others, and is the most stable mixture the best one?',
    budget: 'One training for all rows of the experts; only the routing differs. The student learned from them.',
    ...settingsOf(size, { refine: true }),
    variants: [shared(size, clusters, { name: 'experts', arms }), student(size, 'experts')],
    reference: 'experts/full',
    claims: [
      {
        source: SOURCE,
        statement: 'Top-2 draws better pictures than the full mixture',
        published: 'FID 22.6 against 47.9',
        better: 'experts/top2',
        worse: 'experts/full',
      },
    ],
    published: [
      { source: SOURCE, row: 'experts/top2', value: 'refinement error 0.051, FID 22.6' },
      { source: SOURCE, row: 'experts/full', value: 'refinement error 0.020, FID 47.9' },
    ],
  };
}
