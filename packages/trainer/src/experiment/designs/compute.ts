// What isolation costs or saves: the same networks as in the main table, measured for their arithmetic and bytes alone.
import type { Design } from '../design.js';
import { type ExperimentSize, settingsOf, shared, student } from '../sizes.js';

/** Enough for a rate of arithmetic. */
const MOST_STEPS = 200;
/** Enough for the time of one. */
const MOST_PICTURES = 16;

/** @param size - how large everything is */
export function computeDesign(size: ExperimentSize): Design {
  const { clusters } = size;
  const settings = settingsOf(size);
  const steps = Math.min(size.steps, MOST_STEPS);
  return {
    name: 'compute',
    title: 'What isolation costs and saves',
    question: 'How long do isolated experts take on n machines, and how long one model that is trained on all of them?',
    budget: 'Few steps, for figures of FLOPs, bytes and time; the machines are on paper.',
    ...settings,
    seeds: size.seeds.slice(0, 1),
    measuring: { ...settings.measuring, pictures: Math.min(settings.measuring.pictures, MOST_PICTURES), times: 2 },
    variants: [
      shared(size, 1, {
        name: 'monolith',
        steps,
        arms: [{ name: 'full', routing: 'full' }],
      }),
      shared(size, clusters, { name: 'experts', steps }),
      student(size, 'experts', { steps }),
    ],
    reference: 'monolith/full',
    claims: [],
    published: [],
  };
}
