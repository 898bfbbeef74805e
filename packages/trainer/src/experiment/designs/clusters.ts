// How many clusters, made how, and how good a router they need.
import type { Claim, Design } from '../design.js';
import { type ExperimentSize, routerPlan, settingsOf, shared, student } from '../sizes.js';

/** @param size - how large everything is */
export function clustersDesign(size: ExperimentSize): Design {
  const { clusters } = size;
  const of = `k${clusters}`;
  const both = ['oracle', 'top1', 'top2', 'full'].map((routing) => ({ name: routing, routing }));
  const { size: usual } = routerPlan(size);
  const router = (name: string, change: Parameters<typeof routerPlan>[1]) =>
    shared(size, clusters, { name, expertsOf: of, router: routerPlan(size, change), arms: both });
  const half = { ...usual, width: usual.width / 2, depth: 1, heads: Math.max(1, usual.heads / 2) };
  const double = { ...usual, width: usual.width * 2, depth: usual.depth + 1 };
  return {
    name: 'clusters',
    title: 'How many clusters, and which',
    question:
      'Which number of experts is best at equal FLOPs, do clusters have to mean something, and what must a router be?',
    budget:
      'Experts of every row see together the same number of pictures at the same FLOPs: of K experts, each takes a K-th of the batch. ' +
      'The student learns from their predictions at a quarter of it.',
    ...settingsOf(size),
    variants: [
      shared(size, 1, { name: 'k1', arms: [{ name: 'full', routing: 'full' }] }),
      ...size.counts.map((k) => shared(size, k, { arms: both })),
      shared(size, clusters, { name: 'random', clustering: 'random', arms: both }),
      shared(size, clusters, { name: 'balanced', clustering: 'balanced', arms: both }),
      router('router blind', { reads: 'none' }),
      router('router small', { size: half }),
      router('router large', { size: double }),
      router('router on a tenth', { share: 0.1 }),
      student(size, of),
    ],
    reference: 'k1/full',
    claims: claimsOf(of),
    published: [
      ['k1/full', '12.81'],
      ['k4/top1', '12.54'],
      ['k8/top1', '9.84'],
      ['k16/top1', '12.51'],
      ['k4/full', '12.75'],
      ['k8/full', '10.52'],
      ['k16/full', '15.43'],
    ].map(([row, value]) => ({ source: DDM, row: row!, value: `FID ${value}` })),
  };
}

const DDM = 'DDM (arXiv 2501.05450, table 1)';
const FIGURE = 'DDM (arXiv 2501.05450, figure 4)';

const claimsOf = (of: string): Claim[] => [
  {
    source: DDM,
    statement: 'Eight experts are better than four',
    published: 'FID 9.84 against 12.54, top-1',
    better: 'k8/top1',
    worse: 'k4/top1',
  },
  {
    source: DDM,
    statement: 'Eight experts are better than sixteen, whose batches are too small',
    published: 'FID 9.84 against 12.51, top-1',
    better: 'k8/top1',
    worse: 'k16/top1',
  },
  {
    source: FIGURE,
    statement: 'Clusters by what pictures show are better than random ones',
    published: 'no numbers in the text',
    better: `${of}/top1`,
    worse: 'random/top1',
  },
];
