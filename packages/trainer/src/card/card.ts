// The model card: README.md of a model folder, with the front matter that hubs read (https://huggingface.co/docs/hub/model-cards).
import { printable } from '@paris/files';
import type { ModelIndex } from '@paris/model';
import type { RunRecord } from '../run/record.js';
import type { ConditionKind } from '../train/conditions.js';
import { type CardEvaluation, evaluationSection } from './evaluation.js';
import { learnedSection } from './learned.js';

/** Where a model's card is. */
export const CARD_FILE = 'README.md';

/** What the index says; the list of files may not be known yet. */
export type CardIndex = Omit<ModelIndex, 'files' | 'format' | 'version'> & Partial<Pick<ModelIndex, 'files'>>;

/** What a card is made from. All but the index may be left out, and the card then says nothing of it. */
export interface CardOptions {
  /** The heading, such as `owner/name`. Default: what the model is. */
  name?: string | undefined;
  /** The branch of `owner/name` that it is on, where it is not the first that a hub shows. */
  branch?: string | undefined;
  index: CardIndex;
  /** What its experts are asked with: {@link readCardCondition}. */
  condition?: ConditionKind | undefined;
  /** The records of the runs that it was assembled from: what was trained, and for how long. */
  runs?: readonly RunRecord[] | undefined;
  /** From evaluation.json: {@link readCardEvaluation}. */
  evaluation?: CardEvaluation | undefined;
}

