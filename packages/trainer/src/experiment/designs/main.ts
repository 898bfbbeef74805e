// DDM's and Paris' main table: one model against eight experts that cost as much and see as much, by every way to route.
import type { Claim, Design, Published } from '../design.js';
import { type ExperimentSize, routerPlan, settingsOf, shared, student } from '../sizes.js';

const DDM = 'DDM (arXiv 2501.05450, tables 1 and 2)';
const DDM_STUDENT = 'DDM (arXiv 2501.05450, section 4.6)';
const PARIS = 'Paris (arXiv 2510.03434, DiT-B/2)';

/** @param size - how large everything is */
export function mainDesign(size: ExperimentSize): Design {
  const { clusters } = size;
  const router = routerPlan(size);
  const arms = ['oracle', 'top1', 'top2', 'top3', 'full', 'sample1', 'threshold0.1', 'nucleus0.9'];
  return {
    name: 'main',
    title: 'One model against isolated experts',
    question: 'Do experts that never communicate draw as well as one model of the same total training?',
    budget:
      `Every row of the experts and "monolith/equal data" have seen the same number of pictures at the same FLOPs; the router ` +
      `comes on top. "monolith/equal FLOPs" takes more steps of the same batch, for what the router costs as well. ` +
      `"student/distilled" learns from the experts' predictions at a quarter of the batch: a third of the FLOPs, teacher's included.`,
    ...settingsOf(size),
    variants: [
      shared(size, 1, { name: 'monolith', arms: [{ name: 'equal data', routing: 'full' }] }),
      shared(size, 1, {
        name: 'monolith+',
        steps: size.steps + Math.round((router.steps * router.batchSize) / size.batchSize),
        arms: [{ name: 'equal FLOPs', routing: 'full' }],
      }),
      shared(size, clusters, { name: 'experts', arms: arms.map((routing) => ({ name: routing, routing })) }),
      student(size, 'experts'),
    ],
    reference: 'monolith/equal data',
    claims,
    published,
  };
}

const claims: Claim[] = [
  {
    source: DDM,
    statement: 'Top-1 of eight experts is better than one model of the same FLOPs',
    published: 'FID 9.84 against 12.81',
    better: 'experts/top1',
    worse: 'monolith/equal data',
  },
  {
    source: PARIS,
    statement: 'Top-2 of eight experts is better than one model of the same FLOPs',
    published: 'FID 22.60 against 29.64',
    better: 'experts/top2',
    worse: 'monolith/equal data',
  },
  {
    source: DDM,
    statement: 'Top-1 is better than the full mixture',
    published: 'FID 9.84 against 10.52',
    better: 'experts/top1',
    worse: 'experts/full',
  },
  {
    source: PARIS,
    statement: 'Top-2 is better than top-1',
    published: 'FID 22.60 against 30.60',
    better: 'experts/top2',
    worse: 'experts/top1',
  },
  {
    source: DDM,
    statement: 'Top-1 is better than top-2',
    published: 'FID 9.84 against 10.31',
    better: 'experts/top1',
    worse: 'experts/top2',
  },
  {
    source: PARIS,
    statement: 'Top-2 is better than the full mixture',
    published: 'FID 22.60 against 47.89',
    better: 'experts/top2',
    worse: 'experts/full',
  },
  {
    source: DDM,
    statement: 'Drawing an expert at random at each step is far worse than the most probable one',
    published: 'FID 157 to 191 against 9.84',
    better: 'experts/top1',
    worse: 'experts/sample1',
  },
  {
    source: DDM,
    statement: 'Top-1 by the router is better than the oracle of the clusters',
    published: 'FID 9.84 against 10.46',
    better: 'experts/top1',
    worse: 'experts/oracle',
  },
  {
    source: DDM_STUDENT,
    statement: 'A student of the experts, at a third of the FLOPs, is better than one model',
    published: 'FID 7.76 against 7.82 after 400,000 steps',
    better: 'student/distilled',
    worse: 'monolith/equal data',
  },
];

const published: Published[] = [
  { source: DDM_STUDENT, row: 'student/distilled', value: 'FID 7.76 after 400,000 steps' },
  { source: DDM_STUDENT, row: 'monolith/equal data', value: 'FID 7.82 after 400,000 steps' },
  ...(
    [
      ['monolith/equal data', '12.81'],
      ['experts/oracle', '10.46'],
      ['experts/top1', '9.84'],
      ['experts/top2', '10.31'],
      ['experts/top3', '10.37'],
      ['experts/full', '10.52'],
      ['experts/sample1', '157 to 191'],
      ['experts/threshold0.1', '10.18'],
      ['experts/nucleus0.9', '33.9 to 188.66 (one drawn from the nucleus)'],
    ] as const
  ).map(([row, value]) => ({ source: DDM, row, value: `FID ${value}` })),
  ...(
    [
      ['monolith/equal data', '29.64'],
      ['experts/top1', '30.60'],
      ['experts/top2', '22.60'],
      ['experts/full', '47.89'],
    ] as const
  ).map(([row, value]) => ({ source: PARIS, row, value: `FID ${value}` })),
];
