// What a model card says of an evaluation, from evaluation.json.
import { type FileSource, printable, readJson } from '@paris/files';
import * as z from 'zod/mini';
import type { PictureDistances } from '../evaluate/distances.js';
import type { Estimate } from '../evaluate/evaluation.js';
import type { PicturesEvaluation } from '../evaluate/pictures.js';

/** The part of evaluation.json that a card shows. */
export interface CardEvaluation {
  /** Held-out pictures. */
  count: number;
  clusters: number;
  router: { accuracy: number; calibrationError: number; majorityShare: number };
  losses: { policies: { [policy: string]: Estimate }; oracle: Estimate; experts: Estimate[]; bestExpert: number };
  /** With `--pictures`. */
  pictures?:
    | (Pick<PicturesEvaluation, 'count' | 'heldOut' | 'encoder'> & {
        model: Pick<PictureDistances, 'kernel' | 'density' | 'coverage'>;
        floor: Pick<PictureDistances, 'kernel' | 'density' | 'coverage'>;
        copying: Pick<PicturesEvaluation['copying'], 'nearer' | 'pValue'>;
      })
    | undefined;
}

type CardPictures = NonNullable<CardEvaluation['pictures']>;

const estimate = z.object({ mean: z.number(), standardError: z.number() });
const distances = z.object({ kernel: estimate, density: z.number(), coverage: z.number() });
const schema: z.ZodMiniType<CardEvaluation> = z.object({
  count: z.int(),
  clusters: z.int(),
  router: z.object({ accuracy: z.number(), calibrationError: z.number(), majorityShare: z.number() }),
  losses: z.object({
    policies: z.record(z.string(), estimate),
    oracle: estimate,
    experts: z.array(estimate),
    bestExpert: z.int(),
  }),
  pictures: z.optional(
    z.object({
      count: z.int(),
      heldOut: z.int(),
      encoder: z.string(),
      model: distances,
      floor: distances,
      copying: z.object({ nearer: z.number(), pValue: z.number() }),
    }),
  ),
});

/**
 * Reads what `paris evaluate` wrote.
 * @throws CheckpointError if the file is no evaluation; FileNotFoundError if there is none
 */
export async function readCardEvaluation(store: FileSource, path: string): Promise<CardEvaluation> {
  return readJson(store, path, schema);
}

export function evaluationSection({ count, router, losses, pictures }: CardEvaluation): string {
  const best = losses.experts[losses.bestExpert];
  const rows: [string, Estimate][] = [
    ...Object.entries(losses.policies),
    ["the expert of the picture's own cluster", losses.oracle],
    ...(best ? [[`expert ${losses.bestExpert} alone, the best of them`, best] as [string, Estimate]] : []),
  ];
  return [
    '## Evaluation',
    '',
    `On ${count} pictures that no training saw. The router names the cluster in ${percent(router.accuracy)} of the cases (naming the`,
    `largest always: ${percent(router.majorityShare)}; calibration error ${router.calibrationError.toFixed(3)}).`,
    '',
    '| routing | velocity loss | ± standard error |',
    '|---|---|---|',
    ...rows.map(
      ([name, { mean, standardError }]) => `| ${cell(name)} | ${mean.toFixed(4)} | ${standardError.toFixed(4)} |`,
    ),
    ...(pictures ? ['', ...picturesLines(pictures)] : []),
  ].join('\n');
}

function picturesLines({ count, heldOut, encoder, model, floor, copying }: CardPictures): string[] {
  const row = (name: string, { kernel, density, coverage }: CardPictures['model']) =>
    `| ${name} | ${kernel.mean.toPrecision(3)} ± ${kernel.standardError.toPrecision(2)} | ${density.toFixed(2)} | ${coverage.toFixed(2)} |`;
  return [
    `${count} drawn pictures against ${heldOut} held-out ones, by the features of "${cell(encoder)}":`,
    '',
    '| pictures | kernel distance (KID) | density | coverage |',
    '|---|---|---|---|',
    row('drawn', model),
    row('of the training set', floor),
    '',
    `Drawn pictures are nearer to a training picture than held-out ones are in ${percent(copying.nearer)} of the cases (50 % without`,
    `copying), p = ${copying.pValue.toPrecision(2)}: ${copying.pValue < 0.01 ? 'the model copies what it learned.' : 'no sign of copying.'}`,
  ];
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

const cell = (text: string) => printable(text).replace(/[|<>]/g, ' ');