/** A model card in Markdown. What is not known is left out; nothing is guessed. */
export function modelCard({ name, branch, index, condition, runs = [], evaluation }: CardOptions): string {
  const sections = [
    frontMatter(index),
    `# ${name === undefined ? headingOf(index) : inline(name)}`,
    about(index),
    sampling(name, branch, condition),
    pictures(index),
    learnedSection(index),
    ...(runs.length > 0 ? [training(runs)] : []),
    ...(evaluation ? [evaluationSection(evaluation)] : []),
    limits(index, condition, evaluation),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** The card that a model folder begins with: the same for the same index and condition, whatever its files. */
export function assembledCard({ files: _, ...index }: CardIndex, condition: ConditionKind | undefined): string {
  return modelCard({ index, condition });
}

function headingOf(index: CardIndex): string {
  return index.clusters === 1 ? 'A diffusion model' : `A decentralized diffusion model of ${expertsOf(index)}`;
}

/** `5 of 8 experts` */
function expertsOf({ clusters, absent = [] }: CardIndex): string {
  const all = `${clusters} ${clusters === 1 ? 'expert' : 'experts'}`;
  return absent.length === 0 ? all : `${clusters - absent.length} of ${all}`;
}

/** SPDX names that hubs know by their own, in lower case. Of anything else they want to know the name. */
const hubLicences = new Set(
  'apache-2.0 mit cc0-1.0 cc-by-4.0 cc-by-sa-4.0 cc-by-nc-4.0 openrail openrail++'.split(' '),
);

function frontMatter({ licence }: CardIndex): string {
  const one = licence.toLowerCase();
  const lines = hubLicences.has(one) ? [`license: ${one}`] : ['license: other', `license_name: ${yaml(licence)}`];
  const tags = ['paris', 'decentralized-diffusion', 'mixture-of-experts'].map((tag) => `  - ${tag}`);
  return ['---', ...lines, 'library_name: paris', 'pipeline_tag: text-to-image', 'tags:', ...tags, '---'].join('\n');
}

function about(index: CardIndex): string {
  const { latent, codec, weights, files, routing, path } = index;
  const space = codec === 'identity' ? 'pixels' : `latents of ${latent.channels} channels`;
  const packed = weights ? ` Their matrices have ${weights.slice(1)} bits a number.` : '';
  const bytes = files?.reduce((sum, file) => sum + file.sizeBytes, 0);
  const size = bytes === undefined ? '' : `, and takes ${(bytes / 1e6).toFixed(1)} MB`;
  const shape = `It works on ${space}, ${latent.width} × ${latent.height}, on the noise path ${inline(path)}${size}.${packed} Made with Paris.`;
  if (index.clusters === 1) return `A diffusion model of one network, which needs no router. ${shape}`;
  return (
    `A decentralized diffusion model: ${expertsOf(index)}, each trained alone on one cluster of the pictures, and a router that ` +
    `decides at every sampling step which of them to ask (\`${inline(routing)}\` where nothing else is asked for). ${shape}`
  );
}

function sampling(name: string | undefined, branch: string | undefined, condition: ConditionKind | undefined): string {
  const of = branch === undefined ? name : `${name}@${branch}`;
  const source = of !== undefined && /^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(of) ? `hf:${of}` : 'my-model/';
  return [
    '## Sample it',
    '',
    '```sh',
    `npx @paris/cli sample ${source} --prompt "…" --out picture.png`,
    ...(condition === 'tokens'
      ? ['npx @paris/cli info my-model/ --words     # the words that it knows, of a downloaded folder']
      : []),
    '```',
  ].join('\n');
}

function pictures({ licence, provenance }: CardIndex): string {
  const topics = Object.entries(provenance).filter(([topic]) => topic !== 'software');
  return [
    '## Pictures and licences',
    '',
    `The model is under ${inline(licence)}, the terms of the pictures that it was trained on. Who shows its pictures or passes it on`,
    'names them where their licences ask for it.',
    '',
    ...topics.map(([topic, text]) => `- ${inline(topic)}: ${inline(text)}`),
    ...(provenance.software ? [`- software: ${inline(provenance.software)}`] : []),
  ].join('\n');
}

function training(runs: readonly RunRecord[]): string {
  const adapters = [...new Set(runs.flatMap((run) => run.adapters.map((adapter) => adapter.name)))];
  const seconds = runs.reduce((sum, { result }) => sum + (result?.seconds ?? 0), 0);
  const kinds = (['expert', 'student', 'router'] as const).flatMap(
    (kind) => runs.find((run) => run.kind === kind) ?? [],
  );
  return [
    '## Training',
    '',
    `${duration(seconds)} in all, one run after another, on ${adapters.map(inline).join(', ')}.`,
    '',
    '| run | pictures | steps × batch | time | weights, SHA-256 |',
    '|---|---|---|---|---|',
    ...runs.map(runRow),
    ...kinds.flatMap((run) => ['', ...optionsOf(run)]),
  ].join('\n');
}

/** How to repeat it: the options of a run, which with the same pictures give the same weights. */
function optionsOf({ kind, cluster, options }: RunRecord): string[] {
  const name = kind === 'expert' ? `expert ${cluster}` : `the ${kind}`;
  // No text in the options can end the fence: JSON escapes the backtick.
  const json = JSON.stringify(options, undefined, 2).replaceAll('`', '\\u0060');
  return [`The options of ${name}, as its \`run.json\` records them:`, '', '```json', json, '```'];
}

function runRow({ kind, cluster, data, options, result }: RunRecord): string {
  const steps = `${result?.steps ?? '–'} × ${options.batchSize ?? '–'}`;
  const name = kind === 'expert' ? `expert ${cluster}` : kind;
  return `| ${name} | ${data.count} | ${steps} | ${duration(result?.seconds ?? 0)} | \`${result?.sha256.slice(0, 16) ?? ''}\` |`;
}

/** What can be asked for, where there is a list of it. */
const asked: { readonly [kind in ConditionKind]?: string } = {
  tokens: '- It knows the words of its captions and no others; `paris info` lists them.',
  label:
    '- It draws the classes that it learned and no others: a prompt is the number of one, or its name where it has one.',
};

function limits(
  { latent }: CardIndex,
  condition: ConditionKind | undefined,
  evaluation: CardEvaluation | undefined,
): string {
  const knows = condition && asked[condition];
  const copies = evaluation?.pictures && evaluation.pictures.copying.pValue < 0.01;
  return [
    '## Limits',
    '',
    `- It draws what its pictures show, ${latent.width} × ${latent.height}${evaluation ? '' : ', and was not evaluated for this card'}.`,
    ...(knows ? [knows] : []),
    ...(copies
      ? ['- It copies: many drawn pictures are near to a training picture. Do not take them for new designs.']
      : []),
  ].join('\n');
}

function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return `${Math.round(seconds)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Text from a file within a line of Markdown: no line of its own, no table cell, no HTML. */
function inline(text: string): string {
  return printable(text.replaceAll('\n', ' '))
    .replace(/[\\`*_[\]<>|#]/g, (mark) => `\\${mark}`)
    .replace(/\\_/g, '_');
}

/** JSON's strings are YAML's as well. */
function yaml(text: string): string {
  return JSON.stringify(printable(text.replaceAll('\n', ' ')));
}
