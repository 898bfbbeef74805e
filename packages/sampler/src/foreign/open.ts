// A model in somebody else's form, as a model of ours: a folder of diffusers, the released Paris, or a file of weights.
import { type FileSource, printable, shortList } from '@paris/files';
import { openCheckpoint } from '@paris/files/checkpoint';
import {
  type Codec,
  type Expert,
  expertFolder,
  type ModelIndex,
  misfits,
  type Router,
  type TextEncoder,
} from '@paris/model';
import { CheckpointError } from '@paris/tensor';
import { codecOf, pixelCodec, textOf } from './frozen.js';
import { licenceOf, saidLicence } from './licence.js';
import { type ForeignPart, openWeights, readRecord } from './part.js';
import { trainingOf } from './scheduler.js';
import { expertOf, expertOfFolder, type ForeignExpert, routerOf, saidObjective } from './transformer.js';

/** What a foreign model does not say of itself. */
export interface ForeignOptions {
  /** The file of weights, where the source is not a whole folder. */
  readonly file?: string | undefined;
  /** Which dictionary of a training's checkpoint, see `openCheckpoint`; of a folder, that of its experts. */
  readonly key?: string | undefined;
  /** The folder of an autoencoder, for weights that come without one. */
  readonly codec?: FileSource | undefined;
  /** Heads of the attention, where the width does not tell. */
  readonly heads?: number | undefined;
  /** Height and width of the latents, where positions are not stored. */
  readonly inputSize?: number | undefined;
  /** Whether the text side is left alone. */
  readonly withoutText?: boolean | undefined;
}

/** A model that was recognised, its weights not yet read. */
export interface ForeignModel {
  /** It lists no files: there is nothing to check them against. */
  readonly index: ModelIndex;
  readonly networks: {
    readonly experts: readonly ForeignPart<Expert>[];
    readonly router: ForeignPart<Router> | undefined;
    readonly codec: ForeignPart<Codec>;
    readonly text: ForeignPart<TextEncoder> | undefined;
  };
  /** All of its networks. */
  readonly parts: readonly ForeignPart<unknown>[];
  /** What it was recognised as and by what; then what to know of its licence. A line each. */
  readonly notices: readonly string[];
}

interface Parts {
  /** The noise path that is sampled on. */
  readonly path: string;
  /** See `ModelIndex`. */
  readonly shift?: number | undefined;
  readonly form: string;
  readonly experts: readonly ForeignExpert[];
  readonly router?: ForeignPart<Router> | undefined;
  readonly codec: ForeignPart<Codec>;
  readonly text?: ForeignPart<TextEncoder>;
  readonly remarks: readonly string[];
}

/**
 * Recognises a model by its files, and checks that each network's weights are all there. None is read yet.
 * @param where - the source, as messages name it
 * @throws CheckpointError if it is not recognised, or not whole
 */
export async function openForeign(source: FileSource, where: string, options: ForeignOptions): Promise<ForeignModel> {
  const parts =
    options.file !== undefined ? await bareFile(source, options.file, options) : await folder(source, where, options);
  const { experts, router, codec, text } = parts;
  const all = [...experts, ...(router ? [router] : []), codec, ...(text ? [text] : [])];
  refuseMisfits(all);
  const licence = await licenceOf(source);
  const { channels, inputSize } = experts[0]!.config;
  const recognised = recognisedAs(where, parts, all);
  const networks = { experts, router, codec, text };
  const index: ModelIndex = {
    format: 'paris-model',
    version: 1,
    clusters: experts.length,
    latent: { channels, height: inputSize, width: inputSize },
    path: parts.path,
    ...(parts.shift !== undefined && { shift: parts.shift }),
    routing: experts.length > 1 ? 'top2' : 'top1',
    codec: codec.architecture,
    licence,
    provenance: { source: where, recognised },
    files: [],
  };
  const problems = misfits(networks, index);
  if (problems.length > 0)
    throw new CheckpointError('loadPipeline', `the model does not fit together. ${problems.join('; ')}.`);
  return {
    index,
    networks,
    parts: all,
    notices: [recognised, saidLicence(licence)],
  };
}

/** @throws CheckpointError that says of every network what is missing in its weights or of another shape */
function refuseMisfits(parts: readonly ForeignPart<unknown>[]): void {
  const found = parts.flatMap(({ misfit }) => (misfit ? [misfit] : []));
  const said = found.map(({ message, tag }) => message.slice(`[${tag}] `.length));
  if (said.length > 0) throw new CheckpointError('checkpoint', said.join(' '));
}

async function folder(source: FileSource, where: string, options: ForeignOptions): Promise<Parts> {
  if (await source.exists('expert_0/config.json')) return releasedParis(source, options);
  const index = await readRecord(source, 'model_index.json');
  if (index?.format === 'paris-model') {
    const fix = 'It needs no import: load it with the weights that you want, or assemble its runs with them';
    throw new CheckpointError('loadPipeline', `${where} is a model folder of Paris already. ${fix}.`);
  }
  if (!index || !(await source.exists('transformer/config.json'))) {
    const what = index
      ? `a model_index.json of ${JSON.stringify(index._class_name ?? 'nothing known')}, and no transformer/`
      : 'no model_index.json';
    throw new CheckpointError('loadPipeline', `there is ${what} in ${where}. Give the folder that holds it.`);
  }
  return diffusers(source, index, options);
}

