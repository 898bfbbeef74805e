// What `evaluate` measured, and what there is to look at, on one page.
import { type FileSource, html } from '@paris/files';
import { DEFAULT_GUIDANCE } from '@paris/sampler';
import { checkControls, type Evaluation, type evaluatePictures, formatEvaluation } from '@paris/trainer';
import type { SampleOptions } from '../sample/sample.js';
import { clusterSection } from './clusters.js';
import { copyingSection } from './copying.js';
import { page, section } from './page.js';
import { sampleSection } from './samples.js';

/** What goes on the page. */
export interface EvaluationPageOptions {
  /** The model's, for the title. */
  readonly name: string;
  readonly data: FileSource;
  readonly evaluation: Evaluation;
  /** What `evaluatePictures` drew and measured, if it was asked for. */
  readonly drawn?: Awaited<ReturnType<typeof evaluatePictures>> | undefined;
  /** How many captions are drawn; 0 draws none. */
  readonly samples: number;
  readonly drawing: Omit<SampleOptions, 'prompts' | 'count' | 'steps' | 'guidance' | 'sampler' | 'allowUnknown'> & {
    readonly model: FileSource;
  };
}

/** @throws what sampling and reading the data folder throw */
export async function evaluationPage(options: EvaluationPageOptions): Promise<string> {
  const { name, data, evaluation, drawn, samples, drawing } = options;
  const sampled =
    samples > 0 &&
    (await sampleSection(data, samples, { ...drawing, steps: 30, guidance: DEFAULT_GUIDANCE, sampler: 'euler' }));
  const controls = checkControls(evaluation).map(({ name, passed, detail }) => {
    return html`<li>${passed ? 'passed' : html`<span class="failed">failed</span>`} · ${name}: ${detail}</li>\n`;
  });
  return page(`Evaluation of ${name}`, [
    section('Controls', html`<ul>\n${controls}</ul>`),
    ...(sampled ? [sampled] : []),
    ...(drawn ? [await copyingSection(data, drawn)] : []),
    await clusterSection(data),
    section('Figures', html`<pre>${formatEvaluation(evaluation)}</pre>`),
  ]);
}
