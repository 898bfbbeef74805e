// Experts that predict different things on different noise paths, in one mixture.
import { defaultObjective } from '../../train/defaults.js';
import type { Design } from '../design.js';
import { type ExperimentSize, epsilonCosine, settingsOf, shared, student } from '../sizes.js';

const SOURCE = 'Heterogeneous DDM (arXiv 2603.06741), as third-party notes have it';

/** @param size - how large everything is */
export function objectivesDesign(size: ExperimentSize): Design {
  const { clusters } = size;
  const arms = ['top1', 'top2', 'full'].map((routing) => ({ name: routing, routing }));
  const twoOf = Array.from({ length: clusters }, (_, k) => (k === 0 || k === 3 ? epsilonCosine : defaultObjective));
  return {
    name: 'objectives',
    title: 'Experts of different objectives',
    question: 'Does a mixture work whose experts predict noise on a cosine path and velocity on a straight one?',
    budget:
      'All rows have the same clusters, pictures and FLOPs; only what experts predict differs. Students, at a quarter of the batch, predict velocity.',
    ...settingsOf(size),
    variants: [
      shared(size, clusters, { name: 'velocity', arms }),
      shared(size, clusters, { name: 'epsilon', objectives: [epsilonCosine], arms }),
      shared(size, clusters, { name: 'mixed', objectives: twoOf, arms }),
      student(size, 'velocity', { name: 'student of velocity' }),
      student(size, 'mixed', { name: 'student of mixed' }),
    ],
    reference: 'velocity/top2',
    claims: [
      {
        source: SOURCE,
        statement: 'Two noise-predicting experts among eight are better than eight of velocity',
        published: 'FID 11.88 against 12.45',
        better: 'mixed/top2',
        worse: 'velocity/top2',
      },
    ],
    published: [
      { source: SOURCE, row: 'velocity/top2', value: 'FID 12.45' },
      { source: SOURCE, row: 'mixed/top2', value: 'FID 11.88' },
    ],
  };
}