/** model_index.json, transformer/, vae/, text_encoder/, tokenizer/, scheduler/. */
async function diffusers(source: FileSource, index: Record<string, unknown>, options: ForeignOptions): Promise<Parts> {
  const path = 'scheduler/scheduler_config.json';
  const scheduler = await readRecord(source, path);
  const training = scheduler && trainingOf(scheduler, path);
  const { key, heads, inputSize } = options;
  const expert = await expertOfFolder(source, 'transformer', expertFolder(0), {
    ...{ key, heads, inputSize },
    ...(training && { objective: training.objective, times: training.times }),
    names: namesOf(index.id2label),
  });
  const shift = training && training.shift !== 1 ? training.shift : undefined;
  const remarks = shift === undefined ? [] : [`times shifted by ${shift}`];
  const form = `diffusers' form (${String(index._class_name)})`;
  return {
    ...{ form, shift },
    experts: [expert],
    path: expert.config.objective.path,
    ...(await frozenParts(source, expert, options, remarks)),
  };
}

/** expert_0/ … and router/, as PARIS was released. */
async function releasedParis(source: FileSource, options: ForeignOptions): Promise<Parts> {
  const experts: ForeignExpert[] = [];
  for (let k = 0; k === 0 || (await source.exists(`expert_${k}/config.json`)); k++) {
    const { checkpoint, path } = await openWeights(source, `expert_${k}`, options.key);
    const expert = expertOf(expertFolder(k), checkpoint, path, options);
    // Experts of one config share a network, and so its compiled plans.
    const twin = experts.find(({ config }) => JSON.stringify(config) === JSON.stringify(expert.config));
    experts.push(twin ? { ...expert, network: twin.network } : expert);
  }
  const weights = experts.length > 1 ? await openWeights(source, 'router') : undefined;
  const router = weights && routerOf(weights.checkpoint, weights.path);
  const { path } = experts[0]!.config.objective;
  const frozen = await frozenParts(source, experts[0]!, options, []);
  return {
    form: `the form of the released Paris`,
    experts,
    path,
    router,
    ...frozen,
  };
}

/** Weights alone. */
async function bareFile(source: FileSource, file: string, options: ForeignOptions): Promise<Parts> {
  const checkpoint = await openCheckpoint(source, file, { key: options.key });
  const expert = expertOf(expertFolder(0), checkpoint, file, options);
  const key = checkpoint.key === undefined ? '' : `, its ${checkpoint.key}`;
  const form = `a file of weights (${checkpoint.format}${key})`;
  const { path } = expert.config.objective;
  return { form, experts: [expert], path, codec: await codecFor(undefined, expert, options), remarks: [] };
}

async function frozenParts(
  source: FileSource,
  expert: ForeignExpert,
  options: ForeignOptions,
  remarks: readonly string[],
) {
  const hasCodec = await source.exists('vae/config.json');
  const codec = await codecFor(hasCodec ? source : undefined, expert, options);
  if (expert.config.condition.kind !== 'embeddings' || options.withoutText) return { codec, remarks };
  const found = await textOf(source);
  return found.text
    ? { codec, text: found.text, remarks }
    : { codec, remarks: [...remarks, `no text side: ${found.why}`] };
}

async function codecFor(source: FileSource | undefined, { config }: ForeignExpert, { codec }: ForeignOptions) {
  if (codec) return codecOf(codec, (await codec.exists('vae/config.json')) ? 'vae' : '');
  if (source) return codecOf(source, 'vae');
  if (config.channels === 3) return pixelCodec();
  const what = `the experts' latents have ${config.channels} channels, and the model comes without an autoencoder`;
  throw new CheckpointError('loadPipeline', `${what}. Give one, as foreign: { codec }.`);
}

/** Names by class, from diffusers' `id2label`. */
function namesOf(labels: unknown): string[] | undefined {
  if (typeof labels !== 'object' || labels === null) return undefined;
  const names: string[] = [];
  for (const [id, name] of Object.entries(labels)) if (/^\d{1,6}$/.test(id)) names[Number(id)] = String(name);
  return names.length === Object.keys(labels).length && !names.includes(undefined as never) ? names : undefined;
}

function recognisedAs(
  where: string,
  { form, experts, codec, text, remarks }: Parts,
  all: readonly ForeignPart<unknown>[],
): string {
  const { layout, mark, config } = experts[0]!;
  const { condition } = config;
  const shows =
    condition.kind === 'label'
      ? `${condition.classes} classes`
      : condition.kind === 'embeddings'
        ? `text of width ${condition.width}`
        : condition.kind;
  const count = experts.length === 1 ? '' : `${experts.length} × `;
  const sizes = `${config.depth} blocks of width ${config.hiddenSize}, ${shows}`;
  const said = [
    `${where} is in ${form}: ${count}${layout} by ${mark}, ${sizes}`,
    saidObjective(config.objective),
    `codec ${codec.architecture}`,
    ...(text ? [`text ${text.architecture}`] : []),
    ...remarks,
    ...saidUnused(all),
  ];
  return printable(`${said.join('; ')}.`);
}

/** The tensors that nothing uses, by network; those of experts that all have the same are said once. */
function saidUnused(parts: readonly ForeignPart<unknown>[]): string[] {
  const folders = new Map<string, string[]>();
  for (const { folder, unused } of parts) {
    if (unused.length === 0) continue;
    const said = `not used: ${unused.length === 1 ? 'one tensor' : `${unused.length} tensors`} (${shortList(unused)})`;
    folders.set(said, [...(folders.get(said) ?? []), folder]);
  }
  return [...folders].map(([said, where]) => `${said} of ${shortList(where)}`);
}
